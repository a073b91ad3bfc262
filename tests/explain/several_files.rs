//! Several files are one capture.

use serde_json::{Value, json};

use super::common::{Folder, ORDINARY, endings, ordinary};
use crate::capture::{Capture, Link};

/// Both halves of `capture`: every second packet.
fn halves(capture: &Capture) -> [Capture; 2] {
    [0, 1].map(|half| {
        let mut packets = 0;
        let mut kept = capture.clone();
        kept.keep(|_| {
            packets += 1;
            packets % 2 == half
        });
        kept
    })
}

/// A folder with `a.pcap` and `b.pcap`, which have every second packet each, and with `x.pcap`, which has all.
fn folder() -> Folder {
    let whole = ordinary(Link::Ethernet);
    let folder = Folder::with(&whole);
    let [even, odd] = halves(&whole);
    // Packets count from 1, so the odd ones come first.
    folder.put("a.pcap", &odd.file());
    folder.put("b.pcap", &even.file());
    folder
}

/// `told` with what names frames and files taken out, its sentences included.
fn without_names(mut told: Value) -> Value {
    let top = told.as_object_mut().unwrap();
    top.remove("files").unwrap();
    for connection in top["connections"].as_array_mut().unwrap() {
        let fields = connection.as_object_mut().unwrap();
        for name in ["first_frame", "last_frame", "reset_frame", "why"] {
            fields.remove(name).unwrap();
        }
    }
    told
}

#[test]
fn several_files_are_merged_by_time_and_tell_the_same() {
    let folder = folder();
    let said = folder.run(&["a.pcap", "b.pcap", "--format", "json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let several: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(several["files"], json!(["a.pcap", "b.pcap"]));
    assert_eq!(endings(&several), ORDINARY);
    assert_eq!(without_names(several), without_names(folder.json()));
}

#[test]
fn with_several_files_a_frame_is_named_by_file_and_number() {
    let folder = folder();
    let told: Value = serde_json::from_str(&folder.run(&["a.pcap", "b.pcap", "--format", "json"]).out).unwrap();
    let first = &told["connections"][0];
    assert_eq!((&first["first_frame"], &first["last_frame"]), (&json!("1:1"), &json!("2:5")));
    let reset = folder.json()["connections"][3]["reset_frame"].as_u64().unwrap();
    let named = format!("{}:{}", 2 - reset % 2, reset.div_ceil(2));
    assert_eq!(told["connections"][3]["reset_frame"], named);
    let text = folder.run(&["a.pcap", "b.pcap"]).out;
    assert!(text.starts_with("2 files: 52 TCP segments, 6 connections in 5.0 s\n"), "{text}");
    assert!(text.ends_with("\nFiles\n   1: a.pcap\n   2: b.pcap\n"), "{text}");
    assert!(text.contains(&format!("answered with a reset ({named})")), "{text}");
    let story = folder.run(&["a.pcap", "b.pcap", "--connection", "3"]).out;
    assert!(story.contains(&named), "{story}");
    let story = folder.run(&["a.pcap", "b.pcap", "--connection", "0", "--format", "json"]).out;
    let story: Value = serde_json::from_str(&story).unwrap();
    let own = &story["connections"][0];
    assert_eq!((&own["first_frame"], &own["last_frame"]), (&first["first_frame"], &first["last_frame"]));
    assert_eq!(story["events"][0]["frame"], first["first_frame"]);
}

#[test]
fn a_file_that_cannot_be_opened_among_others_is_told_and_the_others_are_used() {
    let folder = folder();
    folder.put("text.txt", b"not a capture, but prose");
    for (wrong, why) in
        [("missing.pcap", "cannot open \"missing.pcap\": "), ("text.txt", "\"text.txt\" is not a capture")]
    {
        let said = folder.run(&["a.pcap", wrong, "b.pcap", "--format", "json"]);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.starts_with(&format!("epipe: {why}")), "{}", said.err);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(told["files"], json!(["a.pcap", "b.pcap"]));
        assert_eq!(endings(&told), ORDINARY);
    }
}

#[test]
fn where_no_file_can_be_opened_each_is_told_and_nothing_is_written() {
    let said = folder().run(&["missing.pcap", "gone.pcap", "--format", "json"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    for name in ["missing.pcap", "gone.pcap"] {
        assert!(said.err.contains(&format!("cannot open {name:?}")), "{}", said.err);
    }
}

#[test]
fn what_is_damaged_in_one_of_several_files_is_named_by_that_file() {
    let folder = folder();
    let whole = ordinary(Link::Ethernet);
    let mut cut = whole.clone();
    let mut packets = 0;
    cut.edit(|(_, bytes, _)| {
        packets += 1;
        if packets == 9 {
            bytes.truncate(40);
        }
    });
    // In the other way the file itself lies: its tenth packet claims 4 GiB.
    let mut lies = whole.clone();
    lies.keep_first(9);
    let lies = [lies.file(), vec![0xff; 40]].concat();
    for (file, frame) in [(cut.file(), "2:9"), (lies, "2:10")] {
        folder.put("b.pcap", &file);
        let text = folder.run(&["a.pcap", "b.pcap"]).out;
        assert!(text.contains(&format!("1 packet could not be read, the first: frame {frame}, ")), "{text}");
    }
}

#[test]
fn a_tail_that_is_missing_in_one_of_several_files_is_told() {
    let folder = folder();
    let mut file = ordinary(Link::Ethernet).file();
    file.truncate(file.len() - 7);
    folder.put("b.pcap", &file);
    let text = folder.run(&["a.pcap", "b.pcap"]).out;
    assert!(text.contains("the file ends inside a packet"), "{text}");
}
