//! `epipe doctor`: what this machine allows.

use std::io::{self, Write};
use std::path::Path;

use super::{Ending, Failure};
use crate::cli::{Common, Doctor};
use crate::source::probe::{self, Finding};
use crate::source::strace;

/// Tries each step for real, prints a line for each, and what follows for the lab; or prints what records elsewhere.
pub fn run(doctor: &Doctor, _common: &Common) -> Result<Ending, Failure> {
    if doctor.strace { print(&recorders()) } else { print(&tried()) }
}

fn tried() -> String {
    let findings = probe::findings(Path::new("/proc/self/exe"));
    let mut lines: Vec<String> = findings.iter().map(line).collect();
    lines.push(format!("The lab runs {}.", lab(&findings)));
    lines.join("\n") + "\n"
}

/// The commands for a machine where this program cannot run, with what each needs and costs.
fn recorders() -> String {
    let command = strace::COMMAND;
    format!(
        "\
# Where the program runs, both at the same time, each in a terminal of its own.

# The segments. Needs root, or CAP_NET_RAW. Costs little, and less with a port
# or a host behind tcp: 'tcp and port 443'. Ctrl-C ends it.
tcpdump -i any -U -w x.pcap tcp

# The calls. Needs root, or to be the program's own user where ptrace is
# allowed: kernel.yama.ptrace_scope 0, or 1 for what strace starts itself.
# strace stops the program at every system call: a busy one becomes several
# times slower meanwhile, and what depends on time may come otherwise.
{command} PROGRAM

# The same for a program that runs already, by its id. Ctrl-C lets it go.
# Connections that are open by then have no calls; those made later have.
{command} -p PID

# Then, with both files, anywhere:
#   epipe replay x.pcap --strace x.log
# Of the segments alone, which cost the program nothing:
#   epipe explain x.pcap
"
    )
}

fn print(text: &str) -> Result<Ending, Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(Ending::Done),
    }
}

fn line(finding: &Finding) -> String {
    let word = if finding.works { "ok" } else { "no" };
    let remedy = finding.remedy.as_ref().map_or_else(String::new, |remedy| format!("; remedy: {remedy}"));
    format!("{word}  {:<26}{}{remedy}", finding.what, finding.detail)
}

/// How the lab will run here.
fn lab(findings: &[Finding]) -> &'static str {
    let works = |what: &str| findings.iter().any(|finding| finding.what == what && finding.works);
    match (works(probe::LOOPBACK), works(probe::CAPTURE), works(probe::HOST_CAPTURE)) {
        (true, true, _) => "on a loopback of its own, with capture",
        (true, false, _) => {
            "on a loopback of its own, without capture: calls, errors and states are real, segments are missing"
        }
        (false, _, true) => "on the host's loopback, with capture",
        (false, _, false) => {
            "on the host's loopback, without capture: calls, errors and states are real, segments are missing"
        }
    }
}
