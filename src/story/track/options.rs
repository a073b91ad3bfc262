//! What calls set on a socket, as far as its answers or what reaches it depend on that.

use super::Track;
use crate::event::Actor;
use crate::socket::call::{Call, Fd};
use crate::story::descriptors::{Handle, Preset};

impl Track {
    /// setsockopt(2) succeeded.
    pub(super) fn option_set(&mut self, actor: &Actor, fd: Fd, call: &Call) {
        let value = call.int(3);
        match call.word(2) {
            Some("SO_LINGER") => {
                let zero = value == Some(1) && call.int(4) == Some(0);
                self.preset(actor, fd, |preset| preset.linger_zero = zero);
            }
            Some("SO_ATTACH_FILTER") => self.preset(actor, fd, |preset| preset.deaf = true),
            Some("SO_DETACH_FILTER") => self.preset(actor, fd, |preset| preset.deaf = false),
            Some("TCP_LINGER2") => {
                if let Some(socket) = self.socket(actor, fd) {
                    socket.skips_fin_wait_2 = value.is_some_and(|seconds| seconds < 0);
                }
            }
            Some("TCP_REPAIR") => {
                if let Some(socket) = self.socket(actor, fd) {
                    socket.in_repair = value == Some(1);
                }
            }
            _ => {}
        }
    }

    /// fcntl(2) succeeded.
    pub(super) fn flags_set(&mut self, actor: &Actor, fd: Fd, call: &Call) {
        match call.word(1) {
            Some("F_SETFL") => self.preset(actor, fd, |preset| preset.nonblocking = call.has_flag("O_NONBLOCK")),
            Some("F_SETFD") if call.has_flag("FD_CLOEXEC") => self.descriptors.close_on_exec(actor, fd),
            _ => {}
        }
    }

    /// A descriptor came with flags of its own (socket(2), accept4(2)).
    pub(super) fn opened_with(&mut self, actor: &Actor, fd: Fd, call: &Call) {
        if call.has_flag("SOCK_NONBLOCK") {
            self.preset(actor, fd, |preset| preset.nonblocking = true);
        }
        if call.has_flag("SOCK_CLOEXEC") {
            self.descriptors.close_on_exec(actor, fd);
        }
    }

    /// Changes what holds for the socket, connected or not.
    fn preset(&mut self, actor: &Actor, fd: Fd, change: impl FnOnce(&mut Preset)) {
        match self.descriptors.get(actor, fd) {
            Some(Handle::Fresh { mut preset, connecting }) => {
                change(&mut preset);
                self.descriptors.set(actor, fd, Handle::Fresh { preset, connecting });
            }
            Some(Handle::Listener { bound, mut preset }) => {
                change(&mut preset);
                self.descriptors.set(actor, fd, Handle::Listener { bound, preset });
            }
            Some(Handle::Connected(..)) => {
                if let Some(socket) = self.socket(actor, fd) {
                    let mut preset = Preset::of(socket);
                    change(&mut preset);
                    preset.apply(socket);
                }
            }
            Some(Handle::Other) | None => {}
        }
    }
}
