//! One small transcript a situation: what stands before `;` is told again, and what stands behind it must come out.
//!
//! The files were written by hand, in situations that Linux was seen in. `# account` and `# verdict` at a file's end are
//! compared too, if the file has them.

#![allow(clippy::unwrap_used, reason = "all of this file is a test")]

use std::path::{Path, PathBuf};

use epipe::report::{json, ladder, transcript};
use epipe::source::transcript::read;
use epipe::story::Story;
use epipe::story::journal::Journal;

fn stories() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stories");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

fn told(path: &Path, text: &str) -> Story {
    let recording = read(&path.display().to_string(), text.as_bytes()).unwrap();
    assert_eq!(recording.complaints, [] as [&str; 0], "{}", path.display());
    let mut journal = Journal::new(recording.run);
    for event in recording.events {
        journal.append(event).unwrap();
    }
    Story::tell(journal)
}

fn printed(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_story_is_told_as_it_stands_in_its_file() {
    let stories = stories();
    assert!(stories.len() >= 20, "only {} stories", stories.len());
    let mut wrong = String::new();
    for (path, text) in stories {
        let story = told(&path, &text);
        let whole = printed(|out| transcript::write(&story, out));
        let compared =
            |line: &&str| ["# account", "# verdict"].iter().all(|end| !line.starts_with(end) || text.contains(end));
        let lines: Vec<&str> = whole.lines().filter(compared).collect();
        let differing = text.lines().zip(&lines).filter(|(file, told)| file != *told);
        for (file, told) in differing {
            wrong += &format!("{}\n  file: {file}\n  told: {told}\n", path.display());
        }
        if text.lines().count() != lines.len() {
            wrong += &format!("{}: {} lines, told in {}\n", path.display(), text.lines().count(), lines.len());
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_story_can_be_shown_in_the_other_formats() {
    for (path, text) in stories() {
        let story = told(&path, &text);
        let ladder = printed(|out| ladder::write(&story, story.journal().run().kind(), out));
        let kind = if text.contains("\n# kernel: ") { "  a recording\n" } else { "  written by hand, not recorded\n" };
        assert!(ladder.contains(kind), "{}: {ladder}", path.display());
        assert!(ladder.contains("SERVER"), "{}: {ladder}", path.display());
        let json: serde_json::Value = serde_json::from_str(&printed(|out| json::write(&story, out))).unwrap();
        assert_eq!(json["events"].as_array().unwrap().len(), story.journal().events().len(), "{}", path.display());
    }
}
