//! `epipe run --stack` on programs in C, Python and Go: the line is that of the source, whoever runs it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder that everybody can read and write, with the program and the sources in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), PermissionsExt::from_mode(0o777)).unwrap();
        // By a process of its own: a child that another test forks meanwhile would hold the copy open for writing.
        let mut install = Command::new("install");
        install.args(["-m", "755", env!("CARGO_BIN_EXE_epipe")]).arg(place.path().join("epipe"));
        assert!(install.status().unwrap().success());
        for source in ["called.c", "called.py", "called.go"] {
            fs::copy(sources().join(source), place.path().join(source)).unwrap();
        }
        Self(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes the program in C, and returns its path.
    fn compiled(&self, flags: &[&str]) -> PathBuf {
        let made = self.path("called");
        let mut compiler = Command::new("cc");
        compiler.args(flags).arg("-pthread").arg("-o").arg(&made).arg("called.c").current_dir(self.0.path());
        assert!(compiler.status().unwrap().success());
        made
    }

    /// `epipe run` with `flags` of `words`.
    fn run(&self, flags: &[&str], words: &[&str]) -> Command {
        let mut command = Command::new(self.path("epipe"));
        command.arg("run").args(flags).arg("--").args(words).current_dir(self.0.path());
        command
    }

    /// Where the calls that failed with EPIPE were made: of each the lines that say it.
    fn called(&self, words: &[&str]) -> Vec<Vec<String>> {
        called(&self.run(&["--only", "EPIPE", "--stack"], words).output().unwrap())
    }

    fn line(&self, source: &str, mark: &str) -> String {
        format!("{}:{}", self.path(source).display(), line(source, mark))
    }
}

fn sources() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stack"))
}

/// The number of the line of `source` that ends with a comment of `mark`.
fn line(source: &str, mark: &str) -> usize {
    let text = fs::read_to_string(sources().join(source)).unwrap();
    text.lines().position(|line| line.ends_with(mark)).unwrap() + 1
}

