//! Capabilities that outlast an exec (capabilities(7)).
//!
//! Whoever enters a user namespace has all capabilities in it, and loses them with the next exec, unless his id is mapped to
//! root's or they are ambient. To become ambient, a capability must be inheritable first.

use std::io;

use nix::errno::Errno;

/// Version 3 of the structures, of two words for each set (linux/capability.h).
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Makes `capability`, which this thread must have, ambient. Fails as prctl(2) and capset(2) do.
pub fn raise(capability: u32) -> io::Result<()> {
    make_inheritable(capability)?;
    make_ambient(capability)
}

/// `PR_CAP_AMBIENT_RAISE` of linux/prctl.h, as wide as prctl(2) takes it.
const RAISE: libc::c_ulong = 2;

#[allow(unsafe_code, reason = "neither nix nor std knows ambient capabilities")]
fn make_ambient(capability: u32) -> io::Result<()> {
    const NONE: libc::c_ulong = 0;
    // SAFETY: this prctl(2) takes numbers and touches no memory.
    let raised = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, RAISE, libc::c_ulong::from(capability), NONE, NONE) };
    Errno::result(raised)?;
    Ok(())
}

#[allow(unsafe_code, reason = "neither nix nor std knows capabilities")]
fn make_inheritable(capability: u32) -> io::Result<()> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: capget(2) reads one header and writes two sets, both of which outlive the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) })?;
    let [low, high] = &mut sets;
    let word = if capability < 32 { low } else { high };
    word.inheritable |= 1 << (capability % 32);
    // SAFETY: capset(2) reads one header and two sets, both of which outlive the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) })?;
    Ok(())
}
