//! What is on its way through a link, ordered by the time at which it arrives. Pure: packets and times are handed in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Fate, Link, Side, Which, bystander};
use crate::decode::{self, Decoded, LinkType};
use crate::tcp::segment::Flags;

/// One IP packet.
pub type Packet = Vec<u8>;

/// A link with what is on it. It carries TCP and nothing else: markers and what a kernel says of itself end here.
pub struct Wire {
    delay: Duration,
    /// What befalls which segment, and how many of its kind have passed.
    fates: Vec<(Which, Fate, u32)>,
    /// By arrival, then in the order in which they were sent. The end that it goes to, and the packet.
    under_way: BTreeMap<(Instant, u64), (Side, Packet)>,
    /// What waits for the next one of its direction: where it goes to, and the packet.
    held: Vec<(Side, Packet)>,
    count: u64,
}

impl Wire {
    /// An empty one.
    pub fn new(link: &Link) -> Self {
        let fates = link.fates.iter().map(|(which, fate)| (*which, *fate, 0)).collect();
        Self { delay: link.delay, fates, under_way: BTreeMap::new(), held: Vec::new(), count: 0 }
    }

    /// Takes `packet`, which the end `from` has sent at `now`.
    pub fn take(&mut self, now: Instant, from: Side, packet: Packet) {
        let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
        let Decoded::Tcp(segment) = decode::decode(LinkType::RAW, &packet, length) else { return };
        let to = from.other();
        match self.fate(from, segment.flags) {
            Some(Fate::Lost) => {}
            Some(Fate::Reset) => {
                if let Some(reset) = bystander::reset(&segment) {
                    self.send(now, from, reset);
                }
            }
            Some(Fate::Held) => self.held.push((to, packet)),
            Some(Fate::Repeated) => {
                self.send(now, to, packet.clone());
                self.send(now, to, packet);
            }
            None => self.send(now, to, packet),
        }
    }

    /// The next packet that has arrived by `now`, and where.
    pub fn arrived(&mut self, now: Instant) -> Option<(Side, Packet)> {
        let first = self.under_way.first_entry().filter(|first| first.key().0 <= now)?;
        Some(first.remove())
    }

    /// When the next packet arrives.
    pub fn next(&self) -> Option<Instant> {
        self.under_way.first_key_value().map(|((time, _), _)| *time)
    }

    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.held.is_empty()
    }

    /// What befalls the next segment of `from` with `flags`.
    fn fate(&mut self, from: Side, flags: Flags) -> Option<Fate> {
        let mut fate = None;
        for (which, its, passed) in &mut self.fates {
            if which.from == from && which.flags == flags {
                *passed += 1;
                if *passed == which.number {
                    fate = Some(*its);
                }
            }
        }
        fate
    }

    /// Sends `packet`, and behind it what was held for it.
    fn send(&mut self, now: Instant, to: Side, packet: Packet) {
        let freed: Vec<(Side, Packet)> = self.held.extract_if(.., |(other, _)| *other == to).collect();
        for (to, packet) in std::iter::once((to, packet)).chain(freed) {
            self.count += 1;
            self.under_way.insert((now + self.delay, self.count), (to, packet));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A TCP segment with these flags and this port of its sender, and nothing in it.
    fn packet(flags: u8, port: u8) -> Packet {
        let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([0, port, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 0, 64, 0, 0, 0, 0]);
        packet
    }

    const FIN_ACK: u8 = 0x11;
    const ACK: u8 = 0x10;

    fn wire(fates: &[(&str, Fate)]) -> Wire {
        let fates = fates.iter().map(|(which, fate)| (which.parse().unwrap(), *fate)).collect();
        Wire::new(&Link { delay: Duration::from_millis(20), fates, side: Side::Client })
    }

    /// The ports of what the server gets.
    fn arrivals(wire: &mut Wire, now: Instant) -> Vec<u8> {
        std::iter::from_fn(|| wire.arrived(now))
            .map(|(side, packet)| (side, packet[21]))
            .map(|(side, port)| {
                assert_eq!(side, Side::Server);
                port
            })
            .collect()
    }

    #[test]
    fn a_packet_arrives_after_the_delay_and_not_before() {
        let (mut wire, now) = (wire(&[]), Instant::now());
        wire.take(now, Side::Client, packet(ACK, 1));
        assert_eq!((wire.next(), wire.is_empty()), (Some(now + Duration::from_millis(20)), false));
        assert_eq!(arrivals(&mut wire, now + Duration::from_millis(19)), [0; 0]);
        assert_eq!(arrivals(&mut wire, now + Duration::from_millis(20)), [1]);
        assert!(wire.is_empty());
    }

    #[test]
    fn what_is_lost_held_or_repeated_is_counted_by_its_flags() {
        let now = Instant::now();
        let all = |wire: &mut Wire| {
            for (flags, port) in [(FIN_ACK, 1), (ACK, 2), (FIN_ACK, 3), (ACK, 4)] {
                wire.take(now, Side::Client, packet(flags, port));
            }
            arrivals(wire, now + Duration::from_secs(1))
        };
        assert_eq!(all(&mut wire(&[("C > S  F.  2", Fate::Lost)])), [1, 2, 4]);
        assert_eq!(all(&mut wire(&[("C > S  F.  1", Fate::Held)])), [2, 1, 3, 4]);
        assert_eq!(all(&mut wire(&[("C > S  .  1", Fate::Repeated)])), [1, 2, 2, 3, 4]);
        assert_eq!(all(&mut wire(&[("S > C  F.  1", Fate::Lost)])), [1, 2, 3, 4]);
    }

    #[test]
    fn what_a_bystander_resets_does_not_arrive_and_its_sender_gets_the_reset() {
        let (mut wire, now) = (wire(&[("C > S  .  1", Fate::Reset)]), Instant::now());
        wire.take(now, Side::Client, packet(ACK, 1));
        let (side, reset) = wire.arrived(now + Duration::from_secs(1)).unwrap();
        assert_eq!((side, reset[23], reset[33]), (Side::Client, 1, 0x04));
        assert!(wire.is_empty());
    }

    #[test]
    fn what_waits_for_another_is_under_way() {
        let (mut wire, now) = (wire(&[("C > S  .  1", Fate::Held)]), Instant::now());
        wire.take(now, Side::Client, packet(ACK, 1));
        assert_eq!((wire.next(), wire.is_empty()), (None, false));
        wire.take(now, Side::Server, packet(ACK, 2));
        assert_eq!(wire.arrived(now + Duration::from_secs(1)).unwrap().0, Side::Client);
        assert!(!wire.is_empty());
    }

    #[test]
    fn what_is_not_tcp_ends_here() {
        let (mut wire, now) = (wire(&[]), Instant::now());
        let mut datagram = packet(ACK, 1);
        datagram[9] = 17;
        wire.take(now, Side::Client, datagram);
        assert!(wire.is_empty());
    }
}
