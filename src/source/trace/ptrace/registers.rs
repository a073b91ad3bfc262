//! What stands in the registers of a thread that was taken out of a system call.

#[cfg(target_arch = "x86_64")]
mod native {
    use nix::unistd::Pid;

    use crate::source::trace::filter::NATIVE;
    use crate::source::trace::ptrace::{Entry, INTERRUPTED, ask, ask_into};

    /// The kernel's own values for a call that is made again (include/linux/errno.h), and the one among them that a signal's
    /// handler turns into EINTR.
    const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;
    const ERESTARTNOHAND: i64 = -514;

    /// Calls that wait, which end with EINTR and not with one of those values (signal(7)), and that can be made again.
    const WAITING: [libc::c_long; 17] = [
        libc::SYS_epoll_wait,
        libc::SYS_epoll_pwait,
        libc::SYS_epoll_pwait2,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_rt_sigtimedwait,
        libc::SYS_semop,
        libc::SYS_semtimedop,
        libc::SYS_io_getevents,
    ];

    /// The code segment of 64-bit programs.
    const CODE: u64 = 0x33;

    /// The call that `thread`, which stands outside of calls, is about to make again. The kernel does that on its way back to
    /// the program, and has not touched the registers yet.
    pub fn interrupted_call(thread: Pid) -> Option<Entry> {
        let regs = read(thread)?;
        let number = regs.orig_rax.cast_signed();
        let in_call = number >= 0 && regs.cs == CODE && RESTARTS.contains(&regs.rax.cast_signed());
        let args = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
        in_call.then_some(Entry { arch: NATIVE, number, args })
    }

    /// Has the call that `thread` was taken out of made again where it would return EINTR. Whether it would have.
    pub fn restart(thread: Pid) -> bool {
        let interrupted = |regs: &libc::user_regs_struct| {
            let waits = WAITING.contains(&regs.orig_rax.cast_signed());
            waits && regs.rax.cast_signed() == INTERRUPTED && regs.cs == CODE
        };
        if !read(thread).as_ref().is_some_and(interrupted) {
            return false;
        }
        let place = std::mem::offset_of!(libc::user, regs) + std::mem::offset_of!(libc::user_regs_struct, rax);
        ask(libc::PTRACE_POKEUSER, thread, place, usize::from_ne_bytes(ERESTARTNOHAND.to_ne_bytes())).is_ok()
    }

    #[allow(unsafe_code, reason = "a struct of numbers that the kernel fills")]
    fn read(thread: Pid) -> Option<libc::user_regs_struct> {
        // SAFETY: it is a struct of numbers, for which zeros are values.
        let mut regs: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        ask_into(libc::PTRACE_GETREGS, thread, 0, (&raw mut regs).cast()).ok()?;
        Some(regs)
    }
}

/// Other architectures' kernels have set the registers for the call's repetition before they tell of the stop.
#[cfg(not(target_arch = "x86_64"))]
mod native {
    use nix::unistd::Pid;

    use crate::source::trace::ptrace::Entry;

    pub const fn interrupted_call(_: Pid) -> Option<Entry> {
        None
    }

    pub const fn restart(_: Pid) -> bool {
        false
    }
}

pub use native::{interrupted_call, restart};
