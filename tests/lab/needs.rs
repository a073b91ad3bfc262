//! What scenarios need of the machine: tried before anything is run, and handed on to the actors.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use tempfile::NamedTempFile;

use super::common::{AS_NOBODY, installed, text};
use super::processes::children;
use super::refusal::{RAW_SOCKET, Refused, TUN_INTERFACE, UNSHARE, refuse};

/// A scenario of two calls that has `keys` beside what every scenario has. Everybody may read it.
fn needing(keys: &str) -> NamedTempFile {
    use std::os::unix::fs::PermissionsExt as _;
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let head = "name = \"x\"\ngroup = \"\"\nquestion = \"\"\nlesson = \"\"\nfix = \"\"\nverdicts = []";
    let script = "client  socket(AF_INET, SOCK_STREAM, 0) = 3\nclient  close(3) = 0\n";
    write!(file, "{head}\n{keys}\nscript = '''\n{script}'''\n").unwrap();
    file
}

/// The program with these arguments behind `lab`, and the file's path.
fn lab(program: &str, file: &NamedTempFile, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("lab").arg(file.path()).args(arguments);
    command
}

fn check(file: &NamedTempFile) -> Command {
    lab(env!("CARGO_BIN_EXE_epipe"), file, &["--check"])
}

fn is_skipped(output: &Output, line: &str) {
    let said = text(output);
    assert!(said.starts_with(&format!("x                        skipped: needs {line}")), "{said}");
    assert!(said.ends_with("0 as expected, 0 otherwise, 1 skipped\n"), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
}

#[test]
fn a_loopback_of_its_own_comes_with_its_capabilities() {
    let file = needing("needs = [\"CAP_NET_ADMIN\", \"CAP_NET_RAW\"]\nsince = \"3.0\"");
    let said = text(&check(&file).output().unwrap());
    assert!(said.ends_with("1 as expected, 0 otherwise, 0 skipped\n"), "{said}");
}

#[test]
fn what_holds_on_a_later_kernel_only_is_skipped_on_this_one() {
    let file = needing("since = \"99.1\"");
    is_skipped(&check(&file).output().unwrap(), "Linux 99.1, but this is Linux ");
    let played = lab(env!("CARGO_BIN_EXE_epipe"), &file, &["--pace", "fast"]).output().unwrap();
    assert_eq!(played.status.code(), Some(2), "{}", text(&played));
    assert!(text(&played).starts_with("epipe: x needs Linux 99.1, but this is Linux "), "{}", text(&played));
}

fn refused(needs: &str, what: &Refused) -> Output {
    refuse(&mut check(&needing(needs)), what).output().unwrap()
}

#[test]
fn what_is_refused_is_missing() {
    let tun = refused("needs = [\"TUN\"]", &TUN_INTERFACE);
    assert!(text(&tun).contains("skipped: needs TUN, but "), "{}", text(&tun));
    is_skipped(
        &refused("needs = [\"CAP_NET_RAW\"]", &RAW_SOCKET),
        "CAP_NET_RAW, but a raw socket cannot be opened: Operation not permitted (os error 1)\n  help: run as root",
    );
}

#[test]
fn the_hosts_network_is_not_changed() {
    let file = needing("needs = [\"CAP_NET_ADMIN\"]");
    let line = "CAP_NET_ADMIN, but on the host's loopback nothing may be changed, and the run has no other\n  help: ";
    is_skipped(&refuse(&mut check(&file), &UNSHARE).output().unwrap(), &format!("{line}allow user namespaces"));
    let asked = lab(env!("CARGO_BIN_EXE_epipe"), &file, &["--check", "--host"]).output().unwrap();
    is_skipped(&asked, &format!("{line}leave --host away\n"));
    let played = lab(env!("CARGO_BIN_EXE_epipe"), &file, &["--host", "--format", "json"]).output().unwrap();
    assert_eq!((played.status.code(), played.stdout.as_slice()), (Some(2), &b""[..]));
    assert!(text(&played).ends_with("\nhelp: leave --host away\n"), "{}", text(&played));
}

/// The process that is an actor, below `pid`.
fn actor_below(pid: i32) -> Option<i32> {
    let is_actor = |pid: &&i32| {
        std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.windows(7).any(|part| part == b"__actor"))
    };
    let below = children(pid);
    below.iter().find(is_actor).copied().or_else(|| below.iter().find_map(|child| actor_below(*child)))
}

#[test]
#[ignore = "needs root, to become nobody"]
fn an_ordinary_users_actors_have_the_capabilities_that_the_scenario_needs_and_no_others() {
    let (_directory, program) = installed();
    for (needs, held) in
        [("needs = [\"CAP_NET_RAW\", \"CAP_NET_ADMIN\"]", 0x3000_u64), ("needs = [\"CAP_NET_RAW\"]", 0x2000), ("", 0)]
    {
        let file = needing(needs);
        let mut command = lab(program.to_str().unwrap(), &file, &["--step", "--format", "json"]);
        command.uid(AS_NOBODY).gid(AS_NOBODY).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = command.spawn().unwrap();
        // The first call waits to be let go: the actors are there.
        let mut said = String::new();
        BufReader::new(running.stderr.take().unwrap()).read_line(&mut said).unwrap();
        assert!(said.starts_with("client  socket("), "{said}");
        let actor = actor_below(running.id().try_into().unwrap()).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{actor}/status")).unwrap();
        for set in ["CapEff:", "CapAmb:"] {
            let value = status.lines().find_map(|line| line.strip_prefix(set)).unwrap().trim();
            assert_eq!(u64::from_str_radix(value, 16).unwrap(), held, "{needs} {set}");
        }
        drop(running.stdin.take());
        assert!(running.wait().unwrap().success());
    }
}
