use super::*;
use crate::tcp::segment::Flags;

mod closing;
mod holes;
mod in_order;
mod listed;
mod opening;
mod properties;
mod resets;

/// Round, different, and one near the wrap, so that mixed-up ends and sign errors show.
const LOCAL: SeqNum = SeqNum::new(10_000);
const REMOTE: SeqNum = SeqNum::new(u32::MAX - 1);

const SYN: Flags = Flags::SYN;
const ACK: Flags = Flags::ACK;
const FIN_ACK: Flags = Flags::FIN.with(Flags::ACK);
const RST: Flags = Flags::RST;
const RST_ACK: Flags = Flags::RST.with(Flags::ACK);
const SYN_ACK: Flags = Flags::SYN.with(Flags::ACK);

fn segment(flags: Flags, seq: SeqNum, ack: SeqNum, len: u32) -> Head {
    Head {
        seq,
        ack,
        flags,
        window: if flags.rst() && !flags.ack() { 0 } else { 64 },
        payload_len: len,
        ..Head::default()
    }
}

/// A segment of this end, `sent` bytes after its SYN, that has received `received` numbers after the peer's.
fn local(flags: Flags, sent: u32, received: u32, len: u32) -> Head {
    segment(flags, LOCAL + sent, REMOTE + received, len)
}

fn remote(flags: Flags, sent: u32, received: u32, len: u32) -> Head {
    segment(flags, REMOTE + sent, LOCAL + received, len)
}

#[track_caller]
fn sends(end: &Endpoint, segment: &Head, to: State, rule: Rule) -> Endpoint {
    check(end, Stimulus::Sends(segment), to, rule)
}

#[track_caller]
fn gets(end: &Endpoint, segment: &Head, to: State, rule: Rule) -> Endpoint {
    check(end, Stimulus::Arrives(segment), to, rule)
}

#[track_caller]
fn check(end: &Endpoint, stimulus: Stimulus<'_>, to: State, rule: Rule) -> Endpoint {
    let step = end.step(stimulus);
    assert_eq!((step.to, step.rule), (to, rule));
    step.after
}

/// An active open as far as its SYN.
fn syn_sent() -> Endpoint {
    sends(&Endpoint::default(), &local(SYN, 0, 0, 0), State::SynSent, Rule::ActiveOpen)
}

/// A passive open that has answered.
fn syn_received() -> Endpoint {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    sends(&end, &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::SynAnswered)
}

/// Opened by this end, whose capture shows more than SYN, FIN and RST.
fn established() -> Endpoint {
    let end = gets(&syn_sent(), &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAckArrives);
    sends(&end, &local(ACK, 1, 1, 0), State::Established, Rule::Sent)
}

/// Opened by this end, in a capture of SYN, FIN and RST alone.
fn established_in_flags_only() -> Endpoint {
    gets(&syn_sent(), &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAckArrives)
}

fn fin_wait_1() -> Endpoint {
    sends(&established(), &local(FIN_ACK, 1, 1, 0), State::FinWait1, Rule::FinSent)
}

fn fin_wait_2() -> Endpoint {
    gets(&fin_wait_1(), &remote(ACK, 1, 2, 0), State::FinWait2, Rule::FinAcknowledged)
}

fn close_wait() -> Endpoint {
    gets(&established(), &remote(FIN_ACK, 1, 1, 0), State::CloseWait, Rule::FinArrives)
}

fn last_ack() -> Endpoint {
    sends(&close_wait(), &local(FIN_ACK, 1, 2, 0), State::LastAck, Rule::FinSentAfterPeers)
}

fn closing() -> Endpoint {
    gets(&fin_wait_1(), &remote(FIN_ACK, 1, 1, 0), State::Closing, Rule::FinsCross)
}

fn time_wait() -> Endpoint {
    gets(&fin_wait_2(), &remote(FIN_ACK, 1, 2, 0), State::TimeWait, Rule::FinArrivesAfterOwn)
}

// The four mistakes of trackers that look at flags alone.

#[test]
fn fin_wait_1_is_not_left_by_an_ack_that_does_not_cover_the_fin() {
    let end = sends(&established(), &local(FIN_ACK, 1, 1, 5), State::FinWait1, Rule::FinSent);
    let end = gets(&end, &remote(ACK, 1, 6, 0), State::FinWait1, Rule::AckArrives);
    gets(&end, &remote(ACK, 1, 7, 0), State::FinWait2, Rule::FinAcknowledged);
}

#[test]
fn fin_wait_1_goes_to_time_wait_by_a_fin_that_acknowledges_the_own_and_else_to_closing() {
    gets(&fin_wait_1(), &remote(FIN_ACK, 1, 2, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
    gets(&fin_wait_1(), &remote(FIN_ACK, 1, 1, 0), State::Closing, Rule::FinsCross);
}

#[test]
fn a_fin_that_does_not_acknowledge_the_peers_shows_that_they_crossed() {
    // The peer's FIN was seen first, and had not come when this one was sent.
    let end = sends(&close_wait(), &local(FIN_ACK, 1, 1, 0), State::Closing, Rule::FinsCross);
    gets(&end, &remote(ACK, 2, 2, 0), State::TimeWait, Rule::FinAcknowledged);
    // One that had been acknowledged before had come, whatever a copy of an older segment says.
    let confirmed = sends(&close_wait(), &local(ACK, 1, 2, 0), State::CloseWait, Rule::Sent);
    sends(&confirmed, &local(FIN_ACK, 1, 1, 0), State::LastAck, Rule::FinSentAfterPeers);
}

#[test]
fn a_reset_whose_number_is_out_of_the_window_changes_nothing() {
    for end in
        [syn_received(), established(), fin_wait_1(), fin_wait_2(), close_wait(), closing(), last_ack(), time_wait()]
    {
        let end = sends(
            &end,
            &local(ACK, 2, end.rcv_nxt.map_or(0, |next| next.relative_to(REMOTE)), 0),
            end.state,
            Rule::Sent,
        );
        for reset in [remote(RST, 1_000_000, 0, 0), remote(RST, 0, 0, 0), remote(RST, 0x8000_0000, 0, 0)] {
            let after = gets(&end, &reset, end.state, Rule::ResetIgnored);
            assert_eq!(after, end);
        }
    }
}

#[test]
fn a_passive_end_becomes_established_by_the_peers_ack_and_not_by_its_own() {
    let end = sends(&syn_received(), &local(ACK, 1, 1, 0), State::SynReceived, Rule::Sent);
    gets(&end, &remote(ACK, 1, 1, 0), State::Established, Rule::SynAcknowledged);
}

// Every rule.

#[test]
fn every_rule_says_something_and_has_a_source() {
    for rule in Rule::ALL {
        assert!(rule.says().ends_with('.') && !rule.says().contains("  "), "{rule:?}: {}", rule.says());
        assert!(!rule.source().is_empty(), "{rule:?}");
    }
}
