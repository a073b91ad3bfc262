//! Resets: obeyed, challenged, ignored, forged.

use super::*;

#[test]
fn an_exact_reset_is_obeyed_in_every_synchronised_state() {
    for end in [established(), fin_wait_1(), fin_wait_2(), close_wait(), closing(), last_ack(), time_wait()] {
        let exact = segment(RST, end.rcv_nxt.unwrap(), LOCAL, 0);
        gets(&end, &exact, State::Closed, Rule::ResetArrives);
    }
}

#[test]
fn a_reset_in_the_window_is_challenged() {
    gets(&established(), &remote(RST, 20, 0, 0), State::Established, Rule::ResetChallenged);
    gets(&established(), &remote(RST, 64, 0, 0), State::Established, Rule::ResetChallenged);
    gets(&established(), &remote(RST, 65, 0, 0), State::Established, Rule::ResetIgnored);
}

#[test]
fn syn_sent_obeys_a_reset_only_with_an_ack_of_its_syn() {
    gets(&syn_sent(), &remote(RST, 0, 1, 0), State::SynSent, Rule::ResetIgnored);
    gets(&syn_sent(), &remote(RST_ACK, 0, 9, 0), State::SynSent, Rule::ResetIgnored);
    gets(&syn_sent(), &remote(RST_ACK, 0, 0, 0), State::SynSent, Rule::ResetIgnored);
    gets(&syn_sent(), &remote(RST_ACK, 0, 1, 0), State::Closed, Rule::Refused);
}

#[test]
fn a_passive_open_is_ended_by_a_reset_and_an_active_one_is_told() {
    gets(&syn_received(), &remote(RST, 1, 0, 0), State::Closed, Rule::ResetEndsPassiveOpen);
    let crossed = gets(&syn_sent(), &remote(SYN, 0, 0, 0), State::SynReceived, Rule::SimultaneousOpen);
    gets(&crossed, &remote(RST_ACK, 1, 1, 0), State::Closed, Rule::ResetArrives);
}

#[test]
fn a_reset_where_nothing_was_answered_yet_has_no_effect() {
    let asked = gets(&Endpoint::default(), &remote(SYN, 0, 0, 0), State::Listen, Rule::SynArrives);
    gets(&asked, &remote(RST, 1, 0, 0), State::Listen, Rule::NoEffect);
    gets(&Endpoint::default(), &remote(RST, 1, 0, 0), State::Closed, Rule::NoEffect);
}

#[test]
fn a_reset_with_the_number_of_the_fin_is_obeyed_after_it() {
    for end in [close_wait(), closing(), last_ack()] {
        gets(&end, &remote(RST, 1, 0, 0), State::Closed, Rule::ResetAtFin);
    }
    gets(&time_wait(), &remote(RST, 1, 0, 0), State::TimeWait, Rule::ResetIgnored);
}

