//! A pcap file of any bytes behind a header whose kind the first of them chooses. Lent packets and kept ones are the same, and
//! none holds more than the file has.
#![no_main]

mod reading;

use libfuzzer_sys::fuzz_target;

/// The magic numbers as they lie in files: of both byte orders, with micro- and nanoseconds, and the modified kind.
const MAGICS: [u32; 6] = [0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1, 0xa1b2_cd34, 0x34cd_b2a1];

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let magic = MAGICS[usize::from(*kind) % MAGICS.len()];
    reading::hold(&[&magic.to_le_bytes(), rest].concat());
});
