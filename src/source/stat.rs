//! What a thread is at, by its state in proc(5).

use nix::unistd::Pid;

/// The letter of its state: R runs, S sleeps in the kernel, t stands still for its tracer; `None` where it is gone.
pub fn state(thread: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{thread}/stat")).ok()?;
    // The name in parentheses may hold anything, so count from the last one.
    stat.rsplit(") ").next()?.chars().next()
}
