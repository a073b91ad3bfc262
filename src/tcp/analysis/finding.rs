//! The names that Wireshark gives a segment.

/// One of Wireshark's `tcp.analysis.*` flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// One byte sent into a closed window.
    ZeroWindowProbe,
    /// The sender takes no more data.
    ZeroWindow,
    /// Segments before it were not captured.
    LostSegment,
    /// It begins at the last number that was sent, with at most one byte.
    KeepAlive,
    /// An acknowledgement that changes nothing but the window.
    WindowUpdate,
    /// Its data reaches the end of the peer's window.
    WindowFull,
    /// The answer to a keep-alive.
    KeepAliveAck,
    /// The answer to a zero-window probe.
    ZeroWindowProbeAck,
    /// It repeats the previous acknowledgement.
    DuplicateAck,
    /// It acknowledges what was not captured.
    AckLostSegment,
    /// It repeats data that was acknowledged.
    SpuriousRetransmission,
    /// It repeats data soon after duplicate acknowledgements asked for it.
    FastRetransmission,
    /// It was overtaken on its way.
    OutOfOrder,
    /// It repeats what was sent before.
    Retransmission,
    /// Its addresses and ports were those of another connection.
    ReusedPorts,
    /// A SYN with a Fast Open cookie.
    FastOpenSyn,
    /// A SYN-ACK that acknowledges a SYN's data.
    FastOpenAck,
    /// A SYN-ACK that leaves a SYN's data out.
    FastOpenIgnored,
}

impl Finding {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::ZeroWindowProbe,
        Self::ZeroWindow,
        Self::LostSegment,
        Self::KeepAlive,
        Self::WindowUpdate,
        Self::WindowFull,
        Self::KeepAliveAck,
        Self::ZeroWindowProbeAck,
        Self::DuplicateAck,
        Self::AckLostSegment,
        Self::SpuriousRetransmission,
        Self::FastRetransmission,
        Self::OutOfOrder,
        Self::Retransmission,
        Self::ReusedPorts,
        Self::FastOpenSyn,
        Self::FastOpenAck,
        Self::FastOpenIgnored,
    ];

    /// Wireshark's field without `tcp.analysis.` before it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZeroWindowProbe => "zero_window_probe",
            Self::ZeroWindow => "zero_window",
            Self::LostSegment => "lost_segment",
            Self::KeepAlive => "keep_alive",
            Self::WindowUpdate => "window_update",
            Self::WindowFull => "window_full",
            Self::KeepAliveAck => "keep_alive_ack",
            Self::ZeroWindowProbeAck => "zero_window_probe_ack",
            Self::DuplicateAck => "duplicate_ack",
            Self::AckLostSegment => "ack_lost_segment",
            Self::SpuriousRetransmission => "spurious_retransmission",
            Self::FastRetransmission => "fast_retransmission",
            Self::OutOfOrder => "out_of_order",
            Self::Retransmission => "retransmission",
            Self::ReusedPorts => "reused_ports",
            Self::FastOpenSyn => "tfo_syn",
            Self::FastOpenAck => "tfo_ack",
            Self::FastOpenIgnored => "tfo_ignored",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What Wireshark finds of one segment: none, one or several of its flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings(u32);

impl Findings {
    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `finding` is among them.
    pub const fn has(self, finding: Finding) -> bool {
        self.0 & finding.bit() != 0
    }

    /// Each of them, in the order of [`Finding::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Finding> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let finding = Finding::ALL.get(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(*finding)
        })
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self(finding.bit())
    }
}
