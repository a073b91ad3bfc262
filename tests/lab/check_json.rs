//! `epipe lab --check --format json`, held to its schema.

use epipe::report::schema;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::check::{changed, epipe, place_of};
use super::checker::Checker;

/// The lines of a check of `file` as JSON, each of which is as the schema says, and the exit code.
fn lines_of_json(file: &NamedTempFile) -> (Vec<Value>, Option<i32>) {
    let output = epipe(&["lab", file.path().to_str().unwrap(), "--check", "--format", "json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let checker = Checker::new(schema::check());
    for line in &lines {
        checker.check(line).unwrap_or_else(|wrong| panic!("{line}: {wrong}"));
    }
    (lines, output.status.code())
}

#[test]
fn the_answer_as_json_is_as_its_schema_says() {
    let (lines, code) = lines_of_json(&changed("= -1 EPIPE, SIGPIPE", "= -1 EPIPE, SIGPIPE"));
    assert_eq!(code, Some(0));
    let verdicts = json!({"calls": ["reset-after-close"], "segments": ["reset-after-close"]});
    let expected = json!({
        "kind": "scenario", "schema": 1, "name": "broken-pipe", "answer": "as-expected", "calls": 16, "segments": 9,
        "verdicts": verdicts,
    });
    assert_eq!(lines[0], expected);
    let kernel = format!("Linux {}", std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim());
    let counts = |as_expected: u32, otherwise: u32, skipped: u32| {
        json!({
            "kind": "summary", "schema": 1, "as_expected": as_expected, "otherwise": otherwise, "skipped": skipped,
            "kernel": kernel,
        })
    };
    assert_eq!(lines[1..], [counts(1, 0, 0)]);

    let file = changed("= -1 EPIPE, SIGPIPE", "= -1 ECONNRESET");
    let (lines, code) = lines_of_json(&file);
    assert_eq!((code, &lines[0]["answer"], lines.last()), (Some(1), &json!("otherwise"), Some(&counts(0, 1, 0))));
    let place = place_of("EPIPE, SIGPIPE", "= -1");
    let (line, column) = place.split_once(':').unwrap();
    let expected = json!([{
        "file": file.path(), "line": line.parse::<u32>().unwrap(), "column": column.parse::<u32>().unwrap(),
        "expected": "? client  send(3, \"hello\", 5, 0) = -1 ECONNRESET",
        "happened": "= -1 EPIPE (Broken pipe), SIGPIPE",
    }]);
    assert_eq!(lines[0]["mismatches"], expected);

    let (lines, code) = lines_of_json(&changed("order = 10", "order = 10\nsince = \"99.1\""));
    let skipped = json!({"need": "Linux 99.1", "why": format!("this is {kernel}")});
    let expected = json!({
        "kind": "scenario", "schema": 1, "name": "broken-pipe", "answer": "skipped", "skipped": skipped,
    });
    assert_eq!((code, &lines[0], lines.last()), (Some(2), &expected, Some(&counts(0, 0, 1))));
}
