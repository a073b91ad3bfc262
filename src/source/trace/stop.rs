//! Before which calls a program is held.

use std::fmt;
use std::str::FromStr;

use crate::socket::call::CallName;

/// Calls before which a thread is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// All that send, whatever they are called.
    Sends,
    /// All that receive.
    Receives,
    /// All that accept.
    Accepts,
    /// Those of this name.
    Call(CallName),
}

impl Stop {
    /// Whether a call of this name is one of them.
    pub fn is_before(self, name: CallName) -> bool {
        match self {
            Self::Sends => name.sends(),
            Self::Receives => name.receives(),
            Self::Accepts => name.accepts(),
            Self::Call(call) => call == name,
        }
    }
}

/// Whether a call of this name can be held at all: what is a call on a socket, and traced. The end of a program is none, nor is
/// what it runs instead of itself.
pub fn can_be_held(name: CallName) -> bool {
    use CallName as C;
    let of_processes = matches!(name, C::Execve | C::Exit | C::Fork | C::Kill | C::Nanosleep);
    let of_signals = matches!(name, C::Sigaction | C::Sigprocmask | C::Sigpending);
    !of_processes && !of_signals && !matches!(name, C::Socketpair | C::Pipe | C::SockDestroy)
}

impl FromStr for Stop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "send" => Ok(Self::Sends),
            "recv" => Ok(Self::Receives),
            "accept" => Ok(Self::Accepts),
            _ => match text.parse() {
                Ok(name) if can_be_held(name) => Ok(Self::Call(name)),
                _ => Err(format!("no socket call is called {text:?}")),
            },
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sends => f.write_str("send"),
            Self::Receives => f.write_str("recv"),
            Self::Accepts => f.write_str("accept"),
            Self::Call(name) => name.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_call_has_all_its_names_and_a_name_only_itself() {
        let send: Stop = "send".parse().unwrap();
        assert!([CallName::Send, CallName::Sendto, CallName::Write].into_iter().all(|name| send.is_before(name)));
        let write: Stop = "write".parse().unwrap();
        assert!(write.is_before(CallName::Write) && !write.is_before(CallName::Send));
        for text in ["send", "recv", "accept", "close", "shutdown"] {
            assert_eq!(text.parse::<Stop>().unwrap().to_string(), text);
        }
        for wrong in ["", "EPIPE", "execve", "exit", "open", "nanosleep"] {
            assert!(wrong.parse::<Stop>().is_err(), "{wrong}");
        }
    }
}
