//! Opening: both ways, at once, in halves, with data, and unseen.

use super::*;

#[test]
fn syn_sent_takes_only_a_syn_ack_that_acknowledges_its_syn() {
    for ack in [0, 2, 9, 0x8000_0000] {
        let end = gets(&syn_sent(), &remote(SYN_ACK, 0, ack, 0), State::SynSent, Rule::AckUnacceptable);
        assert!(end.would_reset_without_reader(&remote(SYN_ACK, 0, ack, 0)));
    }
    gets(&syn_sent(), &remote(ACK, 1, 1, 0), State::SynSent, Rule::NoEffect);
    let end = gets(&syn_sent(), &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAckArrives);
    assert_eq!((end.rcv_nxt, end.snd_una), (Some(REMOTE + 1), LOCAL + 1));
}

#[test]
fn syn_sent_rejects_the_ack_of_an_old_connection_and_stays() {
    // RFC 9293 §3.5.1, figure 9: the peer still holds an old connection.
    let end = gets(&syn_sent(), &remote(ACK, 700, 90_000, 0), State::SynSent, Rule::AckUnacceptable);
    let end = sends(&end, &local(RST, 90_000, 0, 0), State::SynSent, Rule::RejectsAck);
    // A reset of a number that it has reached answers a SYN-ACK: nobody opens any more.
    sends(&end, &local(RST, 1, 0, 0), State::Closed, Rule::AnswersWithReset);
}

#[test]
fn syn_received_takes_only_an_ack_of_its_syn() {
    for ack in [0, 2, 0x8000_0000] {
        let end = gets(&syn_received(), &remote(ACK, 1, ack, 0), State::SynReceived, Rule::AckUnacceptable);
        assert!(end.would_reset_without_reader(&remote(ACK, 1, ack, 0)));
        sends(&end, &local(RST, ack, 0, 0), State::SynReceived, Rule::RejectsAck);
    }
    gets(&syn_received(), &remote(Flags::PSH, 1, 0, 3), State::SynReceived, Rule::WithoutAck);
    gets(&syn_received(), &remote(SYN, 0, 0, 0), State::SynReceived, Rule::SynChallenged);
    let end = gets(&syn_received(), &remote(ACK, 1, 1, 5), State::Established, Rule::SynAcknowledged);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 6));
}

#[test]
fn syn_received_and_the_peers_fin_with_the_ack() {
    let end = gets(&syn_received(), &remote(FIN_ACK, 1, 1, 5), State::CloseWait, Rule::FinArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 7));
}

#[test]
fn syn_received_may_send_its_fin() {
    let end = sends(&syn_received(), &local(FIN_ACK, 1, 1, 0), State::FinWait1, Rule::FinSent);
    gets(&end, &remote(ACK, 1, 2, 0), State::FinWait2, Rule::FinAcknowledged);
}

#[test]
fn a_syn_ack_sent_again_changes_nothing() {
    sends(&syn_received(), &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::Sent);
    sends(&syn_sent(), &local(SYN, 0, 0, 0), State::SynSent, Rule::Sent);
    let open = established();
    let again = gets(&open, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynChallenged);
    assert_eq!(again, open);
}

// At once, and in halves.

