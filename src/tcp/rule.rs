//! Why a state changed, or did not: every rule with its source, once.

/// Defines the rules, so that each is written down once: its name, what it says, and where that is written.
macro_rules! rules {
    ($($(#[doc = $says:literal])+ $name:ident = $source:expr;)+) => {
        /// What made an endpoint change its state, or keep it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Rule {
            $($(#[doc = $says])+ $name,)+
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Where the rule is written: a section of an RFC, or a function of the Linux kernel where Linux goes its own way.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$name => $source),+ }
            }

            /// What the rule says.
            pub const fn says(self) -> &'static str {
                let lines = match self { $(Self::$name => concat!($($says),+)),+ };
                lines.trim_ascii()
            }
        }
    };
}

/// Several rules are one paragraph.
const ACK: &str = "RFC 9293 §3.10.7.4, fifth: the ACK field";
const FIN: &str = "RFC 9293 §3.10.7.4, eighth: the FIN bit";
const TEXT: &str = "RFC 9293 §3.10.7.4, seventh: the segment text";

rules! {
    /// A SYN was sent: an active open.
    ActiveOpen = "RFC 9293 §3.10.1";
    /// A SYN came to where somebody may listen.
    SynArrives = "RFC 9293 §3.10.7.2, third: the SYN bit";
    /// A SYN was answered with SYN and ACK.
    SynAnswered = "RFC 9293 §3.10.7.2, third: the SYN bit";
    /// Both ends sent a SYN before either had the other's, or the server answered the SYN with one that acknowledges
    /// nothing.
    SimultaneousOpen = "RFC 9293 §3.10.7.3, fourth: the SYN bit";
    /// The SYN was answered with one that acknowledges it, and perhaps some of the data that it carried.
    SynAckArrives = "RFC 9293 §3.10.7.3, fourth: the SYN bit";
    /// The own SYN is acknowledged.
    SynAcknowledged = ACK;
    /// It sends what only an open connection sends, or acknowledges more than the peer's SYN: what opened it was not
    /// captured.
    OpenConfirmed = "no rule: what opened it was not captured";
    /// The first segment seen is not a SYN, or the answer to the SYN is missing: the connection is taken for open.
    JoinedMidstream = "no rule: the beginning was not captured";
    /// A FIN was sent from an open connection.
    FinSent = "RFC 9293 §3.10.4";
    /// A FIN was sent after the peer's.
    FinSentAfterPeers = "RFC 9293 §3.10.4";
    /// The own FIN is acknowledged.
    FinAcknowledged = ACK;
    /// The last acknowledgement of a connection that the peer ended first.
    LastAckArrives = ACK;
    /// The peer's FIN came.
    FinArrives = FIN;
    /// The peer's FIN came before the own was acknowledged.
    FinsCross = FIN;
    /// The peer's FIN came after the own was acknowledged.
    FinArrivesAfterOwn = FIN;
    /// A reset came with exactly the expected sequence number.
    ResetArrives = "RFC 9293 §3.10.7.4, second: the RST bit; RFC 5961 §3.2";
    /// A reset came before the opening that the peer had asked for was complete: no program learns of it, and whoever
    /// listened still does.
    ResetEndsPassiveOpen = "RFC 9293 §3.10.7.4, second: the RST bit, SYN-RECEIVED; Linux: tcp_check_req()";
    /// A reset came with the number of the peer's FIN, one before the expected: Linux obeys it, since macOS sends such.
    ResetAtFin = "Linux: tcp_reset_check()";
    /// A reset came with the number that this end acknowledged last, while what was sent after that was sent again: it
    /// had not arrived, and the number is the expected one.
    ResetAtConfirmed = "RFC 5961 §3.2, after taking back what was presumed to have arrived";
    /// A reset came whose number lies beyond what was captured: if frames are missing it is exact, and it is taken for
    /// that. A forged one looks the same; an end that goes on shows it.
    ResetPresumed = "RFC 5961 §3.2, with numbers that were not captured";
    /// A reset answered the own SYN.
    Refused = "RFC 9293 §3.10.7.3, second: the RST bit";
    /// A reset came in the window but not at the expected number: it is answered with an ACK, and changes nothing.
    ResetChallenged = "RFC 5961 §3.2";
    /// A reset came outside the window, or answers nothing that was sent, and changes nothing.
    ResetIgnored = "RFC 9293 §3.5.3";
    /// This end gave the connection up with a reset of its own.
    Aborts = "RFC 9293 §3.10.5; RFC 2525 §2.17";
    /// No program could take what came, so the kernel answered with a reset.
    AnswersWithReset = "Linux: tcp_timewait_state_process(), tcp_rcv_state_process()";
    /// While opening, an ACK of something that was never sent is answered with a reset of that number, and the opening
    /// goes on.
    RejectsAck = "RFC 9293 §3.10.7.3, first; §3.10.7.4, fifth: SYN-RECEIVED";
    /// A bare reset bears a number that this end has not reached, so it answers nothing that was sent to it: somebody
    /// else sent it in its name, or segments were not captured. It says nothing of this end.
    NotItsOwn = "RFC 9293 §3.10.7.1: a reset takes its number from the ACK field of what it answers";
    /// A bare reset came in the name of an end that, as its calls show, is open and takes what is answered: somebody else
    /// sent it. It says nothing of this end.
    SentByAnother = "Linux: tcp_rcv_established() answers nothing with a bare reset";
    /// An end that a reset had closed goes on with new numbers: the reset was another's, or was not obeyed. What it
    /// ended returns.
    StillThere = "no rule: a reset in its name was taken for true";
    /// A SYN came again, or to an open connection: it is answered with an ACK (in SYN-RECEIVED with the SYN and ACK
    /// again) and changes nothing.
    SynChallenged = "RFC 5961 §4.2";
    /// The segment acknowledges what was never sent: while opening it is answered with a reset, else with an ACK, and
    /// passed over.
    AckUnacceptable = "RFC 9293 §3.10.7.3, first; §3.10.7.4, fifth: the ACK field";
    /// It acknowledges what was not seen being sent: that was not captured.
    AckOfUncaptured = "no rule: what it acknowledges was not captured";
    /// A segment without ACK, SYN and RST is passed over.
    WithoutAck = "RFC 9293 §3.10.7.4, fifth: the ACK bit is off";
    /// Data came in order.
    DataArrives = TEXT;
    /// Data or a FIN came that leaves a hole before it.
    OutOfOrder = TEXT;
    /// It had come before, and this end had acknowledged it.
    Duplicate = "RFC 9293 §3.10.7.4, first: the sequence number";
    /// It comes again before this end has acknowledged it: the first copy may have been lost, and this one is presumed
    /// to arrive in its place.
    PresumedAnew = "no rule: what was sent is presumed to arrive";
    /// Data came while the window was closed: it is not taken.
    ZeroWindow = "RFC 9293 §3.10.7.4, first: the sequence number; §3.8.6.1";
    /// Something came behind the peer's FIN and is passed over.
    AfterFin = "RFC 9293 §3.10.7.4, seventh: this should not occur";
    /// An acknowledgement came that tells nothing new about the state.
    AckArrives = ACK;
    /// A filter on the socket drops every segment before TCP sees it: it did not arrive.
    Filtered = "Linux: sk_filter_trim_cap(); socket(7), SO_ATTACH_FILTER";
    /// The kernel had given the connection up after a time without an answer, as a call says. Where it did not probe, it
    /// told its peer nothing.
    TimesOut = "RFC 9293 §3.10.8; Linux: tcp_write_err()";
    /// It was closed while its SYN was unanswered: nothing is sent.
    ClosedUnanswered = "RFC 9293 §3.10.4, SYN-SENT";
    /// It was closed in repair mode, and is gone without a segment, as after a crash of its host.
    Vanishes = "Linux: __tcp_close(), TCP_REPAIR";
    /// Something was sent that does not change the own state.
    Sent = "RFC 9293 §3.10.2";
    /// Something came that this state takes no notice of.
    NoEffect = "RFC 9293 §3.10.7.1, §3.10.7.2";
}

impl Rule {
    /// Whether a reset that came was obeyed.
    pub const fn is_reset_obeyed(self) -> bool {
        matches!(
            self,
            Self::ResetArrives
                | Self::ResetEndsPassiveOpen
                | Self::ResetAtFin
                | Self::ResetAtConfirmed
                | Self::ResetPresumed
                | Self::Refused
        )
    }

    /// Whether no segment shows it: only calls tell.
    pub const fn is_told_by_calls(self) -> bool {
        matches!(self, Self::Filtered | Self::TimesOut | Self::ClosedUnanswered | Self::Vanishes | Self::SentByAnother)
    }

    /// Whether the peer's FIN was taken in.
    pub const fn takes_fin(self) -> bool {
        matches!(self, Self::FinArrives | Self::FinsCross | Self::FinArrivesAfterOwn)
    }
}
