//! A link of our own between the two actors, as a scenario's file has it: how long a segment takes, and which one is lost,
//! comes twice, comes late, or is answered with a reset that its receiver did not send.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::event::Actor;
use crate::tcp::segment::Flags;

mod bystander;
pub mod carrier;
pub mod joined;
mod wire;

/// The longest way there, in milliseconds: the lab waits after each call until all has arrived.
const LONGEST: u32 = 1000;

/// How long a kernel waits for the answer to its first SYN (RFC 6298, rule 2.1). All other segments are repeated sooner.
const FIRST_TIME_OUT: Duration = Duration::from_secs(1);

/// An end of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The actor `client`.
    Client,
    /// Every other actor.
    Server,
}

impl Side {
    /// The end that `actor` is at.
    pub fn of(actor: &Actor) -> Self {
        if actor.name() == "client" { Self::Client } else { Self::Server }
    }

    /// The other end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// Its address.
    pub const fn address(self) -> Ipv4Addr {
        match self {
            Self::Client => Ipv4Addr::new(10, 0, 0, 1),
            Self::Server => Ipv4Addr::new(10, 0, 0, 2),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "client" => Ok(Self::Client),
            "server" => Ok(Self::Server),
            _ => Err(format!("a link is captured at the client or the server, not {text:?}")),
        }
    }
}

/// One segment of those that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Whose.
    pub from: Side,
    /// Its flags, all of them.
    pub flags: Flags,
    /// The how manieth of those with these flags, from 1.
    pub number: u32,
}

impl FromStr for Which {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let form = || format!("a segment of the link is written as in \"S > C  F.  1\", not {text:?}");
        let [from, ">", to, flags, number] = words[..] else { return Err(form()) };
        let from = match (from, to) {
            ("C", "S") => Side::Client,
            ("S", "C") => Side::Server,
            _ => return Err(form()),
        };
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
        let flags = flags.parse::<Flags>()?;
        let exclude_each_other = [flags.syn(), flags.fin(), flags.rst()].iter().filter(|set| **set).count() > 1;
        if exclude_each_other || !(flags.ack() || flags.syn() || flags.rst()) {
            return Err(format!("no socket sends a segment with the flags {flags}"));
        }
        Ok(Self { from, flags, number })
    }
}

/// What befalls a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives twice.
    Repeated,
    /// The next one of its direction arrives before it.
    Held,
    /// It never arrives, and a reset in its receiver's name answers it.
    Reset,
}

/// A link of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a packet takes, either way.
    pub delay: Duration,
    /// What befalls which.
    pub fates: Vec<(Which, Fate)>,
    /// Where it is captured.
    pub side: Side,
}

impl Link {
    /// How much longer than without it a call's consequences may take: two round trips, and where something is lost, the time
    /// after which a kernel repeats it.
    pub fn patience(&self) -> Duration {
        let loses = self.fates.iter().any(|(_, fate)| *fate == Fate::Lost);
        self.delay * 4 + if loses { FIRST_TIME_OUT } else { Duration::ZERO }
    }

    /// In words, for the fact `network` of a run, behind those of the first network.
    pub fn description(&self) -> String {
        let mut text = format!("a link to a second one, {} ms each way", self.delay.as_millis());
        for (which, fate) in &self.fates {
            let Which { from, flags, number } = which;
            let fate = match fate {
                Fate::Lost => "lost",
                Fate::Repeated => "repeated",
                Fate::Held => "held back",
                Fate::Reset => "reset by a bystander",
            };
            text += &format!(", {fate}: {flags} {number} of the {from}");
        }
        text
    }
}

/// The keys of a link in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    delay: Option<Spanned<u32>>,
    #[serde(default)]
    lose: Vec<Spanned<String>>,
    #[serde(default)]
    repeat: Vec<Spanned<String>>,
    #[serde(default)]
    hold: Vec<Spanned<String>>,
    #[serde(default)]
    reset: Vec<Spanned<String>>,
    side: Option<Spanned<String>>,
}

impl Keys {
    /// What they mean. The error says at which byte of the file something is wrong, and what.
    pub fn link(&self) -> Result<Link, (usize, String)> {
        let delay = self.delay.as_ref().map_or(0, |delay| *delay.get_ref());
        if let Some(long) = self.delay.as_ref().filter(|delay| *delay.get_ref() > LONGEST) {
            return Err((long.span().start, format!("a link's delay is at most {LONGEST} milliseconds")));
        }
        let mut fates: Vec<(Which, Fate)> = Vec::new();
        let lists = [
            (&self.lose, Fate::Lost),
            (&self.repeat, Fate::Repeated),
            (&self.hold, Fate::Held),
            (&self.reset, Fate::Reset),
        ];
        for (list, fate) in lists {
            for text in list {
                let which: Which = spanned(text)?;
                if fate == Fate::Reset && which.flags.rst() {
                    return Err((text.span().start, "a reset is never answered with a reset".to_owned()));
                }
                if fates.iter().any(|(other, _)| *other == which) {
                    return Err((text.span().start, "something else befalls this segment already".to_owned()));
                }
                fates.push((which, fate));
            }
        }
        let side = self.side.as_ref().map_or(Ok(Side::Client), spanned)?;
        Ok(Link { delay: Duration::from_millis(delay.into()), fates, side })
    }
}

/// What `text` means; the error says where it stands and what is wrong.
pub fn spanned<T: FromStr<Err = String>>(text: &Spanned<String>) -> Result<T, (usize, String)> {
    text.get_ref().parse().map_err(|message| (text.span().start, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_named_by_its_direction_its_flags_and_its_number() {
        let which: Which = "S > C  F.  2".parse().unwrap();
        assert_eq!(which, Which { from: Side::Server, flags: Flags::FIN.with(Flags::ACK), number: 2 });
        for wrong in [
            "",
            "S > C F.",
            "S > S F. 1",
            "C2 > S2 F. 1",
            "S > C F. 0",
            "S > C F. 1 2",
            "S > C Q 1",
            "S > C F 1",
            "C > S SF. 1",
        ] {
            assert!(wrong.parse::<Which>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn losses_ask_for_the_time_of_a_repetition() {
        let which = "C > S  S  1".parse().unwrap();
        let link = |fate| Link { delay: Duration::from_millis(20), fates: vec![(which, fate)], side: Side::Client };
        assert_eq!(link(Fate::Held).patience(), Duration::from_millis(80));
        assert_eq!(link(Fate::Lost).patience(), Duration::from_millis(1080));
        assert!(link(Fate::Lost).description() == "a link to a second one, 20 ms each way, lost: S 1 of the client");
    }
}
