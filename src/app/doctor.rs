//! `epipe doctor`: what this machine allows.

use std::io::{self, Write};
use std::path::Path;

use super::{Ending, Failure};
use crate::cli::Common;
use crate::source::probe::{self, Finding};

/// Tries each step for real, prints a line for each, and what follows for the lab.
pub fn run(_common: &Common) -> Result<Ending, Failure> {
    let findings = probe::findings(Path::new("/proc/self/exe"));
    let mut lines: Vec<String> = findings.iter().map(line).collect();
    lines.push(format!("The lab runs {}.", lab(&findings)));
    let text = lines.join("\n") + "\n";
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