#[test]
fn a_simultaneous_open_makes_both_ends_syn_received_and_then_established() {
    let end = gets(&syn_sent(), &remote(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    let end = sends(&end, &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::Sent);
    gets(&end, &remote(ACK, 1, 1, 0), State::Established, Rule::SynAcknowledged);
    gets(&end, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAcknowledged);
    gets(&end, &remote(SYN_ACK, 0, 0, 0), State::SynReceived, Rule::AckUnacceptable);
}

#[test]
fn a_syn_sent_after_the_peers_came_makes_a_simultaneous_open() {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    let end = sends(&end, &local(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    gets(&end, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAcknowledged);
}

#[test]
fn a_split_handshake_opens_both_ends() {
    let server = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    // Its ACK bears any number; its SYN's own counts.
    let server = sends(&server, &local(ACK, 77, 1, 0), State::Listen, Rule::Sent);
    let server = sends(&server, &local(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    let server = gets(&server, &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::SynAcknowledged);
    assert_eq!((server.isn, server.snd_nxt), (Some(LOCAL), LOCAL + 1));

    let client = gets(&syn_sent(), &remote(ACK, 77, 1, 0), State::SynSent, Rule::NoEffect);
    let client = gets(&client, &remote(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    let client = sends(&client, &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::Sent);
    gets(&client, &remote(ACK, 1, 1, 0), State::Established, Rule::SynAcknowledged);
}

#[test]
fn a_socket_that_is_connected_with_itself_opens_and_closes() {
    let own = |flags, sent, received, len| segment(flags, LOCAL + sent, LOCAL + received, len);
    let mut end = Endpoint::default();
    let segments = [
        (own(SYN, 0, 0, 0), State::SynReceived),
        (own(SYN_ACK, 0, 1, 0), State::Established),
        (own(ACK, 1, 1, 0), State::Established),
        (own(ACK, 1, 1, 2), State::Established),
        (own(ACK, 3, 3, 0), State::Established),
        (own(FIN_ACK, 3, 3, 0), State::Closing),
        (own(ACK, 4, 4, 0), State::TimeWait),
    ];
    for (segment, state) in segments {
        end = end.step(Stimulus::Sends(&segment)).after;
        end = end.step(Stimulus::Arrives(&segment)).after;
        assert_eq!(end.state, state, "{segment:?}");
    }
}

// Fast Open (RFC 7413).

fn syn_with_data() -> Endpoint {
    sends(&Endpoint::default(), &local(SYN, 0, 0, 5), State::SynSent, Rule::ActiveOpen)
}

#[test]
fn fast_open_the_client_takes_any_ack_from_its_syn_to_the_end_of_its_data() {
    for ack in 1..=6 {
        let end = gets(&syn_with_data(), &remote(SYN_ACK, 0, ack, 0), State::Established, Rule::SynAckArrives);
        assert_eq!((end.snd_una, end.snd_nxt), (LOCAL + ack, LOCAL + 6));
    }
    gets(&syn_with_data(), &remote(SYN_ACK, 0, 0, 0), State::SynSent, Rule::AckUnacceptable);
    gets(&syn_with_data(), &remote(SYN_ACK, 0, 7, 0), State::SynSent, Rule::AckUnacceptable);
}

#[test]
fn fast_open_the_servers_answer_says_what_it_took() {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 5), State::Listen, Rule::SynArrives);
    let took = sends(&end, &local(SYN_ACK, 0, 6, 0), State::SynReceived, Rule::SynAnswered);
    assert_eq!((took.rcv_nxt, took.confirmed()), (Some(REMOTE + 6), Some(REMOTE + 6)));
    let refused = sends(&end, &local(SYN_ACK, 0, 1, 0), State::SynReceived, Rule::SynAnswered);
    assert_eq!(refused.rcv_nxt, Some(REMOTE + 1));
    let again = gets(&refused, &remote(ACK, 1, 1, 5), State::Established, Rule::SynAcknowledged);
    assert_eq!(again.rcv_nxt, Some(REMOTE + 6));
}

#[test]
fn fast_open_the_server_may_send_before_its_syn_is_acknowledged() {
    let end = gets(&Endpoint::default(), &remote(SYN, 0, 0, 5), State::Listen, Rule::SynArrives);
    let end = sends(&end, &local(SYN_ACK, 0, 6, 0), State::SynReceived, Rule::SynAnswered);
    let end = sends(&end, &local(ACK, 1, 6, 100), State::SynReceived, Rule::Sent);
    gets(&end, &remote(ACK, 6, 101, 0), State::Established, Rule::SynAcknowledged);
}

#[test]
fn fast_open_a_refusal_acknowledges_the_syn_or_its_data_too() {
    for ack in 1..=6 {
        gets(&syn_with_data(), &remote(RST_ACK, 0, ack, 0), State::Closed, Rule::Refused);
    }
    gets(&syn_with_data(), &remote(RST_ACK, 0, 7, 0), State::SynSent, Rule::ResetIgnored);
}

#[test]
fn data_on_a_syn_ack_arrives_with_it() {
    let end = gets(&syn_sent(), &remote(SYN_ACK, 0, 1, 9), State::Established, Rule::SynAckArrives);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 10));
}

// Unseen.

#[test]
fn a_first_segment_that_is_no_syn_is_taken_for_midstream() {
    let end = sends(&Endpoint::default(), &local(ACK, 500, 700, 5), State::Established, Rule::JoinedMidstream);
    assert_eq!(end.snd_nxt, LOCAL + 505);
    let end = gets(&Endpoint::default(), &remote(ACK, 500, 700, 5), State::Established, Rule::JoinedMidstream);
    assert_eq!((end.rcv_nxt, end.snd_nxt), (Some(REMOTE + 505), LOCAL + 700));
    gets(&Endpoint::default(), &remote(FIN_ACK, 500, 700, 5), State::CloseWait, Rule::JoinedMidstream);
    sends(&Endpoint::default(), &local(FIN_ACK, 500, 700, 5), State::FinWait1, Rule::FinSent);
}

#[test]
fn a_first_segment_that_is_a_syn_ack_shows_that_a_syn_was_sent() {
    let end = gets(&Endpoint::default(), &remote(SYN_ACK, 0, 1, 0), State::Established, Rule::JoinedMidstream);
    assert_eq!((end.isn, end.rcv_nxt), (Some(LOCAL), Some(REMOTE + 1)));
}

#[test]
fn an_answer_that_was_not_captured_shows_in_what_both_ends_send_next() {
    let asked = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    let end = gets(&asked, &remote(ACK, 1, 1, 0), State::Established, Rule::JoinedMidstream);
    assert_eq!((end.isn, end.rcv_nxt), (Some(LOCAL), Some(REMOTE + 1)));
    sends(&asked, &local(ACK, 1, 1, 5), State::Established, Rule::JoinedMidstream);
    sends(&asked, &local(FIN_ACK, 1, 1, 0), State::FinWait1, Rule::FinSent);
    sends(&syn_sent(), &local(ACK, 1, 1, 0), State::Established, Rule::OpenConfirmed);
}

#[test]
fn syn_received_acknowledges_data_so_that_its_own_syn_was_acknowledged() {
    let end = sends(&syn_received(), &local(ACK, 1, 6, 0), State::Established, Rule::OpenConfirmed);
    assert_eq!(end.rcv_nxt, Some(REMOTE + 6));
}

#[test]
fn a_closed_end_opens_anew_with_new_numbers() {
    let closed = gets(&last_ack(), &remote(ACK, 2, 2, 0), State::Closed, Rule::LastAckArrives);
    let end = sends(&closed, &local(SYN, 90_000, 0, 0), State::SynSent, Rule::ActiveOpen);
    assert_eq!((end.isn, end.fin(), end.rcv_nxt, end.confirmed()), (Some(LOCAL + 90_000), None, None, None));
}
