use super::*;

const OPENED: &str = "\
server  socket(AF_INET, SOCK_STREAM, 0) = 3
client  socket(AF_INET, SOCK_STREAM, 0) = 3
";

/// The steps of `script`, before which both actors have opened descriptor 3.
fn steps(script: &str) -> Result<Vec<Step>, String> {
    let actors = [Actor::new("server"), Actor::new("client")];
    let opened = OPENED.lines().count();
    let parsed = parse(&format!("{OPENED}{script}"), 1, &actors);
    let shifted = |step: Step| Step { line: step.line - opened, ..step };
    parsed
        .map(|steps| steps.into_iter().skip(opened).map(shifted).collect())
        .map_err(|error| format!("{}:{}: {}", error.line - opened, error.column, error.message))
}

#[test]
fn every_form_of_line_is_read() {
    let script = "\
server  accept(3) …            # waits
client  connect(3, 127.0.0.1:2222) = 0
        C > S  S  0:0(0)
        [C2 > S2  .  1:1(0) ack 1]
server  accept ... = 4
? client  send(3, \"a # b\", 5, 0) = -1 EPIPE, SIGPIPE   # telling
client  close(3) = *  race
client  killed by SIGPIPE
server  exit(3)
";
    let steps = steps(script).unwrap();
    let lines: Vec<usize> = steps.iter().map(|step| step.line).collect();
    assert_eq!(lines, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(matches!(&steps[0].kind, StepKind::Call { expect: Expect::Waits, telling: false, .. }));
    assert!(matches!(&steps[3].kind, StepKind::Segment { optional: true, text } if text.connection == 2));
    assert!(matches!(&steps[4].kind, StepKind::Returns { name: CallName::Accept, .. }));
    let StepKind::Call { expect: Expect::Returns(Returned::Outcome(outcome)), telling, call, .. } = &steps[5].kind
    else {
        panic!("{:?}", steps[5])
    };
    assert_eq!((outcome.ret, outcome.signal, *telling), (-1, Some(Signal::SIGPIPE), true));
    assert_eq!(call.payload().unwrap().bytes, b"a # b");
    assert!(steps[6].races());
    assert!(matches!(&steps[6].kind, StepKind::Call { expect: Expect::Returns(Returned::Anything), .. }));
    assert!(matches!(&steps[7].kind, StepKind::Ends { status: ExitStatus::Killed(Signal::SIGPIPE), .. }));
    assert!(matches!(&steps[8].kind, StepKind::Call { expect: Expect::Ends(ExitStatus::Code(3)), .. }));
}

#[test]
fn what_is_expected_has_its_column() {
    let script = "\
server  accept(3) …
client  connect(3, 127.0.0.1:2222) = 0  race
        C > S  S  0:0(0)
server  accept … = 4
  ? client  send(3, \"abc\", 3, 0) = 3
client  killed by SIGPIPE
server  nanosleep(1)
";
    let columns: Vec<usize> = steps(script).unwrap().iter().map(|step| step.column).collect();
    assert_eq!(columns, [19, 36, 9, 18, 34, 9, 9, 1]);
}

#[test]
fn who_is_left_at_the_end_exits_or_is_killed() {
    let steps = steps("server  accept(3) …\nclient  close(3) = 0").unwrap();
    let texts: Vec<(usize, &str)> = steps[2..].iter().map(|step| (step.line, step.text.as_str())).collect();
    assert_eq!(texts, [(2, "server  killed by SIGKILL"), (2, "client  exit(0)")]);
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    for (script, error) in [
        ("\nclient  send(3)", "2:9: expected send(fd, data, length, flags)"),
        ("client  close(3)", "1:17: expected `=` and what the call returns, or `…` where it waits"),
        ("client  close(3) = x", "1:20: expected what the call returned, a number"),
        ("client  close(0) = 0", "1:9: expected a descriptor from 3 on: 0, 1 and 2 are the lab's"),
        ("client  close(3) = 0 0 extra \"", "1:31: expected a printable ASCII character or the closing quote"),
        ("server  accept(3) …\nserver  close(3) = 0", "2:1: server still waits in accept here"),
        ("server  accept … = 4", "1:1: server does not wait in such a call here"),
        ("client  exit(0)\nclient  close(3) = 0", "2:1: client is gone here"),
        ("client  close(3) = 0\n  [C > S  .  1:1(0) ack 1", "2:26: expected `]` at the line's end"),
        ("client  close(3) = 0\n  C > S  Q  1:1(0) ack 1", "2:10: expected TCP flags such as `P.`"),
        ("client  killed by SIGCHLD", "1:19: expected a signal that ends a process"),
        ("client  killed by PIPE", "1:19: expected the name of a signal"),
        ("server  accept(3) …\nserver  accept … = x", "2:20: expected what the call returned, a number"),
    ] {
        assert_eq!(steps(script).unwrap_err(), error, "{script}");
    }
}

#[test]
fn a_segment_comes_of_a_call() {
    let error = parse("C > S  .  1:1(0) ack 1", 1, &[Actor::new("client")]).unwrap_err();
    assert_eq!(error.message, "a segment before the first call");
}
