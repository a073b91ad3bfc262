//! `epipe schema` prints what `explain` and a story are held to here, field by field.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

mod schema {
    pub mod checker;
    pub mod made;
}
mod wire;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use epipe::event::FrameNo;
use epipe::report::json::object;
use epipe::report::schema::{all, check, explain, story};
use epipe::story::Story;
use schema::checker::{Checker, Fields};
use schema::made::Made;
use serde_json::{Value, json};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the program prints.
fn printed<'a>(args: impl IntoIterator<Item = &'a str>) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_epipe")).args(args).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The bundled captures.
fn captures() -> Vec<PathBuf> {
    let folders = ["captures", "captures/reconstructed"].map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    folders.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

/// What explain says of `files`: the object, and each line. With one thread, for how late a segment is a stray depends on
/// what else its thread has seen.
fn explained(files: &[&Path]) -> Vec<Value> {
    let names = files.iter().map(|file| file.to_str().unwrap());
    let [object, lines] = ["json", "jsonl"]
        .map(|format| printed(["explain", "--threads", "1", "--format", format].into_iter().chain(names.clone())));
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() >= 2, "{files:?}");
    std::iter::once(serde_json::from_str(&object).unwrap()).chain(lines).collect()
}

/// What explain says of the capture that was put together by hand.
fn explained_by_hand() -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.pcapng");
    std::fs::write(&file, Made::everything()).unwrap();
    explained(&[&file])
}

fn hold(checker: &Checker, value: &Value, what: &str) {
    checker.check(value).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
}

/// The fields that the schema lists, without those of `analysis`: no capture has all of Wireshark's flags.
fn listed(checker: &Checker) -> Fields {
    let mut listed = checker.listed();
    listed.remove("analysis").unwrap();
    listed
}

fn seen(checker: &Checker) -> Fields {
    let mut seen = checker.seen();
    seen.retain(|def, _| !def.is_empty() && def != "analysis");
    seen
}

#[test]
fn every_story_is_as_its_schema_says() {
    let checker = Checker::new(story().unwrap());
    for journal in wire::told::journals() {
        let name = journal.run().name.clone();
        hold(&checker, &object(&Story::tell(journal)), &name);
    }
    assert_eq!(seen(&checker), listed(&checker));
}

#[test]
fn what_is_explained_is_as_its_schema_says() {
    let checker = Checker::new(explain());
    let captures = captures();
    let together: Vec<&Path> = captures.iter().map(PathBuf::as_path).collect();
    let alone = captures.iter().flat_map(|capture| explained(&[capture]));
    for value in alone.chain(explained(&together)).chain(explained_by_hand()) {
        hold(&checker, &value, &value.to_string().chars().take(200).collect::<String>());
    }
    assert_eq!(seen(&checker), listed(&checker), "a field that is listed was never printed");
}

/// `value` once for each object in it, with a field more in that.
fn with_a_field_more(value: &Value) -> Vec<Value> {
    let mut more = Vec::new();
    let inside: Vec<(Value, Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, inner)| (json!(name), inner.clone())).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(index, inner)| (json!(index), inner.clone())).collect(),
        _ => Vec::new(),
    };
    if value.is_object() {
        let mut own = value.clone();
        own["a_field_more"] = json!("x");
        more.push(own);
    }
    for (key, inner) in inside {
        more.extend(with_a_field_more(&inner).into_iter().map(|changed| {
            let mut own = value.clone();
            match key.as_str() {
                Some(name) => own[name] = changed,
                None => own[usize::try_from(key.as_u64().unwrap()).unwrap()] = changed,
            }
            own
        }));
    }
    more
}

#[test]
fn a_field_that_the_schema_does_not_list_is_found() {
    let recorded = root().join("captures/broken-pipe.pcapng");
    let checker = Checker::new(explain());
    let changed: Vec<Value> = explained(&[&recorded]).iter().flat_map(with_a_field_more).collect();
    assert!(changed.len() > 12, "{}", changed.len());
    assert!(changed.iter().all(|value| value["verdicts"]["a_field_more"].is_string() || checker.check(value).is_err()));

    let told = Story::tell(wire::journal_of(&wire::reread(std::fs::File::open(recorded).unwrap())));
    let checker = Checker::new(story().unwrap());
    let changed = with_a_field_more(&object(&told));
    assert!(changed.iter().all(|value| value["facts"]["a_field_more"].is_string() || checker.check(value).is_err()));
}

