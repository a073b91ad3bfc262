//! `epipe run -p` on servers in Python that run already, and sockets that a traced program did not open itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[path = "run/story.rs"]
mod story;

use story::Told;

const NOBODY: u32 = 65_534;

/// A folder that everybody can read and write, with the program in it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        // By a process of its own: a child that another test forks meanwhile would hold the copy open for writing.
        let mut install = Command::new("install");
        install.args(["-m", "755", env!("CARGO_BIN_EXE_epipe")]).arg(place.path().join("epipe"));
        assert!(install.status().unwrap().success());
        for file in ["attached.py", "handed_over.py"] {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run").join(file), place.path().join(file))
                .unwrap();
        }
        Self(place)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn story(&self) -> String {
        fs::read_to_string(self.file("story.txt")).unwrap()
    }

    fn server(&self, program: &str, user: Option<u32>) -> Server {
        let mut command = Command::new("python3");
        command.arg(self.file("attached.py")).arg(program).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        let mut child = command.spawn().unwrap();
        let (told, says) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Server { child, told, says }
    }

    fn epipe(&self, servers: &[&Server]) -> Command {
        let mut command = Command::new(self.file("epipe"));
        command.args(["run", "--format", "transcript", "-o"]).arg(self.file("story.txt"));
        for server in servers {
            command.args(["-p", &server.child.id().to_string()]);
        }
        command.stderr(Stdio::piped());
        command
    }

    fn attach(&self, servers: &[&Server]) -> Epipe {
        Epipe::start(self.epipe(servers))
    }
}

