//! A pcapng file of any bytes behind the four that say so. Lent packets and kept ones are the same, and none holds more than
//! the file has.
#![no_main]

mod reading;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| reading::hold(&[&[0x0a, 0x0d, 0x0d, 0x0a], bytes].concat()));
