//! Which line of a program made a call: of its stack, the first function that is neither the C library's nor the language's
//! own, for what wraps system calls is the same in every program.

use super::Story;
use crate::event::{At, EventId, Language, Place, Stack, What};

/// Where Go's own packages are through which a program calls the kernel: the first part of their functions' names.
const GO: [&str; 12] =
    ["bufio", "context", "crypto", "fmt", "internal", "io", "log", "net", "os", "runtime", "syscall", "vendor"];

/// Libraries that wrap system calls, as the names of their files begin.
const WRAPPERS: [&str; 6] = ["libc.so", "libc-", "libpthread", "ld-", "libnss_", "_socket."];

/// Functions of these names wrap system calls also where they are linked into the program, or where their lines are known.
const C: [&str; 23] = [
    "__libc_accept",
    "__libc_close",
    "__libc_connect",
    "__libc_read",
    "__libc_readv",
    "__libc_recv",
    "__libc_recvfrom",
    "__libc_recvmsg",
    "__libc_send",
    "__libc_sendmsg",
    "__libc_sendto",
    "__libc_write",
    "__libc_writev",
    "__internal_syscall_cancel",
    "__syscall_cancel",
    "__syscall_cancel_arch",
    "__syscall_cp",
    "__syscall_cp_c",
    "__syscall_cp_asm",
    "close",
    "recv",
    "send",
    "write",
];

/// What runs before a program's first function, or a thread's.
const START: [&str; 11] = [
    "__clone3",
    "__libc_start_call_main",
    "__libc_start_main",
    "__libc_start_main_impl",
    "__rust_try",
    "_start",
    "clone",
    "clone3",
    "runtime.goexit",
    "runtime.main",
    "start_thread",
];

/// The stack of the call that began with the event `begun`, if it was taken.
pub fn stack(story: &Story, begun: EventId) -> Option<&Stack> {
    let end = story.journal().get(story.end_of(begun)?)?;
    let before = story.journal().events().get(..usize::try_from(end.id.0).ok()?)?;
    // It was taken when the call returned.
    let then = before.iter().rev().take_while(|event| event.time == end.time);
    then.filter_map(|event| match &event.what {
        What::Stack(stack) => Some(stack),
        _ => None,
    })
    .find(|stack| stack.begun == begun)
}

/// The place in `stack` whose line made the call: the innermost that is the program's own, else the innermost of all. Where
/// the program is in Python, that is one in Python.
pub fn caller(stack: &Stack) -> Option<usize> {
    let is_python = |place: &Place| place.language == Language::Python;
    let any_python = stack.places.iter().any(is_python);
    let counts = |place: &&Place| !any_python || is_python(place);
    let own = stack.places.iter().position(|place| counts(&place) && !is_library(place));
    own.or_else(|| stack.places.iter().position(|place| counts(&place)))
}

/// The place that made the call, its caller, and so on up to the first of the program's own.
pub fn callers(stack: &Stack) -> &[Place] {
    let from = caller(stack).and_then(|at| stack.places.get(at..)).unwrap_or_default();
    let is_start = |place: &Place| place.function.as_deref().is_some_and(|name| START.contains(&name));
    let last = from.iter().rposition(|place| !is_start(place) && !is_library(place)).unwrap_or(0);
    from.get(..=last).unwrap_or(from)
}

/// Whether the function is the C library's or the language's own.
fn is_library(place: &Place) -> bool {
    let function = place.function.as_deref().unwrap_or_default();
    match (&place.at, place.language) {
        (At::Line { file, .. }, Language::Python) => is_pythons_own(file),
        (At::Line { file, .. }, Language::Native) => is_natives_own(file, function),
        (At::Module { file, .. }, _) => {
            WRAPPERS.iter().any(|name| base(file).starts_with(name)) || C.contains(&function)
        }
        (At::Address(_), _) => false,
    }
}

fn is_pythons_own(file: &str) -> bool {
    let inside = |dir: &str| file.contains(dir);
    file.starts_with("<frozen ") || inside("/lib/python3") && !inside("/site-packages/") && !inside("/dist-packages/")
}

fn is_natives_own(file: &str, function: &str) -> bool {
    let package = function.split(['/', '.']).next().unwrap_or_default();
    let is_go = matches!(file.rsplit('.').next(), Some("go" | "s")) && GO.contains(&package);
    let is_rust = file.starts_with("/rustc/") || file.contains("/lib/rustlib/src/rust/library/");
    let is_c = file.contains("sysdeps/") || C.contains(&function) && !file.contains('/');
    is_go || is_rust || is_c
}

/// The last part of a path.
fn base(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// `reply` at its place, the file without its folders: `server.py:31 in reply`.
pub fn short(place: &Place) -> String {
    text(place, base)
}

/// `reply` at its place: `/srv/server.py:31 in reply`.
pub fn long(place: &Place) -> String {
    text(place, |file| file)
}

fn text(place: &Place, shown: impl Fn(&str) -> &str) -> String {
    let function = place.function.as_deref();
    match &place.at {
        At::Line { file, line } => {
            let of = function.map_or_else(String::new, |name| format!(" in {name}"));
            format!("{}:{line}{of}", shown(file))
        }
        At::Module { file, offset } => match function {
            Some(name) => format!("{name} in {}, whose lines are not known", shown(file)),
            None => format!("{}+{offset:#x}, whose functions are not known", shown(file)),
        },
        At::Address(address) => format!("{address:#x}, which is in no file"),
    }
}

/// Where the call that began with the event `begun` was made, in a few words: `server.py:31 in reply`. `None` where its stack
/// was not taken or has nothing.
pub fn called_at(story: &Story, begun: EventId) -> Option<String> {
    let stack = stack(story, begun)?;
    stack.places.get(caller(stack)?).map(short)
}

/// Where the call was made, as a sentence; where that cannot be said, why.
pub fn sentence(story: &Story, begun: EventId) -> Option<String> {
    let missing = stack(story, begun)?.missing.as_deref();
    let call = story.call(begun)?.0.name.name();
    match (called_at(story, begun), missing) {
        (Some(at), Some(why)) => Some(format!("{call}() was called at {at}; {why}.")),
        (Some(at), None) => Some(format!("{call}() was called at {at}.")),
        (None, why) => why.map(|why| format!("Where {call}() was called is not known: {why}.")),
    }
}

#[cfg(test)]
mod tests;
