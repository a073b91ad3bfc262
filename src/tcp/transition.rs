//! Every change of state that the machine can make, as a list: an edge of the diagram a line.
//!
//! A test holds it to the machine, and `docs/state-machine.md` is printed from it.

use super::rule::Rule;
use super::state::State;

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// Whether it comes of what the endpoint sends; else it comes of what arrives.
    pub is_sent: bool,
    /// What it sends, or what arrives, in words.
    pub stimulus: &'static str,
    /// The state after.
    pub to: State,
    /// Why.
    pub rule: Rule,
}

const fn sends(from: State, stimulus: &'static str, to: State, rule: Rule) -> Transition {
    Transition { from, is_sent: true, stimulus, to, rule }
}

const fn gets(from: State, stimulus: &'static str, to: State, rule: Rule) -> Transition {
    Transition { from, is_sent: false, stimulus, to, rule }
}

const EXACT: &str = "a reset with exactly the expected number";
const AT_FIN: &str = "a reset with the number of the peer's FIN";
const AT_CONFIRMED: &str = "a reset with the number acknowledged last, while what follows was sent again";
const BEYOND: &str = "a reset beyond what was captured";
const ABORT: &str = "a reset with ACK and a window";
const BARE: &str = "any other reset";
const HELD: &str = "an ACK of a FIN that waited behind a hole";
const HELD_AND_FIN: &str = "a FIN with an ACK of the peer's FIN, which waited behind a hole";
const NEW: &str = "new numbers after a reset";
const ACK_OF_FIN: &str = "an ACK of the own FIN";
const FIN_IN_ORDER: &str = "a FIN in order";

