//! A child that ends when a pipe does: it wakes a tracer, which can wait for nothing but the ends and stops of processes.

use std::fs::File;
use std::io::{self, Read};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid, fork};

/// Starts the child, which ends when `pipe` does, or with this process. This process must have one thread.
#[allow(unsafe_code, reason = "std cannot start a process without a program")]
pub fn hang(pipe: &File) -> io::Result<Pid> {
    // SAFETY: this process has one thread, so that its copy may do all that it may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => wait(pipe),
    }
}

#[allow(unsafe_code, reason = "_exit(2): what std would do at the end is the other process's")]
fn wait(mut pipe: &File) -> ! {
    // Refused, it still ends with the pipe.
    let _ = set_pdeathsig(Signal::SIGKILL);
    let mut byte = [0];
    loop {
        match pipe.read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(1..) => {}
            _ => break,
        }
    }
    // SAFETY: it ends this process, and returns to nobody.
    unsafe { libc::_exit(0) }
}
