//! What Wireshark and Zeek would say of a connection, which is asked for only sometimes.

use super::Sighting;
use super::open::Open;
use super::record::Record;
use crate::story::side::Side;
use crate::tcp::analysis::Analysis;
use crate::tcp::zeek::Zeek;

/// Both, while the connection goes on.
#[derive(Clone, Debug, Default)]
pub struct Opinions {
    analysis: Analysis,
    zeek: Zeek,
}

/// The bound that a survey keeps for each connection that goes on, in bytes.
const _: () = assert!(size_of::<Open>() + size_of::<Opinions>() <= 512);

impl Opinions {
    /// Of a connection of which nothing is known yet, in the place of one that is not needed any more.
    pub fn renew(&mut self, reuses_ports: bool) {
        self.analysis.renew(reuses_ports);
        self.zeek = Zeek::default();
    }

    /// Takes the next segment in, which `side` sent.
    #[inline]
    pub fn take(&mut self, record: &mut Record, sighting: &Sighting, side: Side) {
        let (head, sack) = (&sighting.glance.head, sighting.glance.sack.as_deref());
        let found = self.analysis.observe(head, sack, side == Side::Client, sighting.time.0);
        record.found(found, side);
        record.add_to_history(self.zeek.take(head, side == Side::Client));
    }

    /// Takes down in `record` what they say.
    pub fn close(&self, record: &mut Record) {
        record.completeness = self.analysis.completeness();
        record.zeek(&self.zeek);
    }
}
