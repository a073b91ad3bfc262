//! The filter that stops a program only where a TCP socket comes to be, or may be handed on (seccomp(2)).
//!
//! Written by hand: what is not ours to judge is let through, another architecture's calls too, where libraries kill. Which
//! socket is asked for stands in registers, so that one of another kind stops nobody.

use std::io;

use nix::errno::Errno;

use super::ptrace::Entry;

/// `AUDIT_ARCH_…` of this program (linux/audit.h).
#[cfg(target_arch = "x86_64")]
pub const NATIVE: u32 = 0xc000_003e;
/// `AUDIT_ARCH_…` of this program (linux/audit.h).
#[cfg(target_arch = "aarch64")]
pub const NATIVE: u32 = 0xc000_00b7;

/// Where `struct seccomp_data` has the number, the architecture, and the low halves of the first two arguments. Both
/// architectures are little-endian.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const DOMAIN: u32 = 16;
const KIND: u32 = 24;

/// Calls by which a descriptor of a TCP socket may come into a process that has none (a message with descriptors, another
/// process's), and one whose traffic nobody will see.
const TRAPPED: [libc::c_long; 4] =
    [libc::SYS_recvmsg, libc::SYS_recvmmsg, libc::SYS_pidfd_getfd, libc::SYS_io_uring_setup];

/// Where a question leads.
#[derive(Clone, Copy)]
enum To {
    /// To the next but so many.
    Skip(usize),
    Allow,
    Trace,
}

const NEXT: To = To::Skip(0);

#[derive(Clone, Copy)]
enum Step {
    Load(u32),
    /// Keeps these bits of what was loaded.
    And(u32),
    /// Is it this?
    Is(u32, To, To),
}

fn steps() -> Vec<Step> {
    let mut steps = vec![Step::Load(ARCH), Step::Is(NATIVE, NEXT, To::Allow), Step::Load(NUMBER)];
    steps.extend(TRAPPED.iter().map(|number| Step::Is(bits(*number), To::Trace, NEXT)));
    steps.extend([
        Step::Is(bits(libc::SYS_socket), NEXT, To::Allow),
        Step::Load(DOMAIN),
        Step::Is(bits(libc::AF_INET.into()), To::Skip(1), NEXT),
        Step::Is(bits(libc::AF_INET6.into()), NEXT, To::Allow),
        Step::Load(KIND),
        // Without SOCK_NONBLOCK and SOCK_CLOEXEC.
        Step::And(0xf),
        Step::Is(bits(libc::SOCK_STREAM.into()), To::Trace, To::Allow),
    ]);
    steps
}

fn bits(number: libc::c_long) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Whether the filter would stop a program of this architecture at `entry`, or at one more: another kind of socket.
pub fn stops(entry: &Entry) -> bool {
    entry.number == libc::SYS_socket || TRAPPED.contains(&entry.number)
}

/// The filter in the kernel's form: the steps, then the two answers.
fn program() -> Vec<libc::sock_filter> {
    let steps = steps();
    let answers = steps.len();
    let step = |(at, step): (usize, &Step)| {
        let to = |to: To| {
            let target = match to {
                To::Skip(count) => at + 1 + count,
                To::Allow => answers,
                To::Trace => answers + 1,
            };
            u8::try_from(target - at - 1).unwrap_or(u8::MAX)
        };
        match *step {
            Step::Load(offset) => filter(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, offset, 0, 0),
            Step::And(mask) => filter(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, mask, 0, 0),
            Step::Is(value, yes, no) => filter(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, to(yes), to(no)),
        }
    };
    let answer = |value| filter(libc::BPF_RET | libc::BPF_K, value, 0, 0);
    let answers = [answer(libc::SECCOMP_RET_ALLOW), answer(libc::SECCOMP_RET_TRACE)];
    steps.iter().enumerate().map(step).chain(answers).collect()
}

fn filter(code: u32, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k }
}

/// Puts the filter on this process, for ever. Without `CAP_SYS_ADMIN` in its user namespace it can then gain no rights by
/// execve(2) any more: the kernel asks for that.
#[allow(unsafe_code, reason = "neither nix nor std knows seccomp(2)")]
pub fn install() -> io::Result<()> {
    let mut program = program();
    let length = u16::try_from(program.len()).unwrap_or(0);
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    let seccomp = || {
        // SAFETY: `filter` names `program`, which outlives the call, with its length.
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const filter) }
    };
    match Errno::result(seccomp()) {
        Err(Errno::EACCES) => {
            nix::sys::prctl::set_no_new_privs()?;
            Errno::result(seccomp())?;
        }
        done => drop(done?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the filter answers, by a reading of the kernel's form.
    fn answer(arch: u32, number: libc::c_long, domain: i32, kind: i32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        let program = program();
        loop {
            let step = program[at];
            let code = u32::from(step.code);
            at += 1;
            match code & 7 {
                libc::BPF_LD => {
                    loaded = match step.k {
                        NUMBER => bits(number),
                        ARCH => arch,
                        DOMAIN => domain.cast_unsigned(),
                        KIND => kind.cast_unsigned(),
                        other => panic!("nothing stands at {other}"),
                    };
                }
                libc::BPF_ALU => loaded &= step.k,
                libc::BPF_JMP => at += usize::from(if loaded == step.k { step.jt } else { step.jf }),
                _ => return step.k,
            }
        }
    }

    #[test]
    fn only_tcp_sockets_and_what_may_hand_one_on_are_stopped_at() {
        let stream = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        for domain in [libc::AF_INET, libc::AF_INET6] {
            assert_eq!(answer(NATIVE, libc::SYS_socket, domain, stream), libc::SECCOMP_RET_TRACE);
            assert_eq!(answer(NATIVE, libc::SYS_socket, domain, libc::SOCK_DGRAM), libc::SECCOMP_RET_ALLOW);
        }
        assert_eq!(answer(NATIVE, libc::SYS_socket, libc::AF_UNIX, stream), libc::SECCOMP_RET_ALLOW);
        for number in TRAPPED {
            assert_eq!(answer(NATIVE, number, 0, 0), libc::SECCOMP_RET_TRACE);
        }
        for number in [libc::SYS_read, libc::SYS_sendto, libc::SYS_close, libc::SYS_execve, libc::SYS_connect] {
            assert_eq!(answer(NATIVE, number, libc::AF_INET, stream), libc::SECCOMP_RET_ALLOW);
        }
        assert_eq!(answer(0x4000_0003, libc::SYS_socket, libc::AF_INET, stream), libc::SECCOMP_RET_ALLOW);
    }
}
