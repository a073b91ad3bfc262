//! A packet of any bytes: two link type bytes, two for its length on the wire, then the packet. The quick look at it must say
//! what the careful one says, and what it calls its parts must lie in it.
#![no_main]

use epipe::decode::{
    Decoded, Fragments, Glance, LinkType, Refusal, beyond_network, decode, fragment, glance, hop, layout, of_segment,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(([low, high, len_low, len_high], data)) = bytes.split_first_chunk() else { return };
    let link_type = LinkType(u16::from_le_bytes([*low, *high]).into());
    let original_len = u16::from_le_bytes([*len_low, *len_high]).into();
    let decoded = decode(link_type, data, original_len);
    let mut quick = Glance::default();
    match (glance(link_type, data, original_len, &mut quick), &decoded) {
        (Ok(()), Decoded::Tcp(segment)) => {
            let careful = of_segment(segment);
            assert_eq!((quick.key, quick.from_low), (careful.key, careful.from_low));
            assert_eq!((quick.head, &quick.sack), (careful.head, &careful.sack));
            let layout = layout(link_type, data, original_len).expect("a segment has a layout");
            assert!(layout.ip < layout.tcp && layout.tcp < layout.payload, "{layout:?}");
            assert_eq!(hop(link_type, data), Some(quick.hop));
        }
        (Err(Refusal::Other(name)), Decoded::Other(careful)) => assert_eq!(name, *careful),
        (Err(Refusal::Malformed(why)), Decoded::Malformed(careful)) => assert_eq!(&why, careful),
        (quick, careful) => panic!("{quick:?} at a glance, and {careful:?} to the careful look"),
    }
    if let Some(fragment) = fragment(link_type, data) {
        assert!(fragment.payload.len() <= data.len());
    }
    let mut fragments = Fragments::default();
    fragments.add(link_type, data);
    fragments.add(link_type, data);
    if let Some(headers) = beyond_network(link_type, data) {
        assert!(headers <= data.len() + 8, "{headers} bytes of headers in {}", data.len());
    }
});
