//! Descriptors of TCP sockets that go to another process in a message (`SCM_RIGHTS`, unix(7)): on its way such a copy holds the
//! socket as any other does.

use super::{Brings, Pending, Reader, int, low, pending, word};
use crate::socket::call::CallName;
use crate::source::trace::memory;
use crate::source::trace::ptrace::Entry;

/// Where `struct msghdr` has the control messages, and how many bytes they take.
const CONTROL: u64 = 32;
const CONTROL_LEN: u64 = 40;

/// `struct cmsghdr` in bytes, which stands before each.
const HEAD: usize = 16;

/// How many bytes of control messages are looked at: more descriptors than fit the kernel sends in no message (`SCM_MAX_FD`).
const MOST: u64 = 2048;

impl Reader<'_> {
    /// sendmsg(2) with TCP sockets among the descriptors that it hands over.
    pub(super) fn hands_over(&self, entry: &Entry) -> Option<Pending> {
        let [first, second, ..] = entry.args;
        if entry.number != libc::SYS_sendmsg {
            return None;
        }
        let read = |offset| memory::word(self.thread, second.wrapping_add(offset));
        let len = usize::try_from(read(CONTROL_LEN)?.min(MOST)).ok()?;
        let handed = descriptors(&memory::bytes(self.thread, read(CONTROL)?, len));
        let sockets: Vec<String> =
            handed.into_iter().filter(|fd| self.files.has_socket(*fd)).map(|fd| fd.to_string()).collect();
        let rights = word(&format!("SCM_RIGHTS:{}", sockets.join(":")));
        (!sockets.is_empty()).then(|| pending(CallName::Sendmsg, vec![int(low(first)), rights], Brings::Result))
    }
}

/// The descriptors in control messages.
fn descriptors(mut control: &[u8]) -> Vec<i32> {
    let int = |at: &[u8]| at.try_into().map_or(0, i32::from_ne_bytes);
    let mut found = Vec::new();
    while let Some((head, _)) = control.split_at_checked(HEAD) {
        let len = head[..8].try_into().map_or(0, usize::from_ne_bytes);
        let Some(data) = control.get(HEAD..len) else { break };
        if (int(&head[8..12]), int(&head[12..])) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            found.extend(data.chunks_exact(4).map(int));
        }
        control = control.get(len.next_multiple_of(8)..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(len: usize, kind: i32, data: &[i32]) -> Vec<u8> {
        let head = [&len.to_ne_bytes()[..], &libc::SOL_SOCKET.to_ne_bytes(), &kind.to_ne_bytes()].concat();
        let mut message = [head, data.iter().flat_map(|fd| fd.to_ne_bytes()).collect()].concat();
        message.resize(message.len().next_multiple_of(8), 0);
        message
    }

    #[test]
    fn descriptors_are_found_among_control_messages() {
        let two = [message(28, libc::SCM_CREDENTIALS, &[1, 2, 3]), message(24, libc::SCM_RIGHTS, &[7, 9])].concat();
        assert_eq!(descriptors(&two), [7, 9]);
        assert_eq!(descriptors(&two[..40]), [0; 0]);
        // A length that cannot be.
        for len in [0, 8, 15, 1000, usize::MAX] {
            assert_eq!(descriptors(&message(len, libc::SCM_RIGHTS, &[7])), [0; 0]);
        }
        assert_eq!(descriptors(&message(20, libc::SCM_RIGHTS, &[7])), [7]);
    }
}
