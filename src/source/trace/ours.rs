//! Which of a host's segments are the traced programs'.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use nix::unistd::Pid;

use super::note::Note;
use crate::socket::call::{Call, CallName, Outcome};
use crate::tcp::segment::Segment;

/// What the programs' calls tell of their connections.
#[derive(Debug, Default)]
pub struct Ours {
    /// Calls in progress that tell it at their end.
    asked: HashMap<Pid, Call>,
    /// The two addresses of each connection that they opened.
    opened: HashSet<(SocketAddr, SocketAddr)>,
    /// Where they listen.
    listening: HashSet<SocketAddr>,
}

impl Ours {
    /// Takes in what the tracer noted.
    pub fn take(&mut self, note: &Note) {
        match note {
            Note::Begun { thread, call, .. } if matches!(call.name, CallName::Connect | CallName::Listen) => {
                self.asked.insert(*thread, call.clone());
            }
            Note::Ended { thread, outcome, .. } => {
                if let Some(call) = self.asked.remove(thread) {
                    self.ended(&call, outcome);
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, call: &Call, outcome: &Outcome) {
        match (call.name, outcome.addr()) {
            (CallName::Connect, Some(local)) => self.opened.extend(call.addr().map(|remote| (local, remote))),
            (CallName::Listen, Some(local)) => drop(self.listening.insert(local)),
            _ => {}
        }
    }

    /// Whether `segment` is of one of their connections, as far as is known by now. One that is being opened has no address
    /// of its own yet: whatever goes where it goes may be its.
    pub fn has(&self, segment: &Segment) -> bool {
        self.is_between(segment.src, segment.dst)
    }

    /// Whether a connection between these two addresses is theirs, as far as is known by now.
    pub fn is_between(&self, src: SocketAddr, dst: SocketAddr) -> bool {
        let listens = |addr: SocketAddr| {
            let any = if addr.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
            [addr.ip(), any].into_iter().any(|ip| self.listening.contains(&SocketAddr::new(ip, addr.port())))
                || (addr.is_ipv4() && self.listening.contains(&SocketAddr::new([0; 16].into(), addr.port())))
        };
        let goes = |addr| self.asked.values().any(|call| call.addr() == Some(addr));
        self.opened.contains(&(src, dst))
            || self.opened.contains(&(dst, src))
            || [src, dst].into_iter().any(|addr| listens(addr) || goes(addr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Decoded, LinkType};
    use crate::event::{Actor, Time};
    use crate::socket::call::Arg;

    /// A segment from 127.0.0.1 port 1 to 127.0.0.1 port 2, or back.
    fn segment(src: u8, dst: u8) -> Segment {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1];
        packet.extend([0, src, 0, dst, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0, 64, 0, 0, 0, 0]);
        let Decoded::Tcp(segment) = decode::decode(LinkType::RAW, &packet, 40) else { unreachable!() };
        segment
    }

    fn note(ours: &mut Ours, call: Call, outcome: Option<Outcome>) {
        let (time, thread, actor) = (Time(0), Pid::from_raw(1), Actor::new("x"));
        ours.take(&Note::Begun { time, thread, actor: actor.clone(), call });
        if let Some(outcome) = outcome {
            ours.take(&Note::Ended { time, thread, actor, outcome });
        }
    }

    #[test]
    fn a_connection_is_known_by_its_addresses_and_before_that_by_where_it_goes() {
        let addr = |port: u16| Arg::Addr(SocketAddr::from(([127, 0, 0, 1], port)));
        let connect = || Call::new(CallName::Connect, vec![Arg::Int(3), addr(2)]);
        let mut ours = Ours::default();
        assert!(!ours.has(&segment(1, 2)));
        note(&mut ours, connect(), None);
        assert!(ours.has(&segment(1, 2)) && ours.has(&segment(7, 2)));
        note(&mut ours, connect(), Some(Outcome::success(0).with(addr(1))));
        assert!(ours.has(&segment(1, 2)) && ours.has(&segment(2, 1)) && !ours.has(&segment(7, 2)));
    }

    #[test]
    fn what_comes_to_a_listener_is_its() {
        let mut ours = Ours::default();
        let everywhere = Arg::Addr(SocketAddr::from(([0; 4], 2)));
        let listen = Call::new(CallName::Listen, vec![Arg::Int(3), Arg::Int(5)]);
        note(&mut ours, listen, Some(Outcome::success(0).with(everywhere)));
        assert!(ours.has(&segment(9, 2)) && ours.has(&segment(2, 9)) && !ours.has(&segment(3, 4)));
    }
}
