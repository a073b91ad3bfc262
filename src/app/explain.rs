//! `epipe explain`: how every connection of a capture ended.

use std::io::BufWriter;
use std::path::Path;

use super::{Ending, Failure};
use crate::cli::{Common, Explain};
use crate::event::Time;
use crate::report::explain::json;
use crate::source::file::{self, Capture, FileError, Seen};
use crate::survey::{Detail, Packet, Share, Survey};

/// Explains the captures that `explain` names.
pub fn run(explain: &Explain, _common: &Common) -> Result<Ending, Failure> {
    let of = explain.threads.unwrap_or(1);
    let shares: Vec<Share> = Share::split(of, 12345).collect();
    let path = explain.files[0].clone();
    let detail = if explain.brief { Detail::Endings } else { Detail::Everything };
    let surveys: Vec<Result<Survey, Failure>> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares.into_iter().map(|share| { let path = &path; scope.spawn(move || survey(path, detail, share)) }).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let surveys = surveys.into_iter().collect::<Result<Vec<_>, _>>()?;
    let found = Survey::finish(surveys);
    eprintln!("{} connections", found.len());
    if !explain.brief {
        let mut out = BufWriter::new(std::io::stdout().lock());
        json::write(&found, &[path.display().to_string()], &mut out).map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(Ending::Done)
}

fn survey(path: &Path, detail: Detail, share: Share) -> Result<Survey, Failure> {
    let failed = |error: FileError| Failure { message: error.to_string(), help: error.help() };
    let (name, input) = file::open(path).map_err(failed)?;
    let mut capture = Capture::new(name, input).map_err(failed)?;
    let mut survey = Survey::new(detail, share);
    let mut now = Time(0);
    while let Some(seen) = capture.advance() {
        match seen.map_err(failed)? {
            Seen::Packet(view) => {
                now = view.time.unwrap_or(now);
                survey.packet(&Packet {
                    frame: view.number,
                    time: now,
                    link_type: view.link_type,
                    interface: view.interface,
                    original_len: view.original_len,
                    data: view.data,
                });
            }
            Seen::Row(_, name) => survey.row(name),
            Seen::SectionComment(_) => {}
            Seen::Gap(gap) => survey.gap(&gap),
        }
    }
    Ok(survey)
}
