//! The states of RFC 9293 §3.3.2, spelled as there.

use std::fmt;
use std::str::FromStr;

/// The state of one endpoint of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// No connection at all (here: before anything was seen, or after the end).
    #[default]
    Closed,
    /// Waiting for a connection request from any peer.
    Listen,
    /// A SYN was sent, nothing came back yet.
    SynSent,
    /// A SYN was received and answered; the answer is not acknowledged yet.
    SynReceived,
    /// Open: data goes both ways.
    Established,
    /// This end sent its FIN, which is not acknowledged yet.
    FinWait1,
    /// This end's FIN is acknowledged, the peer may still send.
    FinWait2,
    /// The peer's FIN came; this end may still send.
    CloseWait,
    /// Both FINs crossed; this end's is not acknowledged yet.
    Closing,
    /// The peer ended first; this end's FIN is not acknowledged yet.
    LastAck,
    /// Both directions ended; old segments are allowed to die.
    TimeWait,
}

impl State {
    /// Every state, in the order of RFC 9293.
    pub const ALL: [Self; 11] = [
        Self::Listen,
        Self::SynSent,
        Self::SynReceived,
        Self::Established,
        Self::FinWait1,
        Self::FinWait2,
        Self::CloseWait,
        Self::Closing,
        Self::LastAck,
        Self::TimeWait,
        Self::Closed,
    ];

    /// The name as RFC 9293 prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "CLOSED",
            Self::Listen => "LISTEN",
            Self::SynSent => "SYN-SENT",
            Self::SynReceived => "SYN-RECEIVED",
            Self::Established => "ESTABLISHED",
            Self::FinWait1 => "FIN-WAIT-1",
            Self::FinWait2 => "FIN-WAIT-2",
            Self::CloseWait => "CLOSE-WAIT",
            Self::Closing => "CLOSING",
            Self::LastAck => "LAST-ACK",
            Self::TimeWait => "TIME-WAIT",
        }
    }

    /// Whether the state passes by itself, so that waiting for it to pass makes sense. TIME-WAIT and FIN-WAIT-2 end by a
    /// timer of a minute and are not meant.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::SynSent | Self::SynReceived | Self::FinWait1 | Self::Closing | Self::LastAck)
    }

    /// Whether the endpoint has sent its FIN.
    pub const fn has_sent_fin(self) -> bool {
        matches!(self, Self::FinWait1 | Self::FinWait2 | Self::Closing | Self::LastAck | Self::TimeWait)
    }

    /// Whether the peer's FIN has arrived.
    pub const fn has_received_fin(self) -> bool {
        matches!(self, Self::CloseWait | Self::Closing | Self::LastAck | Self::TimeWait)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| format!("no TCP state is called {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for state in State::ALL {
            assert_eq!(state.name().parse(), Ok(state));
        }
        assert!("CLOSE_WAIT".parse::<State>().is_err());
    }
}
