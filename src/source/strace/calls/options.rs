//! Options and flags of sockets.

use super::{Meaning, View, word_or_number};
use crate::socket::call::{Arg, Call, CallName};
use crate::source::strace::text::{field, number, quoted};

impl View<'_> {
    pub(super) fn fcntl(&self, first: Arg) -> Meaning {
        let mut args = vec![first, self.flags(1)];
        if !self.text(2).is_empty() {
            args.push(self.flags(2));
        }
        self.call(CallName::Fcntl, args)
    }

    /// FIONBIO does what `F_SETFL` with `O_NONBLOCK` does, and stands as that; FIOCLEX and FIONCLEX what `F_SETFD` does.
    pub(super) fn ioctl(&self, first: Arg) -> Meaning {
        let (command, flags) = match (self.text(1), self.int(2)) {
            ("FIONBIO", Some(0)) => ("F_SETFL", Arg::Int(0)),
            ("FIONBIO", Some(_)) => ("F_SETFL", Arg::Word("O_NONBLOCK".to_owned())),
            ("FIOCLEX", _) => ("F_SETFD", Arg::Word("FD_CLOEXEC".to_owned())),
            ("FIONCLEX", _) => ("F_SETFD", Arg::Int(0)),
            _ => return Meaning::Unnamed,
        };
        self.call(CallName::Fcntl, vec![first, Arg::Word(command.to_owned()), flags])
    }

    pub(super) fn setsockopt(&self, first: Arg) -> Meaning {
        let mut args = vec![first, self.level(), self.flags(2)];
        let value = self.text(3);
        match (field(value, "l_onoff"), field(value, "l_linger"), quoted(value)) {
            (Some(on), Some(seconds), _) => args.extend([on, seconds].map(word_or_number)),
            (_, _, Some(text)) => args.push(Arg::Bytes(text)),
            _ => args.extend(number(value).map(Arg::Int)),
        }
        self.call(CallName::Setsockopt, args)
    }

    /// `SO_ERROR` hands out an error's name or 0, other options a number at most.
    pub(super) fn getsockopt(&self, first: Arg) -> Meaning {
        let call = Call::new(CallName::Getsockopt, vec![first, self.level(), self.flags(2)]);
        let value = self.text(3).trim_start_matches('[').trim_end_matches(']');
        let is_error = (self.text(1), self.text(2)) == ("SOL_SOCKET", "SO_ERROR");
        let value = match number(value) {
            Some(number) => Some(Arg::Int(number)),
            None if is_error && value.starts_with('E') => Some(Arg::Word(value.to_owned())),
            None => None,
        };
        let outcome = self.outcome().map(|outcome| match value {
            Some(value) if outcome.errno.is_none() => outcome.with(value),
            _ => outcome,
        });
        Meaning::Call(call, outcome)
    }

    /// The levels as their man pages name them.
    fn level(&self) -> Arg {
        match self.text(1) {
            "SOL_TCP" => Arg::Word("IPPROTO_TCP".to_owned()),
            "SOL_IP" => Arg::Word("IPPROTO_IP".to_owned()),
            "SOL_IPV6" => Arg::Word("IPPROTO_IPV6".to_owned()),
            other => word_or_number(other),
        }
    }
}
