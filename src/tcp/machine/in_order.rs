//! What nearly every segment of an open connection is: the next one.
//!
//! Nothing is to be decided about it, so that all rules can be passed over at once. A property test holds this to what the
//! rules do.

use super::Endpoint;
use super::known::Known;
use crate::tcp::head::Head;
use crate::tcp::state::State;

/// Whether `segment` is the next one from `sender` to `receiver`, both of which are open and have nothing in doubt. Then it has
/// been sent and has arrived, as by [`Endpoint::take`]; else nothing has happened.
#[inline]
pub fn in_order(sender: &mut Endpoint, receiver: &mut Endpoint, segment: &Head) -> bool {
    if !(sender.is_open(Known::SEEN) && receiver.is_open(Known::default()) && follows(sender, receiver, segment)) {
        return false;
    }
    let end = segment.seq + segment.payload_len;
    sender.snd_nxt = end;
    sender.offer(segment);
    sender.confirm(segment.ack);
    receiver.snd_una = receiver.snd_una.max(segment.ack);
    receiver.rcv_nxt = Some(end);
    true
}

/// Whether it begins where the last one ended, at either end, and acknowledges nothing that was not captured.
#[inline]
fn follows(sender: &Endpoint, receiver: &Endpoint, segment: &Head) -> bool {
    let next = Some(segment.seq);
    let acks_what_is_known = segment.ack.is_at_or_before(receiver.snd_nxt)
        && sender.rcv_nxt.is_some_and(|known| segment.ack.is_at_or_before(known));
    let is_new =
        !receiver.confirmed().is_some_and(|confirmed| (segment.seq + segment.payload_len).is_before(confirmed));
    let is_taken = segment.payload_len == 0 || receiver.rcv_wnd > 0;
    segment.is_plain()
        && next == Some(sender.snd_nxt)
        && next == receiver.rcv_nxt
        && acks_what_is_known
        && is_new
        && is_taken
}

impl Endpoint {
    /// Whether it is open, its numbers are known, a FIN of its peer's is not, and the capture holds more than SYN, FIN and RST;
    /// and `also` that.
    #[inline]
    fn is_open(&self, also: Known) -> bool {
        self.state == State::Established
            && self.isn.is_some()
            && self.known.has(Known::PLAIN)
            && self.known.has(also)
            && !self.known.has(Known::PEER_FIN)
    }
}