/// Every one, by the state before. Timers have no line: an observer sees none of them, so that TIME-WAIT lasts until its ports
/// are used again.
pub const ALL: &[Transition] = &[
    sends(State::Closed, "a SYN", State::SynSent, Rule::ActiveOpen),
    sends(State::Closed, "a SYN with ACK", State::SynReceived, Rule::SynAnswered),
    sends(State::Closed, "anything else first", State::Established, Rule::JoinedMidstream),
    sends(State::Closed, "a FIN first", State::FinWait1, Rule::FinSent),
    gets(State::Closed, "a SYN", State::Listen, Rule::SynArrives),
    gets(State::Closed, "anything else first", State::Established, Rule::JoinedMidstream),
    gets(State::Closed, "a FIN first", State::CloseWait, Rule::JoinedMidstream),
    sends(State::Closed, NEW, State::SynReceived, Rule::StillThere),
    sends(State::Closed, NEW, State::Established, Rule::StillThere),
    sends(State::Closed, NEW, State::FinWait1, Rule::StillThere),
    sends(State::Closed, NEW, State::FinWait2, Rule::StillThere),
    sends(State::Closed, NEW, State::CloseWait, Rule::StillThere),
    sends(State::Closed, NEW, State::Closing, Rule::StillThere),
    sends(State::Closed, NEW, State::LastAck, Rule::StillThere),
    sends(State::Closed, NEW, State::TimeWait, Rule::StillThere),
    sends(State::Listen, "a SYN with ACK", State::SynReceived, Rule::SynAnswered),
    sends(State::Listen, "a SYN", State::SynReceived, Rule::SimultaneousOpen),
    sends(State::Listen, "more than an ACK of the SYN", State::Established, Rule::JoinedMidstream),
    sends(State::Listen, "a FIN", State::FinWait1, Rule::FinSent),
    gets(State::Listen, "an ACK", State::Established, Rule::JoinedMidstream),
    gets(State::Listen, "a FIN with ACK", State::CloseWait, Rule::JoinedMidstream),
    sends(State::Listen, ABORT, State::Closed, Rule::Aborts),
    sends(State::Listen, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::SynSent, "a SYN with an ACK of the own", State::Established, Rule::SynAckArrives),
    gets(State::SynSent, "a SYN", State::SynReceived, Rule::SimultaneousOpen),
    gets(State::SynSent, "a reset with an ACK of the SYN", State::Closed, Rule::Refused),
    sends(State::SynSent, "a SYN with ACK", State::SynReceived, Rule::SimultaneousOpen),
    sends(State::SynSent, "anything else", State::Established, Rule::OpenConfirmed),
    sends(State::SynSent, "a FIN", State::FinWait1, Rule::FinSent),
    sends(State::SynSent, "an ACK of a FIN that came before the SYN was seen", State::CloseWait, Rule::FinArrives),
    sends(State::SynSent, "a FIN with such an ACK", State::LastAck, Rule::FinSentAfterPeers),
    sends(State::SynSent, ABORT, State::Closed, Rule::Aborts),
    sends(State::SynSent, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::SynReceived, "an ACK of the own SYN", State::Established, Rule::SynAcknowledged),
    gets(State::SynReceived, "a FIN with an ACK of the own SYN", State::CloseWait, Rule::FinArrives),
    gets(
        State::SynReceived,
        "a reset with exactly the expected number, after an active open",
        State::Closed,
        Rule::ResetArrives,
    ),
    gets(
        State::SynReceived,
        "a reset with exactly the expected number, after a passive open",
        State::Closed,
        Rule::ResetEndsPassiveOpen,
    ),
    gets(State::SynReceived, BEYOND, State::Closed, Rule::ResetPresumed),
    sends(State::SynReceived, "an ACK of more than the SYN", State::Established, Rule::OpenConfirmed),
    sends(State::SynReceived, "a FIN", State::FinWait1, Rule::FinSent),
    sends(State::SynReceived, HELD, State::CloseWait, Rule::FinArrives),
    sends(State::SynReceived, HELD_AND_FIN, State::LastAck, Rule::FinSentAfterPeers),
    sends(State::SynReceived, ABORT, State::Closed, Rule::Aborts),
    sends(State::SynReceived, BARE, State::Closed, Rule::AnswersWithReset),
    sends(State::Established, "a FIN", State::FinWait1, Rule::FinSent),
    gets(State::Established, FIN_IN_ORDER, State::CloseWait, Rule::FinArrives),
    sends(State::Established, HELD, State::CloseWait, Rule::FinArrives),
    sends(State::Established, HELD_AND_FIN, State::LastAck, Rule::FinSentAfterPeers),
    gets(State::Established, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::Established, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    gets(State::Established, BEYOND, State::Closed, Rule::ResetPresumed),
    sends(State::Established, ABORT, State::Closed, Rule::Aborts),
    sends(State::Established, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::FinWait1, ACK_OF_FIN, State::FinWait2, Rule::FinAcknowledged),
    gets(State::FinWait1, FIN_IN_ORDER, State::Closing, Rule::FinsCross),
    gets(State::FinWait1, "a FIN in order with an ACK of the own", State::TimeWait, Rule::FinArrivesAfterOwn),
    sends(State::FinWait1, HELD, State::Closing, Rule::FinsCross),
    gets(State::FinWait1, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::FinWait1, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    gets(State::FinWait1, BEYOND, State::Closed, Rule::ResetPresumed),
    sends(State::FinWait1, ABORT, State::Closed, Rule::Aborts),
    sends(State::FinWait1, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::FinWait2, FIN_IN_ORDER, State::TimeWait, Rule::FinArrivesAfterOwn),
    sends(State::FinWait2, HELD, State::TimeWait, Rule::FinArrivesAfterOwn),
    gets(State::FinWait2, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::FinWait2, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    gets(State::FinWait2, BEYOND, State::Closed, Rule::ResetPresumed),
    sends(State::FinWait2, ABORT, State::Closed, Rule::Aborts),
    sends(State::FinWait2, BARE, State::Closed, Rule::AnswersWithReset),
    sends(State::CloseWait, "a FIN", State::LastAck, Rule::FinSentAfterPeers),
    sends(State::CloseWait, "a FIN without an ACK of the peer's", State::Closing, Rule::FinsCross),
    gets(State::CloseWait, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::CloseWait, AT_FIN, State::Closed, Rule::ResetAtFin),
    gets(State::CloseWait, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    sends(State::CloseWait, ABORT, State::Closed, Rule::Aborts),
    sends(State::CloseWait, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::Closing, ACK_OF_FIN, State::TimeWait, Rule::FinAcknowledged),
    gets(State::Closing, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::Closing, AT_FIN, State::Closed, Rule::ResetAtFin),
    gets(State::Closing, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    sends(State::Closing, ABORT, State::Closed, Rule::Aborts),
    sends(State::Closing, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::LastAck, ACK_OF_FIN, State::Closed, Rule::LastAckArrives),
    gets(State::LastAck, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::LastAck, AT_FIN, State::Closed, Rule::ResetAtFin),
    gets(State::LastAck, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    sends(State::LastAck, ABORT, State::Closed, Rule::Aborts),
    sends(State::LastAck, BARE, State::Closed, Rule::AnswersWithReset),
    gets(State::TimeWait, EXACT, State::Closed, Rule::ResetArrives),
    gets(State::TimeWait, AT_CONFIRMED, State::Closed, Rule::ResetAtConfirmed),
    sends(State::TimeWait, ABORT, State::Closed, Rule::Aborts),
    sends(State::TimeWait, BARE, State::Closed, Rule::AnswersWithReset),
];
