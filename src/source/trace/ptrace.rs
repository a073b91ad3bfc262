//! ptrace(2) and wait(2), as one type for each way in which a thread stops.
//!
//! A [`Stopped`] is a thread that the tracer may look into. Every way of letting it go takes it by value, so that none is let
//! go twice and none is looked into while it runs. Not by libraries: nix knows no real-time signals, which the C library
//! sends its own threads, and its view of a system call is for glibc alone.

mod registers;

use std::io;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::patience::Patience;

/// What a started program is traced with: it dies with the tracer, its children are traced too, its filter stops it.
pub const STARTED: i32 = libc::PTRACE_O_EXITKILL | libc::PTRACE_O_TRACESECCOMP | ATTACHED;

/// What a program is traced with that ran before: nothing of the tracer's end is its end.
pub const ATTACHED: i32 = libc::PTRACE_O_TRACESYSGOOD
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACECLONE;

/// What a call leaves that a stop or a signal has interrupted, and that says so.
const INTERRUPTED: i64 = -(libc::EINTR as i64);

/// A stop at a system call, as `PTRACE_O_TRACESYSGOOD` marks it.
const SYSCALL_STOP: i32 = libc::SIGTRAP | 0x80;

/// How a thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// Until its filter, a signal or an event stops it.
    Free,
    /// To the next entry into a system call, or the exit from one.
    Watched,
}

/// A system call at its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `AUDIT_ARCH_…`, whose numbers and registers it uses.
    pub arch: u32,
    /// Its number.
    pub number: i64,
    /// Its arguments.
    pub args: [u64; 6],
}

/// Why a thread stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It enters a system call.
    Enters(Entry),
    /// Its filter stops it at the entry of a system call.
    Filtered(Entry),
    /// It leaves a system call with this value; below 0 an error.
    Leaves(i64),
    /// A signal is about to be delivered.
    Signal(i32),
    /// All threads of its process are stopped, as by Ctrl-Z.
    Group,
    /// It made a process of this number.
    Forks(Pid),
    /// It made a thread of this number, or a process in an unusual way.
    Clones(Pid),
    /// It runs another program; the thread that asked for it had this number.
    Executes(Pid),
    /// Its first stop, or one that the tracer asked for.
    Interrupted,
}

/// A stopped thread.
#[derive(Debug)]
#[must_use = "a thread that is not let go stays stopped"]
pub struct Stopped {
    /// Its number.
    pub thread: Pid,
    /// Why it stopped.
    pub why: Why,
}

/// What wait(2) told.
#[derive(Debug)]
pub enum Told {
    /// A thread stopped.
    Stopped(Stopped),
    /// A thread ended by itself, with this code.
    Exited(Pid, i32),
    /// A signal ended a thread.
    Killed(Pid, i32),
    /// No traced thread is left.
    Nobody,
}

impl Stopped {
    /// Lets it go; `signal` is delivered, 0 is none. That it is gone meanwhile is no error: its end is told next.
    pub fn go(self, go: Go, signal: i32) {
        let request = match go {
            Go::Free => libc::PTRACE_CONT,
            Go::Watched => libc::PTRACE_SYSCALL,
        };
        let _ = ask(request, self.thread, 0, usize::try_from(signal).unwrap_or(0));
    }

    /// Lets it wait in its group's stop until SIGCONT ends that.
    pub fn listen(self) {
        let _ = ask(libc::PTRACE_LISTEN, self.thread, 0, 0);
    }

    /// Lets it go for good; `signal` is delivered.
    pub fn detach(self, signal: i32) {
        let _ = ask(libc::PTRACE_DETACH, self.thread, 0, usize::try_from(signal).unwrap_or(0));
    }

    /// Where the tracer's own request took it out of a call that the kernel would then end with EINTR: lets the call be made
    /// again instead, unless a signal's handler runs. Its program shall not notice that it was stopped. Whether it was so.
    pub fn goes_on_waiting(&self) -> bool {
        matches!(self.why, Why::Interrupted | Why::Group | Why::Leaves(INTERRUPTED)) && registers::restart(self.thread)
    }

    /// The call that the tracer's own request took it out of (after [`Self::goes_on_waiting`]), which is made again when it
    /// is let go; `None` where there is
    /// none, or where the registers of this architecture do not say.
    pub fn interrupted_call(&self) -> Option<Entry> {
        matches!(self.why, Why::Interrupted | Why::Group).then(|| registers::interrupted_call(self.thread)).flatten()
    }

    /// The signal that its stop holds back; 0 where there is none.
    pub const fn signal(&self) -> i32 {
        match self.why {
            Why::Signal(signal) => signal,
            _ => 0,
        }
    }
}

/// Begins to trace a thread, without stopping it.
pub fn seize(thread: Pid, options: i32) -> io::Result<()> {
    ask(libc::PTRACE_SEIZE, thread, 0, usize::try_from(options).unwrap_or(0))
}

/// Asks a running thread to stop. One that is gone does not.
pub fn interrupt(thread: Pid) {
    let _ = ask(libc::PTRACE_INTERRUPT, thread, 0, 0);
}

/// Waits for the next thread of those that are traced, or children. A thread that is gone before its stop can be read is
/// passed over, as its end comes next.
pub fn wait(patience: &mut Patience) -> io::Result<Told> {
    loop {
        let waited = patience.look_for(|| waited(libc::WNOHANG)).or_else(|| waited(0));
        match waited {
            None => {}
            Some(waited) => {
                if let Some(told) = taken(waited)? {
                    return Ok(told);
                }
            }
        }
    }
}

