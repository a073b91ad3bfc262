//! Which of a host's segments are the traced programs'.

use std::collections::HashMap;
use std::net::SocketAddr;

use nix::unistd::Pid;

use super::note::Note;
use crate::event::{Holding, Time};
use crate::socket::call::{Call, CallName, Outcome};
use crate::tcp::segment::Segment;
use crate::tcp::state::State;

/// What the programs' calls tell of their connections.
#[derive(Debug, Default)]
pub struct Ours {
    /// Calls in progress that tell it at their end, and when they began.
    asked: HashMap<Pid, (Time, Call)>,
    /// The two addresses of each of their connections, and from when on it is theirs.
    opened: HashMap<(SocketAddr, SocketAddr), Time>,
    /// When each of those was found that are not of a call that was seen.
    found: Vec<((SocketAddr, SocketAddr), Time)>,
    /// Where they listen, and since when as far as is known.
    listening: HashMap<SocketAddr, Time>,
}

impl Ours {
    /// Takes in what the tracer noted.
    pub fn take(&mut self, note: &Note) {
        match note {
            Note::Begun { time, thread, call, .. } if matches!(call.name, CallName::Connect | CallName::Listen) => {
                self.asked.insert(*thread, (*time, call.clone()));
            }
            Note::Ended { thread, outcome, .. } => {
                if let Some((_, call)) = self.asked.remove(thread) {
                    self.ended(&call, outcome);
                }
            }
            Note::Holds { time, holding, .. } => self.held(*time, holding),
            Note::Attached(_) => self.attached(),
            _ => {}
        }
    }

    /// What went before is not of the story: whose calls it came of nobody knows, and what of it had arrived the kernel has
    /// told.
    fn held(&mut self, time: Time, holding: &Holding) {
        let Some(local) = holding.local else { return };
        match holding.remote {
            Some(remote) if self.since(local, remote).is_none() => {
                let since = self.listens_since(local).unwrap_or(time);
                self.opened.insert((local, remote), since);
                self.found.push(((local, remote), time));
            }
            None if holding.state == State::Listen => drop(self.listening.entry(local).or_insert(time)),
            _ => {}
        }
    }

    /// What was found so far was there before its listener was found too.
    fn attached(&mut self) {
        self.opened.extend(self.found.drain(..));
    }

    /// From when on the connection between these is theirs.
    fn since(&self, one: SocketAddr, other: SocketAddr) -> Option<Time> {
        self.opened.get(&(one, other)).or_else(|| self.opened.get(&(other, one))).copied()
    }

    /// Since when what comes to `addr` comes to a listener of theirs.
    fn listens_since(&self, addr: SocketAddr) -> Option<Time> {
        let any = if addr.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        // A listener of IPv6 may take what comes by IPv4.
        let six = addr.is_ipv4().then_some([0; 16].into());
        let places = [addr.ip(), any].into_iter().chain(six);
        places.filter_map(|ip| self.listening.get(&SocketAddr::new(ip, addr.port()))).min().copied()
    }

    fn ended(&mut self, call: &Call, outcome: &Outcome) {
        match (call.name, outcome.addr()) {
            (CallName::Connect, Some(local)) => {
                self.opened.extend(call.addr().map(|remote| ((local, remote), Time(i64::MIN))));
            }
            (CallName::Listen, Some(local)) => drop(self.listening.insert(local, Time(i64::MIN))),
            _ => {}
        }
    }

    /// Whether `segment`, seen at `time`, is of one of their connections, as far as is known by now. One that is being
    /// opened has no address of its own yet: whatever goes where it goes may be its.
    pub fn has(&self, time: Time, segment: &Segment) -> bool {
        self.is_between(time, segment.src, segment.dst)
    }

    /// Whether a connection between these two addresses is theirs at `time`, as far as is known by now.
    pub fn is_between(&self, time: Time, src: SocketAddr, dst: SocketAddr) -> bool {
        if let Some(since) = self.since(src, dst) {
            return time >= since;
        }
        let listens = |addr| self.listens_since(addr).is_some_and(|since| time >= since);
        let goes = |addr| self.asked.values().any(|(begun, call)| time >= *begun && call.addr() == Some(addr));
        [src, dst].into_iter().any(|addr| listens(addr) || goes(addr))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{self, Decoded, LinkType};
    use crate::event::Actor;
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
        assert!(!ours.has(Time(5), &segment(1, 2)));
        note(&mut ours, connect(), None);
        assert!(ours.has(Time(5), &segment(1, 2)) && ours.has(Time(5), &segment(7, 2)));
        assert!(!ours.has(Time(-1), &segment(7, 2)));
        note(&mut ours, connect(), Some(Outcome::success(0).with(addr(1))));
        assert!(
            ours.has(Time(5), &segment(1, 2))
                && ours.has(Time(5), &segment(2, 1))
                && !ours.has(Time(5), &segment(7, 2))
        );
    }

    #[test]
    fn what_comes_to_a_listener_is_its() {
        let mut ours = Ours::default();
        let everywhere = Arg::Addr(SocketAddr::from(([0; 4], 2)));
        let listen = Call::new(CallName::Listen, vec![Arg::Int(3), Arg::Int(5)]);
        note(&mut ours, listen, Some(Outcome::success(0).with(everywhere)));
        assert!(
            ours.has(Time(5), &segment(9, 2))
                && ours.has(Time(5), &segment(2, 9))
                && !ours.has(Time(5), &segment(3, 4))
        );
    }

    #[test]
    fn of_a_connection_that_was_there_before_only_what_came_later_is_theirs() {
        let addr = |port: u16| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let holding = Holding {
            fd: crate::socket::call::Fd(4),
            local: addr(2),
            remote: addr(1),
            state: State::Established,
            unread: 0,
            unacknowledged: 0,
            nonblocking: false,
            linger_zero: false,
        };
        let mut ours = Ours::default();
        ours.take(&Note::Holds { time: Time(5), actor: Actor::new("x"), holding });
        assert!(ours.has(Time(5), &segment(1, 2)) && ours.has(Time(6), &segment(2, 1)));
        assert!(!ours.has(Time(4), &segment(1, 2)) && !ours.has(Time(5), &segment(1, 3)));
        // It is no later theirs because another process turns out to hold it too.
        ours.take(&Note::Holds { time: Time(9), actor: Actor::new("y"), holding });
        assert!(ours.has(Time(5), &segment(1, 2)));
        ours.take(&Note::Holds {
            time: Time(9),
            actor: Actor::new("y"),
            holding: Holding { remote: None, state: State::Listen, ..holding },
        });
        assert!(ours.has(Time(9), &segment(2, 7)) && !ours.has(Time(8), &segment(2, 7)));
        // What is accepted there was theirs before.
        ours.take(&Note::Holds {
            time: Time(20),
            actor: Actor::new("x"),
            holding: Holding { remote: addr(8), ..holding },
        });
        assert!(ours.has(Time(10), &segment(8, 2)) && !ours.has(Time(8), &segment(8, 2)));
        // Unless the process is only just attached to, and has had it all along.
        ours.take(&Note::Attached(Pid::from_raw(1)));
        assert!(ours.has(Time(20), &segment(8, 2)) && !ours.has(Time(10), &segment(8, 2)));
    }
}
