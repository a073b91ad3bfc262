//! A descriptor that is not closed after the peer's end was read is found, and nothing else is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod wire;

use std::fs::File;
use std::path::Path;

use epipe::event::Event;
use epipe::socket::call::Fd;
use epipe::story::Story;
use epipe::story::leak::leaks;
use epipe::story::side::Side;
use wire::{journal_of, reread};

fn story(path: &Path) -> Story {
    Story::tell(journal_of(&reread(File::open(path).unwrap())))
}

fn captures() -> impl Iterator<Item = std::path::PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    let paths = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "pcapng"))
}

#[test]
fn only_the_recordings_of_leaks_have_one() {
    let mut found: Vec<String> = captures()
        .filter(|path| {
            let story = story(path);
            story.connections().iter().any(|connection| !leaks(&story, connection).is_empty())
        })
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, ["close-wait-leak", "fin-wait-2-leak"]);
}

#[test]
fn a_leak_names_the_descriptor_the_accept_the_end_that_was_read_and_the_exit() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/close-wait-leak.pcapng");
    let story = story(&path);
    let connection = &story.connections()[0];
    let [leak] = leaks(&story, connection)[..] else { panic!("one leak") };
    assert_eq!((leak.side, leak.fd), (Side::Server, Fd(4)));
    let ended = |id| {
        let (begun, outcome) = story.journal().get(id).and_then(Event::ended).unwrap();
        (story.call(begun).unwrap().0.name.name(), outcome.ret)
    };
    assert_eq!(ended(leak.opened), ("accept", 4));
    assert_eq!(ended(leak.end_read), ("recv", 0));
    assert!(leak.freed.is_some_and(|freed| freed > leak.end_read));
    let said = story.verdict(connection.id).unwrap().sentences.pop().unwrap();
    assert!(said.starts_with("Leak: the server read the end at 0."), "{said}");
    assert!(said.contains(" and never called close(4), which accept() had opened at 0."), "{said}");
    assert!(said.ends_with(" Until then it stayed in CLOSE-WAIT, which no timer ends."), "{said}");
}