/// A server that runs.
struct Server {
    child: Child,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Server {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn tell(&mut self) {
        self.told.write_all(b"go on\n").unwrap();
    }

    fn status(&self, field: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        status.lines().find_map(|line| line.strip_prefix(field)).unwrap().trim().to_owned()
    }

    /// It is there, traced by nobody, and does not stand still.
    fn runs_on(&self) {
        assert_eq!(self.status("TracerPid:"), "0");
        let state = self.status("State:");
        assert!(!state.starts_with(['t', 'T', 'Z']), "{state}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An `epipe run -p` that has begun.
struct Epipe {
    child: Child,
    says: BufReader<ChildStderr>,
}

impl Epipe {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut says = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        says.read_line(&mut line).unwrap();
        assert!(line.starts_with("epipe: attached;"), "{line}");
        Self { child, says }
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// How it ends, and what it says then.
    fn end(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        self.says.read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap().code(), text)
    }

    fn let_go(self) {
        // As timeout(1) does, which means one.
        self.send(Signal::SIGINT);
        self.send(Signal::SIGINT);
        assert_eq!(self.end(), (Some(0), String::new()));
    }
}

fn connect(port: &str) -> TcpStream {
    TcpStream::connect(format!("127.0.0.1:{port}")).unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The server that waits in `recv()` is attached to, and driven to a broken pipe.
fn broken_pipe(place: &Place, user: Option<u32>, end: Signal) -> (String, String) {
    let mut server = place.server("echo", user);
    let port = server.line();
    let mut client = connect(&port);
    assert_eq!(server.line(), "accepted");
    let mut command = place.epipe(&[&server]);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let epipe = Epipe::start(command);
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    drop(client);
    assert_eq!(server.line(), "end");
    server.tell();
    assert_eq!(server.line(), "[Errno 32] Broken pipe");
    epipe.send(end);
    let (code, said) = epipe.end();
    assert_eq!(code, Some(0), "{said}");
    server.runs_on();
    (place.story(), said)
}

#[test]
#[ignore = "needs root, for a capture"]
fn the_calls_of_a_running_server_are_tied_to_its_connection() {
    for end in [Signal::SIGINT, Signal::SIGTERM] {
        let place = Place::new();
        let (story, said) = broken_pipe(&place, None, end);
        let told = Told::of(&story);
        assert_eq!((said.as_str(), told.connections), ("", 1));
        assert_eq!(told.wrong, [] as [String; 0], "{story}");
        assert_eq!(told.errors, ["send EPIPE with a signal"], "{story}");
        assert_eq!(told.verdict, "# verdict reset-after-close, proven", "{story}");
        assert_eq!(
            told.accounts,
            [
                "# account client: sent 5, acknowledged 5, read 5, lost 0",
                "# account server: sent 9, acknowledged 5, lost 4"
            ],
            "{story}"
        );
        // What the server sent is its calls', what the client sent nobody's whose calls are known.
        let server: Vec<&String> = told.segments.iter().filter(|line| line.starts_with('S')).collect();
        assert!(server.iter().all(|line| line.ends_with("| send")) && server.len() == 2, "{story}");
        assert!(story.contains(" holds 3 127.0.0.1:") && story.contains("> - LISTEN unread 0"), "{story}");
        assert!(story.contains("  recv(4, 100, 0) = 5 \"hello\"   ;  foretold waits, then 5;"), "{story}");
    }
}

#[test]
#[ignore = "needs root, to be nobody"]
fn without_privileges_the_calls_are_told() {
    let place = Place::new();
    let (story, said) = broken_pipe(&place, Some(NOBODY), Signal::SIGINT);
    assert!(said.starts_with("epipe: the story has no segments: "), "{said}");
    let told = Told::of(&story);
    assert_eq!((told.segments.len(), told.connections), (0, 1));
    assert_eq!(
        (told.errors.as_slice(), told.wrong.len()),
        (&["send EPIPE with a signal".to_owned()][..], 0),
        "{story}"
    );
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_connection_whose_client_has_ended_begins_in_close_wait() {
    let place = Place::new();
    let mut server = place.server("leak", None);
    let port = server.line();
    let mut client = connect(&port);
    client.write_all(b"hello").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let epipe = place.attach(&[&server]);
    server.tell();
    // The reset comes where the 2 bytes are closed away that nobody has read.
    assert!(client.read(&mut [0]).is_err());
    assert_eq!(server.line(), "closed");
    epipe.let_go();
    let story = place.story();
    let told = Told::of(&story);
    assert!(story.contains(" CLOSE-WAIT unread 5 unacknowledged 0\n"), "{story}");
    assert!(story.contains("close(4) = 0   ;  foretold 0 and RST"), "{story}");
    assert_eq!((told.wrong.len(), told.unproven.len()), (0, 0), "{story}");
    assert_eq!(told.accounts[0], "# account client: sent 5, acknowledged 5, read 3, lost 2", "{story}");
    server.runs_on();
}

#[test]
#[ignore = "needs root, for a capture"]
fn what_waits_to_be_accepted_is_known_when_it_is() {
    let place = Place::new();
    let mut server = place.server("backlog", None);
    let port = server.line();
    let mut first = connect(&port);
    first.write_all(b"first").unwrap();
    let epipe = place.attach(&[&server]);
    server.tell();
    assert_eq!(server.line(), "first");
    let mut second = connect(&port);
    second.write_all(b"second").unwrap();
    assert_eq!(server.line(), "second");
    for mut client in [first, second] {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "yes");
    }
    epipe.let_go();
    let story = place.story();
    let told = Told::of(&story);
    assert_eq!((told.connections, told.wrong.len()), (2, 0), "{story}");
    let is_servers = |line: &&String| line.contains(" S > C ") || line.contains(" S2 > C2 ");
    assert_eq!(told.unproven.iter().filter(is_servers).count(), 0, "{story}");
    assert!(story.contains("> - LISTEN unread 1 unacknowledged 0\n"), "{story}");
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_call_that_waits_is_not_interrupted() {
    let place = Place::new();
    let mut server = place.server("epoll", None);
    let (port, _) = (server.line(), server.line());
    assert_eq!(server.line(), "waits");
    let epipe = place.attach(&[&server]);
    drop(connect(&port));
    assert_eq!(server.line(), "1 0");
    server.tell();
    epipe.let_go();
    server.runs_on();
    drop(connect(&port));
    assert_eq!(server.line(), "1 0");
    let story = place.story();
    assert!(story.contains("epoll_wait(5, -1) = 1 3 EPOLLIN"), "{story}");
    assert!(story.contains("accept4(4, SOCK_CLOEXEC) ..."), "{story}");
    assert!(!story.contains("EINTR"), "{story}");
}

#[test]
#[ignore = "needs root, for a capture"]
fn the_run_ends_with_its_processes_and_both_ends_of_another_network_are_known() {
    let place = Place::new();
    let mut server = place.server("both", None);
    assert_eq!(server.line(), "open");
    let epipe = place.attach(&[&server]);
    server.tell();
    assert_eq!(server.line(), "[Errno 32] Broken pipe");
    let (code, said) = epipe.end();
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert_eq!(server.child.wait().unwrap().code(), Some(7));
    let story = place.story();
    let told = Told::of(&story);
    assert!(story.contains("# network: the programs', which is not the host's\n"), "{story}");
    assert_eq!((told.wrong.len(), told.unproven.len()), (0, 0), "{story}");
    assert_eq!(told.verdict, "# verdict reset-after-close, proven", "{story}");
    assert!(story.contains(" exited 7\n"), "{story}");
}

#[test]
#[ignore = "needs to trace a process that is no child"]
fn killed_epipe_leaves_the_program_running() {
    let place = Place::new();
    let mut server = place.server("echo", None);
    let port = server.line();
    let mut client = connect(&port);
    assert_eq!(server.line(), "accepted");
    let epipe = place.attach(&[&server]);
    epipe.send(Signal::SIGKILL);
    assert_eq!(epipe.end(), (None, String::new()));
    client.write_all(b"hello").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HELLO");
    drop(client);
    assert_eq!(server.line(), "end");
}

#[test]
#[ignore = "needs to trace a process that is no child"]
fn what_cannot_be_traced_is_said() {
    let place = Place::new();
    let mut server = place.server("echo", None);
    server.line();
    let refused = |mut command: Command, text_begins: &str| {
        let output = command.output().unwrap();
        let told = text(&output);
        assert!(told.starts_with(text_begins), "{told}");
        assert_eq!(output.status.code(), Some(2));
        told
    };
    let of = |number: &str| {
        let mut command = Command::new(place.file("epipe"));
        command.args(["run", "-p", number]);
        command
    };
    let told = refused(of("2147483647"), "epipe: cannot trace process 2147483647: there is no such process\nhelp: ");
    assert!(told.contains("pgrep"), "{told}");
    let number = server.child.id().to_string();
    let mut by_nobody = of(&number);
    by_nobody.uid(NOBODY).gid(NOBODY);
    let told = refused(by_nobody, &format!("epipe: cannot trace process {number}: Operation not permitted"));
    assert!(told.contains("\nhelp: it is another user's (uid 0): run epipe as that user, or as root\n"), "{told}");
    let epipe = place.attach(&[&server]);
    let told = refused(of(&number), &format!("epipe: cannot trace process {number}: "));
    assert!(told.contains(" traces it already\nhelp: "), "{told}");
    epipe.let_go();
    let usage = Command::new(place.file("epipe")).args(["run", "-p", &number, "--", "true"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
    server.runs_on();
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_connection_that_is_handed_over_stays_one() {
    let place = Place::new();
    let mut command = Command::new(place.file("epipe"));
    command.args(["run", "--format", "transcript", "-o"]).arg(place.file("story.txt"));
    command.args(["--", "python3", "handed_over.py", "by_message"]).current_dir(place.0.path());
    let output = command.output().unwrap();
    assert_eq!(text(&output), "HELLO\n");
    let story = place.story();
    let told = Told::of(&story);
    assert_eq!((told.connections, told.wrong.len(), told.unproven.len()), (1, 0, 0), "{story}");
    assert_eq!(told.verdict, "# verdict closed, proven");
    assert_eq!(
        told.accounts,
        [
            "# account client: sent 5, acknowledged 5, read 5, lost 0",
            "# account server: sent 5, acknowledged 5, read 5, lost 0"
        ]
    );
    assert!(story.contains(" ESTABLISHED unread 5 unacknowledged 0\n"), "{story}");
    assert!(story.contains("  sendmsg(3, SCM_RIGHTS:8) = 1\n"), "{story}");
}

#[test]
#[ignore = "needs root, for a capture"]
fn a_listener_that_is_inherited_is_known() {
    let place = Place::new();
    let mut command = Command::new("python3");
    command.args(["handed_over.py", "by_inheritance"]).arg(place.file("epipe")).args(["--format", "transcript", "-o"]);
    let output = command.arg(place.file("story.txt")).current_dir(place.0.path()).output().unwrap();
    assert_eq!(text(&output), "HELLO\n");
    let story = place.story();
    let told = Told::of(&story);
    assert_eq!((told.connections, told.wrong.len()), (1, 0), "{story}");
    assert!(story.contains("> - LISTEN unread "), "{story}");
    let server: Vec<&String> = told.segments.iter().filter(|line| line.starts_with('S')).collect();
    assert!(server.iter().skip(1).all(|line| line.ends_with("| send") || line.ends_with("| close")), "{story}");
}