/// The same where one has stopped or ended; `None` where none has. Never waits.
pub fn look() -> io::Result<Option<Told>> {
    while let Some(waited) = waited(libc::WNOHANG) {
        if let Some(told) = taken(waited)? {
            return Ok(Some(told));
        }
    }
    Ok(None)
}

/// What a wait(2) told; `None` where it has to be asked again.
fn taken(waited: nix::Result<(Pid, i32)>) -> io::Result<Option<Told>> {
    match waited {
        Ok((thread, status)) => Ok(told(thread, status)),
        Err(Errno::EINTR) => Ok(None),
        Err(Errno::ECHILD) => Ok(Some(Told::Nobody)),
        Err(errno) => Err(errno.into()),
    }
}

/// One wait(2), and what it told; `None` where it was not to wait and there is nothing.
#[allow(unsafe_code, reason = "nix's wait refuses real-time signals")]
fn waited(flags: i32) -> Option<nix::Result<(Pid, i32)>> {
    let mut status = 0;
    // SAFETY: `status` is one int that outlives the call.
    let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | flags) };
    let thread = Errno::result(thread).map(|thread| (Pid::from_raw(thread), status));
    (thread != Ok((Pid::from_raw(0), status))).then_some(thread)
}

fn told(thread: Pid, status: i32) -> Option<Told> {
    if libc::WIFEXITED(status) {
        return Some(Told::Exited(thread, libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Some(Told::Killed(thread, libc::WTERMSIG(status)));
    }
    let why = why(thread, libc::WSTOPSIG(status), status >> 16).ok()?;
    Some(Told::Stopped(Stopped { thread, why }))
}

fn why(thread: Pid, signal: i32, event: i32) -> io::Result<Why> {
    Ok(match event {
        0 if signal == SYSCALL_STOP => at_syscall(thread)?,
        0 => Why::Signal(signal),
        libc::PTRACE_EVENT_SECCOMP => at_syscall(thread)?,
        libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => Why::Forks(message(thread)?),
        libc::PTRACE_EVENT_CLONE => Why::Clones(message(thread)?),
        libc::PTRACE_EVENT_EXEC => Why::Executes(message(thread)?),
        libc::PTRACE_EVENT_STOP if signal != libc::SIGTRAP => Why::Group,
        _ => Why::Interrupted,
    })
}

/// `struct ptrace_syscall_info` in words of 8 bytes: the kind and the architecture, two registers, then what belongs to the
/// kind.
type Info = [u64; 11];

const GET_SYSCALL_INFO: libc::c_uint = 0x420e;

/// Entry or exit is asked for, never counted: a restarted call has two exits in a row.
fn at_syscall(thread: Pid) -> io::Result<Why> {
    let mut info: Info = [0; 11];
    ask_into(GET_SYSCALL_INFO, thread, size_of::<Info>(), (&raw mut info).cast())?;
    let [kind, _, _, number, rest @ ..] = info;
    let arch = u32::try_from(kind >> 32).unwrap_or(0);
    let args = rest.first_chunk::<6>().copied().unwrap_or_default();
    let entry = Entry { arch, number: number.cast_signed(), args };
    Ok(match kind & 0xff {
        1 => Why::Enters(entry),
        2 => Why::Leaves(number.cast_signed()),
        3 => Why::Filtered(entry),
        _ => Why::Interrupted,
    })
}

/// The registers of a thread, word by word as the architecture orders them.
pub type Registers = [u64; size_of::<libc::user_regs_struct>() / 8];

/// `NT_PRSTATUS` (linux/elf.h).
const GENERAL: usize = 1;

/// The registers of `thread`, which stands still.
pub fn registers(thread: Pid) -> io::Result<Registers> {
    let mut registers: Registers = [0; _];
    let place = (&raw mut registers).cast();
    let mut place = libc::iovec { iov_base: place, iov_len: size_of::<Registers>() };
    ask_into(libc::PTRACE_GETREGSET, thread, GENERAL, (&raw mut place).cast())?;
    Ok(registers)
}

fn message(thread: Pid) -> io::Result<Pid> {
    let mut number: libc::c_ulong = 0;
    ask_into(libc::PTRACE_GETEVENTMSG, thread, 0, (&raw mut number).cast())?;
    Ok(Pid::from_raw(i32::try_from(number).unwrap_or(0)))
}

#[allow(unsafe_code, reason = "nix's ptrace knows no real-time signals")]
fn ask(request: libc::c_uint, thread: Pid, addr: usize, data: usize) -> io::Result<()> {
    // SAFETY: none of the requests that this module passes here reads or writes memory of this process.
    Errno::result(unsafe { libc::ptrace(request, thread.as_raw(), addr, data) })?;
    Ok(())
}

#[allow(unsafe_code, reason = "nix has no portable view of a system call")]
fn ask_into(request: libc::c_uint, thread: Pid, addr: usize, data: *mut libc::c_void) -> io::Result<()> {
    // SAFETY: all callers pass a place of the size that their request writes, or its address and size, which outlives the call.
    Errno::result(unsafe { libc::ptrace(request, thread.as_raw(), addr, data) })?;
    Ok(())
}
