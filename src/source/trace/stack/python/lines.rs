//! The table from instructions to lines that a code object has since 3.11 (`co_linetable`, `Objects/locations.md`).

/// The line of the instruction `at` (in code units of 2 bytes) of a function that begins in the line `first`; `None` where
/// the table has none for it or cannot be read.
pub fn line(table: &[u8], first: i64, at: u64) -> Option<u32> {
    let (mut bytes, mut line, mut behind) = (table.iter().copied(), first, 0_u64);
    while let Some(head) = bytes.next() {
        if head & 0x80 == 0 {
            return None;
        }
        behind += u64::from(head & 7) + 1;
        let kind = head >> 3 & 15;
        let known = match kind {
            0..=9 => skip(&mut bytes, 1)?,
            10..=12 => {
                line = line.checked_add(i64::from(kind - 10))?;
                skip(&mut bytes, 2)?
            }
            13 => {
                line = line.checked_add(signed(&mut bytes)?)?;
                true
            }
            14 => {
                line = line.checked_add(signed(&mut bytes)?)?;
                (0..3).try_for_each(|_| number(&mut bytes).map(drop))?;
                true
            }
            _ => false,
        };
        if at < behind {
            return if known { u32::try_from(line).ok().filter(|line| *line > 0) } else { None };
        }
    }
    None
}

fn skip(bytes: &mut impl Iterator<Item = u8>, count: usize) -> Option<bool> {
    bytes.nth(count - 1).map(|_| true)
}

/// Six bits a byte, the lowest first; the seventh says that there are more.
fn number(bytes: &mut impl Iterator<Item = u8>) -> Option<u64> {
    let mut whole = 0;
    for shift in (0..60).step_by(6) {
        let byte = bytes.next()?;
        whole |= u64::from(byte & 63) << shift;
        if byte & 64 == 0 {
            return Some(whole);
        }
    }
    None
}

/// A number whose lowest bit is its sign.
fn signed(bytes: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let whole = number(bytes)?;
    let size = i64::try_from(whole >> 1).ok()?;
    Some(if whole & 1 == 0 { size } else { -size })
}
