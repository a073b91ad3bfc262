//! What a capture lacks, what arrives in another order, and what is taken back.

use super::*;

#[test]
fn data_in_order_moves_rcv_nxt_and_data_again_does_not() {
    let end = gets(&established(), &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    let end = gets(&end, &remote(ACK, 1, 1, 5), State::Established, Rule::PresumedAnew);
    let end = gets(&end, &remote(ACK, 1, 1, 9), State::Established, Rule::DataArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 10));
    let end = sends(&end, &local(ACK, 1, 10, 0), State::Established, Rule::Sent);
    gets(&end, &remote(ACK, 5, 1, 5), State::Established, Rule::Duplicate);
}

#[test]
fn a_segment_from_long_ago_does_not_even_acknowledge() {
    let end = sends(&fin_wait_1(), &local(ACK, 2, 10, 0), State::FinWait1, Rule::Sent);
    gets(&end, &remote(ACK, 1, 2, 5), State::FinWait1, Rule::Duplicate);
    // One that ends at RCV.NXT does.
    gets(&end, &remote(ACK, 5, 2, 5), State::FinWait2, Rule::FinAcknowledged);
}

#[test]
fn what_was_held_out_of_order_is_known_with_the_next_ack() {
    let end = gets(&established(), &remote(ACK, 6, 1, 5), State::Established, Rule::OutOfOrder);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 1));
    let end = gets(&end, &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    let end = sends(&end, &local(ACK, 1, 11, 0), State::Established, Rule::Sent);
    assert_eq!((end.rcv_nxt, end.confirmed()), (Some(REMOTE + 11), Some(REMOTE + 11)));
}

#[test]
fn a_fin_behind_a_hole_waits() {
    let end = gets(&established(), &remote(FIN_ACK, 9, 1, 0), State::Established, Rule::OutOfOrder);
    // The filling segment brings it, and so does an ACK of it; an ACK up to it does not.
    gets(&end, &remote(ACK, 1, 1, 8), State::CloseWait, Rule::FinArrives);
    sends(&end, &local(ACK, 1, 10, 0), State::CloseWait, Rule::FinArrives);
    let up_to_it = sends(&end, &local(ACK, 1, 9, 0), State::Established, Rule::Sent);
    gets(&up_to_it, &remote(ACK, 9, 1, 0), State::Established, Rule::AckArrives);
    sends(&up_to_it, &local(ACK, 1, 10, 0), State::CloseWait, Rule::FinArrives);
}

#[test]
fn an_ack_of_a_fin_that_was_held_moves_every_state() {
    let fin = remote(FIN_ACK, 9, 1, 0);
    let held = |end: &Endpoint| gets(end, &fin, end.state, Rule::OutOfOrder);
    sends(&held(&fin_wait_1()), &local(ACK, 2, 10, 0), State::Closing, Rule::FinsCross);
    sends(&held(&fin_wait_2()), &local(ACK, 2, 10, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
    // Its own FIN in the same segment comes after that.
    sends(&held(&established()), &local(FIN_ACK, 1, 10, 0), State::LastAck, Rule::FinSentAfterPeers);
}

#[test]
fn an_ack_beyond_a_fin_shows_that_it_was_none() {
    let end = gets(&established(), &remote(FIN_ACK, 9, 1, 0), State::Established, Rule::OutOfOrder);
    sends(&end, &local(ACK, 1, 11, 0), State::Established, Rule::Sent);
}

#[test]
fn an_ack_of_what_was_not_seen_shows_that_it_was_sent() {
    let end = gets(&established(), &remote(ACK, 1, 501, 0), State::Established, Rule::AckOfUncaptured);
    assert_eq!((end.snd_una, end.snd_nxt), (LOCAL + 501, LOCAL + 501));
}

// Presumed, confirmed, and taken back.

#[test]
fn a_fin_that_comes_again_unconfirmed_is_presumed_to_have_come_now() {
    for end in [close_wait(), closing(), last_ack(), time_wait()] {
        if end.confirmed() == Some(REMOTE + 2) {
            continue;
        }
        let after = gets(&end, &remote(FIN_ACK, 1, 1, 0), end.state, Rule::PresumedAnew);
        assert_eq!(after.rcv_nxt, Some(REMOTE + 2));
    }
}

#[test]
fn confirmed_is_what_the_end_itself_acknowledged() {
    let end = gets(&established(), &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    assert_eq!((end.rcv_nxt, end.confirmed()), (Some(REMOTE + 6), Some(REMOTE + 1)));
    let end = sends(&end, &local(ACK, 1, 6, 0), State::Established, Rule::Sent);
    assert_eq!(end.confirmed(), Some(REMOTE + 6));
    // An old ACK, captured late, takes nothing back.
    let end = sends(&end, &local(ACK, 1, 3, 0), State::Established, Rule::Sent);
    assert_eq!((end.rcv_nxt, end.confirmed()), (Some(REMOTE + 6), Some(REMOTE + 6)));
}

// Captures of SYN, FIN and RST alone.

#[test]
fn flags_only_a_fin_beyond_what_was_seen_ends_the_direction() {
    let end = gets(&established_in_flags_only(), &remote(FIN_ACK, 9_000, 500, 0), State::CloseWait, Rule::FinArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 9_001));
    let end = sends(&end, &local(FIN_ACK, 500, 9_001, 0), State::LastAck, Rule::FinSentAfterPeers);
    assert_eq!(end.snd_una, LOCAL + 500);
    let first = sends(&established_in_flags_only(), &local(FIN_ACK, 500, 9_000, 0), State::FinWait1, Rule::FinSent);
    gets(&first, &remote(FIN_ACK, 9_400, 501, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
    gets(&first, &remote(FIN_ACK, 9_400, 500, 0), State::Closing, Rule::FinsCross);
}

#[test]
fn flags_only_the_last_ack_of_the_opening_is_not_seen() {
    gets(&syn_received(), &remote(FIN_ACK, 500, 9_000, 0), State::CloseWait, Rule::FinArrives);
}

#[test]
fn flags_only_a_reset_beyond_what_was_seen_ends_the_connection() {
    let end = established_in_flags_only();
    sends(&end, &local(RST, 500, 0, 0), State::Closed, Rule::AnswersWithReset);
    gets(&end, &remote(RST, 9_000, 0, 0), State::Closed, Rule::ResetPresumed);
    gets(&end, &remote(RST_ACK, 9_000, 500, 0), State::Closed, Rule::ResetPresumed);
}

#[test]
fn flags_only_is_refuted_by_the_first_other_segment() {
    let end = established_in_flags_only();
    let by_peer = gets(&end, &remote(RST, 20, 0, 0), State::Closed, Rule::ResetPresumed);
    sends(&by_peer, &local(ACK, 1, 1, 0), State::Established, Rule::StillThere);
    let by_itself = sends(&end, &local(RST, 20, 0, 0), State::Closed, Rule::AnswersWithReset);
    sends(&by_itself, &local(ACK, 1, 1, 0), State::Established, Rule::StillThere);
}
