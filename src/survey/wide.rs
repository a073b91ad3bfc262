//! What few connections have too much of for their record.

use crate::story::side::Both;
use crate::tcp::analysis::Finding;

/// How many findings there are.
pub const FINDINGS: usize = Finding::ALL.len();

/// Counts that outgrew one byte, and a history that outgrew its place.
#[derive(Clone, Debug, Default)]
pub struct Wide {
    /// Of each finding, how many times the byte for it ran over.
    pub findings: Both<[u32; FINDINGS]>,
    /// The same for SYN, SYN-ACK, FIN and RST.
    pub flags: Both<[u32; 4]>,
    /// All of Zeek's history.
    pub history: Option<String>,
}
