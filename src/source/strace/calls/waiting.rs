//! Calls that wait for several sockets: of all descriptors only the TCP sockets are told of, and of what was ready too.

use super::{Meaning, View};
use crate::socket::call::{Arg, Call, CallName, Outcome};
use crate::source::strace::described::{Described, described};
use crate::source::strace::text::{field, inside, items, number, split};

/// A socket and the words for what it was asked for, or is ready for.
type Words = (i32, String);

/// select's three sets: the word here, the argument's place, and the word in the answer.
const SETS: [(&str, usize, &str); 3] = [("READ", 1, "in "), ("WRITE", 2, "out "), ("EXCEPT", 3, "except ")];

impl View<'_> {
    pub(super) fn poll(&self) -> Meaning {
        let one = |text: &str| {
            let fd = described(field(text, "fd")?).filter(|fd| self.holds(*fd))?;
            Some((fd.fd, field(text, "events").unwrap_or("0").to_owned()))
        };
        let asked: Vec<Words> = items(self.text(0)).into_iter().filter_map(one).collect();
        let timeout = if self.record.name == "poll" { self.int(2).unwrap_or(-1) } else { milliseconds(self.text(2)) };
        let mut args: Vec<Arg> = asked.iter().flat_map(behind_descriptor).collect();
        args.push(Arg::Int(timeout));
        let ready = self.ready_of_poll(&asked);
        match asked.as_slice() {
            [] => Meaning::Aside,
            [_] => self.waited(CallName::Poll, args, ready.len(), |(_, words)| vec![Arg::Word(words.clone())], &ready),
            _ => self.waited(CallName::Poll, args, ready.len(), behind_descriptor, &ready),
        }
    }

    fn ready_of_poll(&self, asked: &[Words]) -> Vec<Words> {
        let told = inside(self.told(), '(', ')').map(split).unwrap_or_default();
        let list = told.first().map(|list| items(list)).unwrap_or_default();
        let one = |text: &str| Some((described(field(text, "fd")?)?.fd, field(text, "revents")?.to_owned()));
        list.into_iter().filter_map(one).filter(|(fd, _)| asked.iter().any(|(of, _)| of == fd)).collect()
    }

    pub(super) fn select(&self) -> Meaning {
        let asked = Self::in_sets(|(_, index, _)| inside(self.text(*index), '[', ']'), |one| self.holds(one));
        let told = inside(self.told(), '(', ')').map(split).unwrap_or_default();
        let told_of = |name: &str| told.iter().find_map(|part| inside(part.strip_prefix(name)?, '[', ']'));
        let ready = Self::in_sets(|(.., name)| told_of(name), |one| asked.iter().any(|(of, _)| *of == one.fd));
        // A descriptor counts once for each set that it stands in.
        let count = ready.iter().map(|(_, words)| words.split('|').count()).sum();
        let timeout = Arg::Int(milliseconds(self.text(4)));
        match asked.as_slice() {
            [] => Meaning::Aside,
            [(fd, words)] if words == "READ" => {
                self.waited(CallName::Select, vec![Arg::Int((*fd).into()), timeout], count, |_| Vec::new(), &ready)
            }
            asked => {
                let args = asked.iter().flat_map(behind_descriptor).chain([timeout]).collect();
                self.waited(CallName::Select, args, count, behind_descriptor, &ready)
            }
        }
    }

    /// The descriptors in the sets that `list` finds and `wanted` lets pass, each with the names of its sets.
    fn in_sets<'a>(
        list: impl Fn(&(&str, usize, &str)) -> Option<&'a str>,
        wanted: impl Fn(Described) -> bool,
    ) -> Vec<Words> {
        let mut found: Vec<Words> = Vec::new();
        for set in &SETS {
            let fds = list(set).unwrap_or("").split(' ').filter_map(described).filter(|one| wanted(*one));
            for Described { fd, .. } in fds {
                match found.iter_mut().find(|(known, _)| *known == fd) {
                    Some((_, words)) => *words += &format!("|{}", set.0),
                    None => found.push((fd, set.0.to_owned())),
                }
            }
        }
        found.sort();
        found
    }

    pub(super) fn epoll_ctl(&self) -> Meaning {
        let Some((epoll, fd)) = self.fd(0).zip(self.tcp(2)) else { return Meaning::Aside };
        let mut args = vec![Arg::Int(epoll.fd.into()), self.flags(1), Arg::Int(fd.into())];
        args.extend(field(self.text(3), "events").map(|events| Arg::Word(events.to_owned())));
        self.call(CallName::EpollCtl, args)
    }

    /// An epoll that no TCP socket was put into is none of ours.
    pub(super) fn epoll_wait(&self) -> Meaning {
        let Some(epoll) = self.fd(0) else { return Meaning::Aside };
        if !self.registered.keys().any(|(of, _)| *of == epoll.fd) {
            return Meaning::Aside;
        }
        let by_structure = self.record.name == "epoll_pwait2";
        let timeout = if by_structure { milliseconds(self.text(3)) } else { self.int(3).unwrap_or(-1) };
        let one = |text: &str| {
            let fd = self.registered.get(&(epoll.fd, field(text, "data")?.to_owned()))?;
            Some((*fd, field(text, "events")?.to_owned()))
        };
        let ready: Vec<Words> = items(self.text(1)).into_iter().filter_map(one).collect();
        let args = vec![Arg::Int(epoll.fd.into()), Arg::Int(timeout)];
        self.waited(CallName::EpollWait, args, ready.len(), behind_descriptor, &ready)
    }

    /// The call, and behind how many of its sockets were ready what of each is to be shown.
    fn waited(
        &self,
        name: CallName,
        args: Vec<Arg>,
        count: usize,
        shown: impl Fn(&Words) -> Vec<Arg>,
        ready: &[Words],
    ) -> Meaning {
        let outcome = self.outcome().map(|outcome| {
            if outcome.errno.is_some() || outcome.ret <= 0 {
                return outcome;
            }
            let ret = i64::try_from(count).unwrap_or(0);
            ready.iter().flat_map(shown).fold(Outcome { ret, ..outcome }, Outcome::with)
        });
        Meaning::Call(Call::new(name, args), outcome)
    }
}

fn behind_descriptor((fd, words): &Words) -> Vec<Arg> {
    vec![Arg::Int((*fd).into()), Arg::Word(words.clone())]
}

/// A time limit as a structure, in milliseconds; -1 for none.
fn milliseconds(text: &str) -> i64 {
    let part = |name: &str| field(text, name).and_then(number);
    let Some(seconds) = part("tv_sec") else { return -1 };
    let below = part("tv_nsec").map(|nanos| nanos / 1_000_000).or_else(|| part("tv_usec").map(|micros| micros / 1000));
    seconds.saturating_mul(1000).saturating_add(below.unwrap_or(0))
}
