use super::*;
use crate::tcp::segment::Flags;

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

fn established() -> Endpoint {
    let end = sends(&Endpoint::default(), &local(SYN, 0, 0, 0), State::SynSent, Rule::ActiveOpen);
    gets(&end, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAckArrives)
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

// The four mistakes of trackers that look at flags alone.

#[test]
fn fin_wait_1_ack_that_does_not_cover_the_fin_stays() {
    let end = sends(&established(), &local(FIN_ACK, 1, 1, 5), State::FinWait1, Rule::FinSent);
    let end = gets(&end, &remote(ACK, 1, 6, 0), State::FinWait1, Rule::AckArrives);
    gets(&end, &remote(ACK, 1, 7, 0), State::FinWait2, Rule::FinAcknowledged);
}

#[test]
fn fin_wait_1_fin_that_covers_the_own_goes_to_time_wait() {
    gets(&fin_wait_1(), &remote(FIN_ACK, 1, 2, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
}

#[test]
fn established_reset_with_a_wrong_number_changes_nothing() {
    gets(&established(), &remote(RST, 1_000_000, 0, 0), State::Established, Rule::ResetIgnored);
    let end = sends(&established(), &local(ACK, 1, 1, 0), State::Established, Rule::Sent);
    gets(&end, &remote(RST, 20, 0, 0), State::Established, Rule::ResetChallenged);
    gets(&end, &remote(RST, 1, 0, 0), State::Closed, Rule::ResetArrives);
}

#[test]
fn syn_received_is_left_by_the_peers_ack_and_not_by_an_own() {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    let end = sends(&end, &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::SynAnswered);
    let end = sends(&end, &local(ACK, 1, 1, 0), State::SynReceived, Rule::Sent);
    gets(&end, &remote(ACK, 1, 1, 0), State::Established, Rule::SynAcknowledged);
}

// Opening.

#[test]
fn syn_sent_reset_that_acknowledges_the_syn_is_a_refusal() {
    let end = sends(&Endpoint::default(), &local(SYN, 0, 0, 0), State::SynSent, Rule::ActiveOpen);
    gets(&end, &remote(RST_ACK, 0, 9, 0), State::SynSent, Rule::ResetIgnored);
    gets(&end, &remote(RST_ACK, 0, 1, 0), State::Closed, Rule::Refused);
}

#[test]
fn syn_sent_syn_is_a_simultaneous_open() {
    let end = sends(&Endpoint::default(), &local(SYN, 0, 0, 0), State::SynSent, Rule::ActiveOpen);
    let end = gets(&end, &remote(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    gets(&end, &remote(ACK, 1, 1, 0), State::Established, Rule::SynAcknowledged);
}

#[test]
fn a_first_segment_that_is_no_syn_is_taken_for_midstream() {
    let end = sends(&Endpoint::default(), &local(ACK, 500, 700, 5), State::Established, Rule::JoinedMidstream);
    assert_eq!(end.snd_nxt, LOCAL + 505);
    let end = gets(&Endpoint::default(), &remote(ACK, 500, 700, 5), State::Established, Rule::JoinedMidstream);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 505));
}

// Closing.

#[test]
fn fin_wait_1_fin_crosses_and_then_the_ack_ends_it() {
    let end = gets(&fin_wait_1(), &remote(FIN_ACK, 1, 1, 0), State::Closing, Rule::FinsCross);
    gets(&end, &remote(ACK, 2, 2, 0), State::TimeWait, Rule::FinAcknowledged);
}

#[test]
fn fin_wait_2_takes_data_and_then_the_fin() {
    let end = gets(&fin_wait_2(), &remote(ACK, 1, 2, 13), State::FinWait2, Rule::DataArrives);
    gets(&end, &remote(FIN_ACK, 14, 2, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
}

#[test]
fn a_fin_behind_a_hole_changes_nothing_yet() {
    gets(&established(), &remote(FIN_ACK, 9, 1, 0), State::Established, Rule::AckArrives);
}

#[test]
fn a_fin_with_data_counts_after_the_data() {
    let end = gets(&established(), &remote(FIN_ACK, 1, 1, 5), State::CloseWait, Rule::FinArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 7));
}

#[test]
fn close_wait_fin_and_its_ack_close() {
    let end = sends(&close_wait(), &local(FIN_ACK, 1, 2, 0), State::LastAck, Rule::FinSentAfterPeers);
    gets(&end, &remote(ACK, 2, 2, 0), State::Closed, Rule::LastAckArrives);
}

#[test]
fn close_wait_reset_at_the_number_after_the_fin_closes() {
    gets(&close_wait(), &remote(RST, 2, 0, 0), State::Closed, Rule::ResetArrives);
}

#[test]
fn a_fin_sent_again_changes_nothing() {
    sends(&fin_wait_1(), &local(FIN_ACK, 1, 1, 0), State::FinWait1, Rule::Sent);
    gets(&close_wait(), &remote(FIN_ACK, 1, 1, 0), State::CloseWait, Rule::AckArrives);
}

// Resets of one's own.

#[test]
fn a_reset_with_a_window_is_an_abort_and_a_bare_one_an_answer() {
    sends(&established(), &local(RST_ACK, 1, 1, 0), State::Closed, Rule::Aborts);
    sends(&fin_wait_2(), &local(RST, 2, 0, 0), State::Closed, Rule::AnswersWithReset);
}

#[test]
fn fin_wait_2_without_a_reader_answers_new_data_and_nothing_else() {
    let end = fin_wait_2();
    assert!(end.would_reset_without_reader(&remote(ACK, 1, 2, 5)));
    assert!(!end.would_reset_without_reader(&remote(ACK, 1, 2, 0)));
    assert!(!close_wait().would_reset_without_reader(&remote(ACK, 2, 1, 0)));
}

#[test]
fn retransmitted_data_does_not_move_rcv_nxt() {
    let end = gets(&established(), &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    let end = gets(&end, &remote(ACK, 1, 1, 5), State::Established, Rule::OutOfOrder);
    let end = gets(&end, &remote(ACK, 1, 1, 9), State::Established, Rule::DataArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 10));
}

#[test]
fn every_rule_has_a_source() {
    for rule in Rule::ALL {
        assert!(!rule.source().is_empty());
    }
}

#[test]
fn a_bare_reset_beyond_what_was_sent_is_not_this_ends_own() {
    let end = established();
    sends(&end, &local(RST, 2, 0, 0), State::Established, Rule::NotItsOwn);
    sends(&end, &local(RST, 1, 0, 0), State::Closed, Rule::AnswersWithReset);
    // An abort carries what the end's own numbers are, whatever of them was captured.
    sends(&end, &local(RST_ACK, 9, 1, 0), State::Closed, Rule::Aborts);
}

#[test]
fn a_syn_sent_after_the_peers_came_makes_a_simultaneous_open() {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    let end = sends(&end, &local(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    gets(&end, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAcknowledged);
}
