//! Calls that send or receive.

use super::{Meaning, View};
use crate::socket::call::{Arg, Call, CallName, Outcome, Payload};
use crate::source::strace::described::Address;
use crate::source::strace::text::{field, items, number, quoted};

/// Bytes in several pieces, as one.
#[derive(Default)]
struct Gathered {
    data: Payload,
    /// How long all pieces are together.
    len: i64,
    /// Whether strace printed data at all, and not only where it lies.
    is_printed: bool,
}

impl Gathered {
    /// Takes the pieces of an `iovec` list. Behind data that strace cut nothing can be put.
    fn add(&mut self, list: &str) {
        for piece in items(list) {
            let Some(len) = field(piece, "iov_len").and_then(number) else {
                self.data.cut = true;
                continue;
            };
            self.len = self.len.saturating_add(len);
            if let Some(data) = field(piece, "iov_base").and_then(quoted) {
                self.is_printed = true;
                if !self.data.cut {
                    self.data.bytes.extend(data.bytes);
                    self.data.cut = data.cut;
                }
            }
        }
    }

    /// What was printed; where nothing was, data that is missing.
    fn sent(&self) -> Payload {
        if self.is_printed { self.data.clone() } else { missing() }
    }
}

const fn missing() -> Payload {
    Payload { bytes: Vec::new(), cut: true }
}

impl View<'_> {
    /// A call that sends or receives on the socket of its first argument; `None` for any other.
    pub(super) fn data(&self, name: &str, first: Arg) -> Option<Meaning> {
        Some(match name {
            "sendto" => self.sendto(first),
            "write" => self.sends(CallName::Write, first, self.plain(1), self.int(2), None),
            "writev" => self.sends_pieces(CallName::Writev, first, None),
            "sendmsg" => self.sends_pieces(CallName::Sendmsg, first, Some(self.flags(2))),
            "sendmmsg" => self.sends_pieces(CallName::Sendmmsg, first, Some(self.flags(3))),
            "sendfile" | "sendfile64" => self.unseen_data(CallName::Sendfile, first, "FILE", self.int(3)),
            "recvfrom" => {
                let name = if matches!(self.text(4), "NULL" | "") { CallName::Recv } else { CallName::Recvfrom };
                self.receives(name, first, self.int(2), quoted(self.text(1)), Some(self.flags(3)))
            }
            "read" => self.receives(CallName::Read, first, self.int(2), quoted(self.text(1)), None),
            "readv" => self.receives_pieces(CallName::Readv, first, None),
            "recvmsg" => self.receives_pieces(CallName::Recvmsg, first, Some(self.flags(2))),
            "recvmmsg" => self.receives_pieces(CallName::Recvmmsg, first, Some(self.flags(3))),
            _ => return None,
        })
    }

    /// splice(2) has two descriptors, and the socket may be either.
    pub(super) fn splice(&self) -> Meaning {
        let len = self.int(4);
        match (self.tcp(2), self.tcp(0)) {
            (Some(to), _) => self.unseen_data(CallName::SpliceTo, Arg::Int(to.into()), "PIPE", len),
            (None, Some(from)) => self.receives(CallName::Splice, Arg::Int(from.into()), len, None, None),
            (None, None) => Meaning::Aside,
        }
    }

    fn plain(&self, index: usize) -> Payload {
        quoted(self.text(index)).unwrap_or_else(missing)
    }

    fn sendto(&self, first: Arg) -> Meaning {
        let (data, len, flags) = (self.plain(1), self.int(2), Some(self.flags(3)));
        let Some(Address::Ip(addr)) = self.address(4) else {
            return self.sends(CallName::Send, first, data, len, flags);
        };
        let mut meaning = self.sends(CallName::Sendto, first, data, len, flags);
        if let Meaning::Call(call, _) = &mut meaning {
            call.args.push(Arg::Addr(addr));
        }
        meaning
    }

    fn sends(&self, name: CallName, first: Arg, data: Payload, len: Option<i64>, flags: Option<Arg>) -> Meaning {
        let Some(len) = len else { return Meaning::Odd("a length is expected") };
        let args = [first, Arg::Bytes(data), Arg::Int(len)].into_iter().chain(flags).collect();
        self.call(name, args)
    }

    fn unseen_data(&self, name: CallName, first: Arg, what: &str, len: Option<i64>) -> Meaning {
        let Some(len) = len else { return Meaning::Odd("a length is expected") };
        self.call(name, vec![first, Arg::Word(what.to_owned()), Arg::Int(len)])
    }

    fn sends_pieces(&self, name: CallName, first: Arg, flags: Option<Arg>) -> Meaning {
        let gathered = self.gathered();
        match self.sends(name, first, gathered.sent(), Some(gathered.len), flags) {
            Meaning::Call(call, Some(outcome)) => Meaning::Call(call, Some(self.in_bytes(outcome))),
            other => other,
        }
    }

    /// sendmmsg(2) and recvmmsg(2) return how many messages they took; here stands how many bytes.
    fn in_bytes(&self, outcome: Outcome) -> Outcome {
        if !self.record.name.ends_with("mmsg") || outcome.errno.is_some() {
            return outcome;
        }
        let messages = usize::try_from(outcome.ret).unwrap_or(0);
        let lens = items(self.text(1)).into_iter().take(messages).filter_map(|one| number(field(one, "msg_len")?));
        Outcome { ret: lens.fold(0, i64::saturating_add), ..outcome }
    }

    /// The pieces of the second argument: a list of them, a message with such a list, or a list of messages.
    fn gathered(&self) -> Gathered {
        let text = self.text(1);
        let mut gathered = Gathered::default();
        if let Some(list) = field(text, "msg_iov") {
            gathered.add(list);
            return gathered;
        }
        let messages: Vec<&str> =
            items(text).into_iter().filter_map(|one| field(field(one, "msg_hdr")?, "msg_iov")).collect();
        if messages.is_empty() {
            gathered.add(text);
        }
        for list in messages {
            gathered.add(list);
        }
        gathered
    }

    fn receives_pieces(&self, name: CallName, first: Arg, flags: Option<Arg>) -> Meaning {
        let gathered = self.gathered();
        let data = gathered.is_printed.then_some(gathered.data);
        self.receives(name, first, Some(gathered.len), data, flags)
    }

    /// Of a read that did not return the log may have no more than the socket.
    fn receives(
        &self,
        name: CallName,
        first: Arg,
        len: Option<i64>,
        data: Option<Payload>,
        flags: Option<Arg>,
    ) -> Meaning {
        let flags = flags.filter(|flags| len.is_some() && *flags != Arg::Word(String::new()));
        let args = std::iter::once(first).chain(len.map(Arg::Int)).chain(flags).collect();
        let outcome = self.outcome().map(|outcome| {
            let outcome = self.in_bytes(outcome);
            match data {
                Some(data) if outcome.errno.is_none() && outcome.ret > 0 => {
                    let data = first_bytes(data, outcome.ret);
                    outcome.with(Arg::Bytes(data))
                }
                _ => outcome,
            }
        });
        Meaning::Call(Call::new(name, args), outcome)
    }
}

/// What of a printed buffer was filled.
fn first_bytes(mut data: Payload, len: i64) -> Payload {
    let len = usize::try_from(len).unwrap_or(0);
    if data.bytes.len() >= len {
        data.bytes.truncate(len);
        data.cut = false;
    }
    data
}
