//! The option list of a TCP header (RFC 9293 §3.2): every option, known or not, in its order.

use crate::tcp::segment::TcpOption;
use crate::tcp::seq::SeqNum;

/// Reads an option list, and whether it ended in the middle of an option (or in one whose length is impossible). What follows
/// an end-of-list option is padding and is passed over.
pub fn options(mut list: &[u8]) -> (Vec<TcpOption>, bool) {
    let mut options = Vec::new();
    while let Some((&kind, rest)) = list.split_first() {
        match kind {
            0 => {
                options.push(TcpOption::EndOfList);
                return (options, false);
            }
            1 => {
                options.push(TcpOption::Nop);
                list = rest;
            }
            _ => {
                let Some((data, behind)) = body(rest) else { return (options, true) };
                options.push(option(kind, data));
                list = behind;
            }
        }
    }
    (options, false)
}

/// The bytes between an option's length and the next option, and what comes from there on. The length counts kind and itself.
pub fn body(from_length: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = from_length.split_first()?;
    rest.split_at_checked(usize::from(length).checked_sub(2)?)
}

fn option(kind: u8, data: &[u8]) -> TcpOption {
    match (kind, data) {
        (2, &[high, low]) => TcpOption::MaximumSegmentSize(u16::from_be_bytes([high, low])),
        (3, &[shift]) => TcpOption::WindowScale(shift),
        (4, []) => TcpOption::SackPermitted,
        (5, edges) if edges.len() % 8 == 0 => TcpOption::Sack(
            edges.as_chunks::<8>().0.iter().map(|edge| (number(edge, 0), number(edge, 4))).map(seq_pair).collect(),
        ),
        (8, data) if data.len() == 8 => TcpOption::Timestamps { val: number(data, 0), ecr: number(data, 4) },
        _ => TcpOption::Other { kind, data: data.to_vec() },
    }
}

fn number(data: &[u8], at: usize) -> u32 {
    data.iter().skip(at).take(4).fold(0, |number, &byte| number << 8 | u32::from(byte))
}

const fn seq_pair((left, right): (u32, u32)) -> (SeqNum, SeqNum) {
    (SeqNum::new(left), SeqNum::new(right))
}