#[test]
fn a_reset_with_the_last_confirmed_number_is_obeyed_where_the_rest_was_sent_again() {
    let end = gets(&established(), &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    gets(&end, &remote(RST, 1, 0, 0), State::Established, Rule::ResetIgnored);
    let end = gets(&end, &remote(ACK, 1, 1, 5), State::Established, Rule::PresumedAnew);
    gets(&end, &remote(RST, 1, 0, 0), State::Closed, Rule::ResetAtConfirmed);
    let end = sends(&end, &local(ACK, 1, 6, 0), State::Established, Rule::Sent);
    gets(&end, &remote(RST, 1, 0, 0), State::Established, Rule::ResetIgnored);
}

// Its own, or in its name.

#[test]
fn a_reset_with_an_ack_is_an_abort_and_a_bare_one_an_answer() {
    sends(&established(), &local(RST_ACK, 1, 1, 0), State::Closed, Rule::Aborts);
    sends(&established(), &Head { window: 0, ..local(RST_ACK, 1, 1, 0) }, State::Closed, Rule::Aborts);
    sends(&fin_wait_2(), &local(RST, 2, 0, 0), State::Closed, Rule::AnswersWithReset);
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
fn an_abort_beyond_what_was_captured_is_presumed_to_be_obeyed() {
    gets(&established(), &remote(RST_ACK, 20, 1, 0), State::Closed, Rule::ResetPresumed);
    gets(&established(), &remote(RST_ACK, 5_000_000, 1, 0), State::Closed, Rule::ResetPresumed);
    // Windows gives its aborts no window.
    gets(&established(), &Head { window: 0, ..remote(RST_ACK, 20, 1, 0) }, State::Closed, Rule::ResetPresumed);
    gets(&established(), &remote(RST, 20, 0, 0), State::Established, Rule::ResetChallenged);
    gets(&established(), &remote(RST_ACK, 0, 1, 0), State::Established, Rule::ResetIgnored);
}

#[test]
fn an_end_that_goes_on_after_a_reset_in_its_name_had_not_sent_it() {
    let forged = sends(&established(), &local(RST_ACK, 9, 1, 0), State::Closed, Rule::Aborts);
    // Nothing new: what was on the way, or was captured late.
    let forged = sends(&forged, &local(ACK, 1, 1, 0), State::Closed, Rule::Sent);
    let forged = sends(&forged, &local(ACK, 1, 1, 8), State::Closed, Rule::Sent);
    let alive = sends(&forged, &local(ACK, 9, 1, 5), State::Established, Rule::StillThere);
    gets(&alive, &remote(ACK, 1, 14, 0), State::Established, Rule::AckArrives);
    // A new ACK is new too, and so is a FIN.
    sends(&forged, &local(ACK, 9, 6, 0), State::Established, Rule::StillThere);
    sends(&forged, &local(FIN_ACK, 9, 1, 0), State::FinWait1, Rule::StillThere);
    // A SYN is another connection's.
    sends(&forged, &local(SYN, 70_000, 0, 0), State::SynSent, Rule::ActiveOpen);
}

#[test]
fn what_the_sender_of_a_forged_reset_kept_back_has_not_arrived() {
    let end = gets(&established(), &remote(ACK, 1, 1, 5), State::Established, Rule::DataArrives);
    let forged = sends(&end, &local(RST, 1, 0, 0), State::Closed, Rule::AnswersWithReset);
    let alive = sends(&forged, &local(ACK, 1, 1, 4), State::Established, Rule::StillThere);
    gets(&alive, &remote(RST, 1, 0, 0), State::Closed, Rule::ResetArrives);
}

#[test]
fn what_returns_is_the_state_before_the_first_reset() {
    let end = sends(&close_wait(), &local(RST_ACK, 1, 2, 0), State::Closed, Rule::Aborts);
    let end = sends(&end, &local(RST_ACK, 1, 2, 0), State::Closed, Rule::Aborts);
    sends(&end, &local(ACK, 1, 2, 5), State::CloseWait, Rule::StillThere);
    sends(&end, &local(FIN_ACK, 1, 2, 0), State::LastAck, Rule::StillThere);
}

#[test]
fn an_end_that_obeyed_a_reset_may_have_had_something_on_the_way() {
    let end = gets(&established(), &remote(RST, 1, 0, 0), State::Closed, Rule::ResetArrives);
    let end = sends(&end, &local(ACK, 1, 1, 500), State::Closed, Rule::Sent);
    // What was sent behind the reset cannot be acknowledged by an end that obeyed it.
    sends(&end, &local(ACK, 501, 6, 0), State::Established, Rule::StillThere);
}

#[test]
fn an_orderly_end_does_not_return() {
    let end = gets(&last_ack(), &remote(ACK, 2, 2, 0), State::Closed, Rule::LastAckArrives);
    sends(&end, &local(ACK, 2, 9, 5), State::Closed, Rule::Sent);
}
