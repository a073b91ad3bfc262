//! What the connections that are meant amount to: how many ended in each way, and which are worth looking at.

use std::cmp::Reverse;

use crate::story::side::Side;
use crate::story::verdict::Name;
use crate::survey::Summary;

/// The connections that are meant, by verdict, and the worst of them.
pub struct Tally {
    /// Whether all are worth telling of.
    pub chosen: bool,
    /// How many of the worst are kept.
    top: usize,
    /// How many ended in each way, and how many bytes they lost; those that are copies of others do not count.
    pub counts: Vec<(Name, u64, u64)>,
    /// Connections seen again behind an address translation.
    pub copies: u64,
    /// Segments seen again at another interface.
    pub again: u64,
    /// Connections of which one end was not seen at all.
    pub one_way: u64,
    /// How many are worth looking at.
    pub worth: u64,
    worst: Vec<Worth>,
}

/// What makes one connection worse than another, the worst first: its verdict, then the bytes lost, then its number.
type Worth = (Name, Reverse<u64>, u64);

impl Tally {
    /// Counts nothing yet. Where the connections are `chosen`, all of them are worth telling of; else those that did not end in
    /// order. The `top` worst are kept.
    pub fn new(chosen: bool, top: usize) -> Self {
        let counts = Name::ALL.into_iter().map(|name| (name, 0, 0)).collect();
        Self { chosen, top, counts, copies: 0, again: 0, one_way: 0, worth: 0, worst: Vec::new() }
    }

    /// Takes a connection in.
    pub fn take(&mut self, connection: &Summary<'_>) {
        self.again += u64::from(connection.copies());
        if connection.copy_of().is_some() {
            self.copies += 1;
            return;
        }
        let facts = connection.facts();
        let (name, lost) = (facts.name(), facts.lost.client + facts.lost.server);
        if let Some((_, count, sum)) = self.counts.iter_mut().find(|(known, ..)| *known == name) {
            *count += 1;
            *sum += lost;
        }
        let is_unseen = Side::BOTH.into_iter().any(|side| connection.end(side).packets() == 0);
        self.one_way += u64::from(is_unseen && name != Name::Unanswered);
        let in_order = matches!(name, Name::Closed | Name::ClosedSimultaneously | Name::Open) && lost == 0;
        if self.chosen || !in_order {
            self.worth += 1;
            self.keep([(name, Reverse(lost), connection.id())]);
        }
    }

    /// Takes in what was counted of other connections.
    pub fn append(&mut self, other: Self) {
        for ((_, count, sum), (_, more, lost)) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
            *sum += lost;
        }
        self.copies += other.copies;
        self.again += other.again;
        self.one_way += other.one_way;
        self.worth += other.worth;
        self.keep(other.worst);
    }

    fn keep(&mut self, some: impl IntoIterator<Item = Worth>) {
        self.worst.extend(some);
        // Thinned out now and then, so that neither memory nor time grows with how many there are.
        if self.worst.len() >= 2 * self.top.max(64) {
            self.worst.sort_unstable();
            self.worst.truncate(self.top);
        }
    }

    /// The numbers of the worst.
    pub fn worst(&self) -> Vec<u64> {
        let mut worst = self.worst.clone();
        worst.sort_unstable();
        worst.into_iter().map(|(_, _, id)| id).take(self.top).collect()
    }
}
