//! The examples of docs/transcript.md are what the program reads and prints.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::path::Path;

use epipe::notation::{Line, Reader, SavedLine, event_lines, run_lines};
use epipe::source::lab::scenario::Scenario;
use epipe::source::transcript;
use epipe::story::Story;
use epipe::story::journal::Journal;

/// The lines of the document's block of the kind `kind`.
fn example(kind: &str) -> String {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/transcript.md")).unwrap();
    let (_, behind) = text.split_once(&format!("```{kind}\n")).unwrap();
    behind.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_transcript_of_the_document_reads_and_prints() {
    let text = example("transcript");
    let recording = transcript::read("example", text.as_bytes()).unwrap();
    assert_eq!(recording.complaints, [] as [&str; 0]);
    let mut journal = Journal::new(recording.run);
    recording.events.into_iter().for_each(|event| journal.append(event).unwrap());
    let mut printed = Vec::new();
    epipe::report::transcript::write(&Story::tell(journal), &mut printed).unwrap();
    assert_eq!(String::from_utf8(printed).unwrap(), text);
}

/// What the program prints for a line that it has read.
fn printed(line: &Line) -> String {
    let run = |name: &str, facts: &[(String, String)]| {
        run_lines(&epipe::event::Run { name: name.to_owned(), facts: facts.to_vec(), comments: Vec::new() })
            .pop()
            .unwrap()
    };
    match line {
        Line::Run(name) => run(name, &[]),
        Line::Fact(name, value) => run("", &[(name.clone(), value.clone())]),
        Line::Event(event, connection) => event_lines(event, *connection).concat(),
    }
}

#[test]
fn the_comments_of_the_document_read_and_print() {
    let text = example("comment");
    for line in text.lines() {
        if SavedLine::is_one(line) {
            assert_eq!(line.parse::<SavedLine>().unwrap().to_string(), line);
            continue;
        }
        let mut reader = Reader::new();
        let read = reader.line(line).unwrap();
        assert_eq!(read.iter().map(printed).collect::<Vec<_>>(), [line]);
    }
    assert!(text.lines().count() > 8);
}

#[test]
fn the_script_of_the_document_is_one() {
    let script = example("script");
    let head = "name = \"x\"\ngroup = \"g\"\nquestion = \"q\"\nlesson = \"l\"\nfix = \"f\"\n";
    let scenario = Scenario::parse("x.toml", &format!("{head}script = '''\n{script}'''\n")).unwrap();
    let written = scenario.steps.iter().filter(|step| !step.implied).count();
    assert_eq!(written, script.lines().count());
}