fn called(output: &Output) -> Vec<Vec<String>> {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(String::from_utf8_lossy(&output.stdout).contains("Broken pipe\n"), "{told}");
    let mut calls = Vec::new();
    for line in told.lines().map(str::trim_start) {
        if let Some(place) = line.strip_prefix("called at ") {
            calls.push(vec![place.to_owned()]);
        } else if let (Some(place), Some(call)) = (line.strip_prefix("from "), calls.last_mut()) {
            call.push(place.to_owned());
        }
    }
    calls
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_program_in_c_tells_its_lines_without_frame_pointers() {
    let place = Place::new();
    let program = place.compiled(&["-g", "-O2", "-fomit-frame-pointer"]);
    let (call, caller) = (place.line("called.c", "the call"), place.line("called.c", "its caller"));
    let expected = [format!("{call} in reply"), format!("{caller} in run")];
    let calls = place.called(&[text(&program)]);
    assert_eq!((calls.len(), &calls[0][..2]), (1, &expected[..]));
    assert!(calls[0][2].ends_with(" in main"), "{calls:?}");
    // Threads have a stack of their own, and begin elsewhere.
    let calls = place.called(&[text(&program), "threads"]);
    assert_eq!(calls, vec![expected.to_vec(); 3]);
}

#[test]
fn without_lines_the_function_is_told_and_without_symbols_the_place_in_the_file() {
    let place = Place::new();
    let program = place.compiled(&["-O2"]);
    let calls = place.called(&[text(&program)]);
    let file = program.display();
    assert_eq!(calls[0][0], format!("reply in {file}, whose lines are not known"));
    let program = place.compiled(&["-O2", "-s"]);
    let calls = place.called(&[text(&program)]);
    assert!(calls[0][0].starts_with(&format!("{file}+0x")), "{calls:?}");
    assert!(calls[0][0].ends_with(", whose functions are not known"), "{calls:?}");
}

/// What Python's interpreter here is, as in `3.11`.
fn python() -> String {
    let say = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new("python3").args(["-c", say]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn is_as_python_has_it(place: &Place, output: &Output) {
    if !["3.11", "3.12", "3.13"].contains(&python().as_str()) {
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("no line of Python: where Python "), "{told}");
        return;
    }
    let at = |mark: &str| place.line("called.py", mark);
    // The call spreads over two lines, and Python names the first.
    let call = format!("{}:{}", place.path("called.py").display(), line("called.py", "the call") - 1);
    let calls = called(output);
    let inner = [format!("{call} in Client.reply"), format!("{} in Client.run", at("its caller"))];
    assert_eq!(calls.iter().map(|call| &call[..2]).collect::<Vec<_>>(), [&inner[..]; 3]);
    assert!(calls[0][2].ends_with(" in <lambda>"), "{calls:?}");
    assert_eq!(calls[1][2], format!("{} in generated", at("a generator")));
    assert_eq!(calls[2][2..], [format!("{} in <module>", at("a child"))]);
}

#[test]
fn a_program_in_python_tells_its_own_lines_and_not_the_interpreters() {
    let place = Place::new();
    let output = place.run(&["--only", "EPIPE", "--stack"], &["python3", "called.py"]).output().unwrap();
    is_as_python_has_it(&place, &output);
}

#[test]
#[ignore = "needs root, to become nobody"]
fn nobody_is_told_the_same() {
    const NOBODY: u32 = 65_534;
    let place = Place::new();
    let program = place.compiled(&["-g", "-O2"]);
    let run = |words: &[&str]| {
        let mut command = place.run(&["--only", "EPIPE", "--stack"], words);
        command.uid(NOBODY).gid(NOBODY).output().unwrap()
    };
    let output = run(&[text(&program)]);
    assert_eq!(called(&output)[0][0], format!("{} in reply", place.line("called.c", "the call")));
    // An interpreter in somebody's home is nobody's.
    let system = Path::new("/usr/bin/python3");
    if system.exists() && python() == python_of(system) {
        is_as_python_has_it(&place, &run(&[text(system), "called.py"]));
    }
}

fn python_of(interpreter: &Path) -> String {
    let say = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(interpreter).args(["-c", say]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
#[ignore = "needs go"]
fn a_program_in_go_tells_its_lines_and_passes_over_gos_own() {
    let place = Place::new();
    for flags in [&[][..], &["-trimpath"]] {
        let mut go = Command::new("go");
        go.arg("build").args(flags).args(["-o", "called", "called.go"]).current_dir(place.0.path());
        assert!(go.env("GOCACHE", place.path("cache")).status().unwrap().success());
        let calls = place.called(&["./called"]);
        let at = |mark: &str, function: &str| format!("called.go:{} in main.{function}", line("called.go", mark));
        assert_eq!((calls.len(), calls[0].len()), (1, 2), "{calls:?}");
        assert!(calls[0][0].ends_with(&at("the call", "reply")), "{calls:?}");
        assert!(calls[0][1].ends_with(&at("its caller", "main")), "{calls:?}");
    }
}

/// The stacks in a story's JSON, without times and numbers.
fn stacks(json: &[u8]) -> Vec<Value> {
    let story: Value = serde_json::from_slice(json).unwrap();
    let events = story["events"].as_array().unwrap().iter();
    events.filter(|event| event["kind"] == "stack").map(|event| event["places"].clone()).collect()
}

#[test]
fn a_saved_story_and_a_transcript_tell_the_stacks_again() {
    let place = Place::new();
    let program = place.compiled(&["-g", "-O2"]);
    let (saved, transcript) = (place.path("story.pcapng"), place.path("story.txt"));
    let flags = ["--stack", "--write", text(&saved), "--format", "transcript", "-o", text(&transcript)];
    let output = place.run(&flags, &[text(&program)]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let again = |file: &Path| {
        let output = Command::new(place.path("epipe")).args(["replay", "--format", "json"]).arg(file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        stacks(&output.stdout)
    };
    let (from_saved, from_transcript) = (again(&saved), again(&transcript));
    assert_eq!(from_saved, from_transcript);
    // The send that failed, and the two closes, on which findings rest.
    assert_eq!(from_saved.len(), 3);
    let ladder = Command::new(place.path("epipe")).args(["replay", "--format", "ladder"]).arg(&saved).output().unwrap();
    let ladder = String::from_utf8(ladder.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = format!("send() was called at called.c:{} in reply.", line("called.c", "the call"));
    assert!(ladder.contains(&expected), "{ladder}");
}

#[test]
fn no_stack_is_taken_that_was_not_asked_for() {
    let place = Place::new();
    let program = place.compiled(&["-g"]);
    for flags in [&["--format", "transcript"][..], &["--only", "ETIMEDOUT", "--stack"]] {
        let output = place.run(flags, &[text(&program)]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.is_empty() && !told.contains("stack #") && !told.contains("called at"), "{told}");
    }
}
