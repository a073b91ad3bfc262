//! Why a state changed, or did not: every rule with its source, once.

/// What made an endpoint change its state, or keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// A SYN was sent: an active open.
    ActiveOpen,
    /// A SYN came to where somebody may listen.
    SynArrives,
    /// A SYN was answered with SYN and ACK.
    SynAnswered,
    /// Both ends sent a SYN before either had the other's.
    SimultaneousOpen,
    /// The SYN was answered with one that acknowledges it.
    SynAckArrives,
    /// The own SYN is acknowledged.
    SynAcknowledged,
    /// A FIN was sent from an open connection.
    FinSent,
    /// A FIN was sent after the peer's.
    FinSentAfterPeers,
    /// The own FIN is acknowledged.
    FinAcknowledged,
    /// The last acknowledgement of a connection that the peer ended first.
    LastAckArrives,
    /// The peer's FIN came.
    FinArrives,
    /// The peer's FIN came before the own was acknowledged.
    FinsCross,
    /// The peer's FIN came after the own was acknowledged.
    FinArrivesAfterOwn,
    /// A reset came with exactly the expected sequence number.
    ResetArrives,
    /// A reset answered the own SYN.
    Refused,
    /// A reset came in the window but not at the expected number: it is answered with an ACK, and changes nothing.
    ResetChallenged,
    /// A reset came outside the window and changes nothing.
    ResetIgnored,
    /// This end gave the connection up with a reset of its own.
    Aborts,
    /// No program could take what came, so the kernel answered with a reset.
    AnswersWithReset,
    /// A bare reset bears a number that this end has not reached, so it answers nothing that was sent to it: somebody else sent
    /// it in its name, or segments were not captured. It says nothing of this end.
    NotItsOwn,
    /// The first segment seen is not a SYN: the connection is taken for open.
    JoinedMidstream,
    /// Data came in order.
    DataArrives,
    /// Data came that leaves a hole before it, or that was there already.
    OutOfOrder,
    /// An acknowledgement came that tells nothing new about the state.
    AckArrives,
    /// Something was sent that does not change the own state.
    Sent,
    /// Something came that this state takes no notice of.
    NoEffect,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 26] = [
        Self::ActiveOpen,
        Self::SynArrives,
        Self::SynAnswered,
        Self::SimultaneousOpen,
        Self::SynAckArrives,
        Self::SynAcknowledged,
        Self::FinSent,
        Self::FinSentAfterPeers,
        Self::FinAcknowledged,
        Self::LastAckArrives,
        Self::FinArrives,
        Self::FinsCross,
        Self::FinArrivesAfterOwn,
        Self::ResetArrives,
        Self::Refused,
        Self::ResetChallenged,
        Self::ResetIgnored,
        Self::Aborts,
        Self::AnswersWithReset,
        Self::NotItsOwn,
        Self::JoinedMidstream,
        Self::DataArrives,
        Self::OutOfOrder,
        Self::AckArrives,
        Self::Sent,
        Self::NoEffect,
    ];

    /// Where the rule is written: a section of an RFC, or a function of the Linux kernel where Linux goes its own way.
    pub const fn source(self) -> &'static str {
        match self {
            Self::ActiveOpen => "RFC 9293 §3.10.1",
            Self::SynArrives | Self::SynAnswered => "RFC 9293 §3.10.7.2",
            Self::SimultaneousOpen | Self::SynAckArrives | Self::Refused => "RFC 9293 §3.10.7.3",
            Self::SynAcknowledged | Self::FinAcknowledged | Self::LastAckArrives | Self::AckArrives => {
                "RFC 9293 §3.10.7.4, fifth: the ACK field"
            }
            Self::FinSent | Self::FinSentAfterPeers => "RFC 9293 §3.10.4",
            Self::FinArrives | Self::FinsCross | Self::FinArrivesAfterOwn => "RFC 9293 §3.10.7.4, eighth: the FIN bit",
            Self::ResetArrives => "RFC 9293 §3.10.7.4, second: the RST bit",
            Self::ResetChallenged | Self::ResetIgnored => "RFC 5961 §3.2",
            Self::Aborts => "RFC 9293 §3.10.5; RFC 2525 §2.17",
            Self::AnswersWithReset => "Linux: tcp_timewait_state_process(), tcp_rcv_state_process()",
            Self::NotItsOwn => "RFC 9293 §3.10.7.1: a reset takes its number from the ACK field of what it answers",
            Self::JoinedMidstream => "no rule: the beginning was not captured",
            Self::DataArrives | Self::OutOfOrder => "RFC 9293 §3.10.7.4, seventh: the segment text",
            Self::Sent => "RFC 9293 §3.10.2",
            Self::NoEffect => "RFC 9293 §3.10.7.4, first: the sequence number",
        }
    }
}