/// The fields of each table in the part of the document that has this title, by the table's heading.
fn documented(title: &str) -> Fields {
    let text = std::fs::read_to_string(root().join("docs/json.md")).unwrap();
    let part = text.split_once(&format!("\n# {title}\n")).unwrap().1;
    let part = part.split_once("\n# ").map_or(part, |(part, _)| part);
    let mut documented = Fields::new();
    for section in part.split("\n## ").skip(1) {
        let (heading, rest) = section.split_once('\n').unwrap();
        let cells = rest.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        let names = cells.flat_map(|cell| cell.split(['`', ',', ' '])).filter(|name| !name.is_empty());
        documented.insert(heading.to_owned(), names.map(str::to_owned).collect());
    }
    documented
}

#[test]
fn the_document_lists_what_the_schema_of_explain_lists() {
    let mut listed = listed(&Checker::new(explain()));
    let own = listed.remove("object").unwrap();
    let parts = ["capture", "summary"].map(|part| listed.remove(part).unwrap());
    listed.insert("object".to_owned(), own.into_iter().chain(parts.into_iter().flatten()).collect());
    let lines = ["header_line", "connection_line", "summary_line"].map(|line| listed.remove(line).unwrap());
    listed.insert("line".to_owned(), lines.into_iter().flatten().collect());
    assert_eq!(documented("Explain"), listed);
}

#[test]
fn the_document_lists_what_the_schema_of_a_check_lists() {
    let mut listed = Checker::new(check()).listed();
    let lines = ["scenario_line", "summary_line"].map(|line| listed.remove(line).unwrap());
    listed.insert("line".to_owned(), lines.into_iter().flatten().collect());
    assert_eq!(documented("Check"), listed);
}

#[test]
fn what_is_alike_in_both_is_named() {
    let both = all().unwrap();
    let names = |kind: &str| -> BTreeSet<&str> {
        both["shared"][kind].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
    };
    let of_explain = |kind: &str| -> BTreeSet<&str> {
        both["explain"]["$defs"][kind]["properties"].as_object().unwrap().keys().map(String::as_str).collect()
    };
    // Numbers count from 0 in one and from 1 in the other; what a capture alone cannot tell apart stands in explain's.
    let own = ["id", "idle_before_end", "copies", "copy_of"].into();
    assert_eq!(&of_explain("connection") - &names("connection"), own);
    assert_eq!(&of_explain("end") - &names("end"), ["errors", "judged"].into());
    for kind in ["next", "analysis"] {
        assert_eq!(names(kind), of_explain(kind));
    }
}

#[test]
fn the_program_prints_them() {
    let read = |args: &[&str]| serde_json::from_str::<Value>(&printed(args.iter().copied())).unwrap();
    assert_eq!(read(&["schema"]), all().unwrap());
    assert_eq!(read(&["schema", "explain"]), explain());
    assert_eq!(read(&["schema", "check"]), check());
    assert_eq!(read(&["schema", "story", "--format", "json"]), story().unwrap());
    assert_eq!(printed(["schema", "--format", "text"]), "");
}

#[test]
fn packets_of_several_files_are_named_by_file_and_number() {
    let files = ["broken-pipe", "restart"].map(|name| format!("{}/captures/{name}.pcapng", root().display()));
    let args = ["explain", &files[0], &files[1], "--format", "json"];
    let all: Value = serde_json::from_str(&printed(args)).unwrap();
    let one: Value = serde_json::from_str(&printed(args.into_iter().chain(["--connection", "0"]))).unwrap();
    for connection in [&all["connections"][0], &one["connections"][0]] {
        let frames = ["first_frame", "last_frame", "reset_frame"].map(|field| connection[field].as_str().unwrap());
        assert_eq!(frames, ["1:1", "1:9", "1:9"]);
    }
    assert_eq!(one["events"][8]["frame"], FrameNo::in_file(1, 9).to_string());
}

#[test]
fn a_recording_is_explained_by_the_fields_that_others_rely_on() {
    let explained = explained(&[&root().join("captures/broken-pipe.pcapng")]);
    let connection = &explained[0]["connections"][0];
    let client = &connection["client"];
    assert_eq!(client["errors"], json!([{"error": "EPIPE", "certainty": "likely"}]));
    assert_eq!(client["next"], json!({"send": "EPIPE", "recv": "0", "shutdown": "ENOTCONN"}));
    assert_eq!([&client["packets"], &client["bytes"], &client["syn"], &client["lost"]], [5, 10, 1, 5]);
    let server = &connection["server"];
    assert_eq!([&server["packets"], &server["synack"], &server["fin"], &server["rst"]], [4, 1, 1, 1]);
    assert!(
        ["synack", "fin", "rst", "analysis", "judged"].iter().all(|absent| client.get(absent).is_none()),
        "{client}"
    );
    assert_eq!(explained[0]["cut_short"], Value::Null);
    let kinds: Vec<&str> = explained[1..].iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["header", "connection", "summary"]);
}
