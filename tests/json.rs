//! docs/json.md lists the fields that are printed, and no others.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use epipe::report::json::object;
use epipe::story::Story;
use serde_json::Value;
use wire::told::journals;
use wire::{journal_of, reread};

type Fields = BTreeMap<String, BTreeSet<String>>;

/// The fields of each table of the document, by the table's heading. One heading may be that of several kinds of event.
fn documented() -> Fields {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/json.md")).unwrap();
    let mut fields = Fields::new();
    let mut heading = String::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        } else if line.starts_with("# Explain") {
            // tests/schema.rs holds the second part.
            break;
        } else if let Some(cell) = line.strip_prefix("| `").and_then(|row| row.split(" |").next()) {
            let names = cell.split(['`', ',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned);
            fields.entry(heading.clone()).or_default().extend(names);
        }
    }
    assert!(fields.len() > 10, "{fields:?}");
    fields
}

fn named(documented: &Fields, kind: &str) -> String {
    let of_kind = |heading: &&String| {
        heading.strip_prefix("event: ").is_some_and(|kinds| kinds.split(", ").any(|known| known == kind))
    };
    documented.keys().find(of_kind).unwrap_or_else(|| panic!("no table for events of the kind {kind}")).clone()
}

/// Takes the fields of `value`, an object that the document calls `name`, and of all objects in it.
fn take(printed: &mut Fields, documented: &Fields, name: &str, value: &Value) {
    let event = documented.get("event").unwrap();
    for (field, inner) in value.as_object().unwrap() {
        let specific = if name == "event" && !event.contains(field) {
            named(documented, value["kind"].as_str().unwrap())
        } else {
            name.to_owned()
        };
        printed.entry(specific).or_default().insert(field.clone());
        let inside = match (name, field.as_str()) {
            ("story", "connections") => "connection",
            ("story", "findings") => "finding",
            ("story", "events") => "event",
            ("connection", "client" | "server") => "end",
            ("event", "changes") => "change",
            ("event", "places") => "place",
            ("event", "cause" | "states" | "fate" | "foretold") | ("end", "next") => field,
            _ => continue,
        };
        let list = inner.as_array().map_or_else(|| vec![inner], |list| list.iter().collect());
        for inner in list {
            take(printed, documented, inside, inner);
        }
    }
}

#[test]
fn the_document_lists_the_fields_that_are_printed() {
    let documented = documented();
    let mut printed = Fields::new();
    for journal in journals() {
        take(&mut printed, &documented, "story", &object(&Story::tell(journal)));
    }
    assert_eq!(printed, documented);
}

#[test]
fn counters_that_are_zero_are_left_out() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/broken-pipe.pcapng");
    let story = Story::tell(journal_of(&reread(std::fs::File::open(recorded).unwrap())));
    let connection = object(&story)["connections"][0].clone();
    let counters = |side: &str| {
        ["packets", "bytes", "syn", "synack", "fin", "rst", "on_the_way"].map(|name| connection[side][name].as_u64())
    };
    assert_eq!(counters("client"), [Some(5), Some(10), Some(1), None, None, None, None]);
    assert_eq!(counters("server"), [Some(4), None, None, Some(1), Some(1), Some(1), None]);
}

#[test]
fn zeeks_words_for_the_recordings() {
    let words = |name: &str| {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("captures/{name}.pcapng"));
        let story = Story::tell(journal_of(&reread(std::fs::File::open(recorded).unwrap())));
        let connection = object(&story)["connections"][0].clone();
        ["zeek_conn_state", "zeek_history"].map(|field| connection[field].as_str().unwrap().to_owned()).join(" ")
    };
    assert_eq!(words("broken-pipe"), "RSTR ShADafr");
    assert_eq!(words("ping-pang"), "RSTR ShADafr");
    assert_eq!(words("ping-pang-hasty"), "RSTR ShADar");
    assert_eq!(words("reset-unread"), "RSTR ShADar");
    assert_eq!(words("last-word-differ"), "SF ShADaFdf");
    assert_eq!(words("restart"), "SF ShAfFa");
}
