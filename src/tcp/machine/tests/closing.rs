//! Closing: both orders, at once, in halves, with data, and again.

use super::*;

#[test]
fn closing_is_left_by_the_ack_of_the_own_fin() {
    gets(&closing(), &remote(ACK, 2, 1, 0), State::Closing, Rule::AckArrives);
    gets(&closing(), &remote(ACK, 2, 2, 0), State::TimeWait, Rule::FinAcknowledged);
}

#[test]
fn last_ack_is_left_by_the_ack_of_the_own_fin() {
    gets(&last_ack(), &remote(ACK, 2, 1, 0), State::LastAck, Rule::AckArrives);
    gets(&last_ack(), &remote(ACK, 2, 2, 0), State::Closed, Rule::LastAckArrives);
}

#[test]
fn fin_wait_2_takes_data_and_then_the_fin() {
    let end = gets(&fin_wait_2(), &remote(ACK, 1, 2, 13), State::FinWait2, Rule::DataArrives);
    gets(&end, &remote(FIN_ACK, 14, 2, 0), State::TimeWait, Rule::FinArrivesAfterOwn);
}

#[test]
fn close_wait_goes_on_sending() {
    let end = sends(&close_wait(), &local(ACK, 1, 2, 100), State::CloseWait, Rule::Sent);
    let end = gets(&end, &remote(ACK, 2, 101, 0), State::CloseWait, Rule::AckArrives);
    assert_eq!(end.snd_una, LOCAL + 101);
}

#[test]
fn a_fin_with_data_counts_after_the_data() {
    let end = gets(&established(), &remote(FIN_ACK, 1, 1, 5), State::CloseWait, Rule::FinArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 7));
}

#[test]
fn data_acknowledges_the_fin() {
    let end = gets(&fin_wait_1(), &remote(ACK, 1, 2, 5), State::FinWait2, Rule::FinAcknowledged);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 6));
    gets(&last_ack(), &remote(ACK, 2, 2, 5), State::Closed, Rule::LastAckArrives);
}

#[test]
fn an_ack_beyond_the_own_fin_is_of_nothing() {
    for end in [fin_wait_1(), closing(), last_ack()] {
        gets(&end, &remote(ACK, 2, 3, 0), end.state, Rule::AckUnacceptable);
    }
}

#[test]
fn a_fin_sent_again_changes_nothing_at_its_sender() {
    for end in [fin_wait_1(), last_ack(), closing()] {
        sends(&end, &local(FIN_ACK, 1, 1, 0), end.state, Rule::Sent);
    }
}

#[test]
fn a_fin_that_comes_again_changes_nothing() {
    for end in [close_wait(), closing(), last_ack(), time_wait()] {
        let received = end.rcv_nxt;
        let end = sends(&end, &local(ACK, 2, 2, 0), end.state, Rule::Sent);
        let after = gets(&end, &remote(FIN_ACK, 1, 1, 0), end.state, Rule::Duplicate);
        assert_eq!(after.rcv_nxt, received);
    }
}

#[test]
fn data_behind_the_peers_fin_is_passed_over() {
    for end in [close_wait(), closing(), last_ack(), time_wait()] {
        let after = gets(&end, &remote(ACK, 2, 1, 5), end.state, Rule::AfterFin);
        assert_eq!(after.rcv_nxt, end.rcv_nxt);
        gets(&end, &remote(FIN_ACK, 9, 1, 0), end.state, Rule::AfterFin);
    }
}

#[test]
fn a_syn_in_a_synchronised_state_changes_nothing() {
    for end in [established(), fin_wait_1(), fin_wait_2(), close_wait(), closing(), last_ack(), time_wait()] {
        for syn in [remote(SYN, 0, 0, 0), remote(SYN, 50, 0, 0), remote(SYN_ACK, 1, 2, 0)] {
            assert_eq!(gets(&end, &syn, end.state, Rule::SynChallenged), end);
        }
    }
}

#[test]
fn a_segment_without_ack_is_passed_over() {
    gets(&established(), &remote(Flags::FIN, 1, 0, 5), State::Established, Rule::WithoutAck);
}

#[test]
fn a_closed_window_takes_no_data_but_a_fin() {
    let full = sends(&established(), &Head { window: 0, ..local(ACK, 1, 1, 0) }, State::Established, Rule::Sent);
    let end = gets(&full, &remote(ACK, 1, 1, 1), State::Established, Rule::ZeroWindow);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 1));
    // Linux: tcp_data_queue() takes a bare FIN all the same.
    gets(&full, &remote(FIN_ACK, 1, 1, 0), State::CloseWait, Rule::FinArrives);
}

#[test]
fn fin_wait_2_without_a_reader_answers_new_data_and_nothing_else() {
    let end = fin_wait_2();
    assert!(end.would_reset_without_reader(&remote(ACK, 1, 2, 5)));
    assert!(!end.would_reset_without_reader(&remote(ACK, 1, 2, 0)));
    assert!(!close_wait().would_reset_without_reader(&remote(ACK, 2, 1, 0)));
}
