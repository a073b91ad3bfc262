//! Which line of Python a thread runs, read from the interpreter's own memory while the thread stands.
//!
//! Since 3.13 `CPython` says where its structures have what (`_Py_DebugOffsets`); of 3.11 and 3.12, whose structures stayed
//! the same within each, a table says it. Nothing is believed: every object's type is looked at, every name must be text,
//! every instruction must lie in its function. Where anything is otherwise, there is no line.

mod frames;
mod layout;
mod lines;

use nix::unistd::Pid;

use self::frames::{Interpreter, Types};
use self::layout::Layout;
use super::image::Images;
use super::maps::Mapping;
use crate::event::Place;
use crate::source::trace::memory;

/// Whether a file is called as Python's interpreter is: `python3.11`, `libpython3.11.so.1.0`.
pub fn is_named_so(name: &str) -> bool {
    let version = name.strip_prefix("libpython").or_else(|| name.strip_prefix("python"));
    version.is_some_and(|version| version.is_empty() || version.starts_with(|c: char| c.is_ascii_digit()))
}

/// The functions of Python that `thread` of `process` runs, the innermost first, or why they cannot be said; `None` where
/// it runs none. `own` is what the C library knows the thread by, or 0.
pub fn running(
    thread: Pid,
    process: Pid,
    own: u64,
    mappings: &[Mapping],
    images: &mut Images,
) -> Option<Result<Vec<Place>, String>> {
    let is_one = |mapping: &&Mapping| mapping.is_code && mapping.has_file() && is_named_so(mapping.name());
    let mut found = mappings.iter().filter(is_one).peekable();
    found.peek()?;
    // A program may be linked with the library, and then has nothing of it itself.
    let interpreter = found.find_map(|mapping| interpreter(process, mapping, mappings, images));
    let Some(interpreter) = interpreter else {
        return Some(Err("the interpreter's symbols cannot be found".to_owned()));
    };
    match interpreter.and_then(|interpreter| interpreter.frames(thread, own)) {
        Ok(frames) if frames.is_empty() => None,
        told => Some(told),
    }
}

/// The interpreter in the file of `mapping`; `None` where there is none, the error where it cannot be understood.
fn interpreter(
    process: Pid,
    mapping: &Mapping,
    mappings: &[Mapping],
    images: &mut Images,
) -> Option<Result<Interpreter, String>> {
    const NAMES: [&str; 5] = ["_PyRuntime", "Py_Version", "PyCode_Type", "PyUnicode_Type", "PyBytes_Type"];
    let image = images.of(process, mapping, mappings)?;
    let exports = image.python(NAMES)?;
    let base = mapping.start.wrapping_sub(exports.address(mapping.offset)?);
    let found = exports.addresses.map(|address| address.map(|address| base.wrapping_add(address)));
    let [Some(runtime), version, code, text, bytes] = found else { return None };
    let Some(((version, code), (text, bytes))) = version.zip(code).zip(text.zip(bytes)) else {
        return Some(Err("where Python before 3.11 keeps its frames is not known".to_owned()));
    };
    let types = Types { code, text, bytes };
    Some(Layout::of(process, runtime, memory::word(process, version)).map(|layout| Interpreter {
        process,
        runtime,
        layout,
        types,
    }))
}

#[cfg(test)]
mod tests;
