//! The comments of a pcapng file, edited block by block.

/// `file` (little-endian, as this program writes) with each comment replaced by what `edit` makes of it; without it where
/// that is `None`.
pub fn edited(file: &[u8], edit: &mut dyn FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut rest = file;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let kind = number(rest, 0);
        let len = usize::try_from(number(rest, 4)).unwrap();
        let (block, after) = rest.split_at(len);
        rest = after;
        let body = &block[8..len - 4];
        let options = match kind {
            0x0a0d_0d0a => 16,
            6 => 20 + usize::try_from(number(body, 12)).unwrap().next_multiple_of(4),
            _ => body.len(),
        };
        let (fixed, options) = body.split_at(options);
        let body = [fixed, &edited_options(options, edit)].concat();
        let len = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
        out.extend([&kind.to_le_bytes(), &len, body.as_slice(), &len].concat());
    }
    out
}

fn edited_options(mut options: &[u8], edit: &mut dyn FnMut(&str) -> Option<String>) -> Vec<u8> {
    let mut out = Vec::new();
    while !options.is_empty() {
        let [code, len] = [0, 2].map(|at| u16::from_le_bytes([options[at], options[at + 1]]));
        let value = &options[4..4 + usize::from(len)];
        options = &options[4 + usize::from(len).next_multiple_of(4)..];
        let value = if code == 1 {
            let Some(comment) = edit(std::str::from_utf8(value).unwrap()) else { continue };
            comment.into_bytes()
        } else {
            value.to_vec()
        };
        out.extend(code.to_le_bytes());
        out.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
        out.extend(&value);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}
