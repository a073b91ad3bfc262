//! Where a story goes: to stdout or a file, in the format that was asked for or that fits.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};

use super::Failure;
use crate::cli::{Common, Format};
use crate::report::{json, ladder, tcpdump, transcript};
use crate::story::Story;

/// The format to use: what was asked for, else the dashboard in a terminal and the ladder elsewhere.
pub fn format(common: &Common) -> Format {
    let to_terminal = common.output.is_none() && io::stdout().is_terminal();
    common.format.unwrap_or(if to_terminal { Format::Dashboard } else { Format::Ladder })
}

/// Writes `story` in `format`. `about` is what its title says beside its name. A reader that has gone is no failure.
pub fn write(story: &Story, about: &str, format: Format, common: &Common) -> Result<(), Failure> {
    let (mut out, name): (Box<dyn Write>, String) = match &common.output {
        Some(path) => {
            let name = format!("{:?}", path.display().to_string());
            let file = File::create(path).map_err(|error| Failure::new(format!("cannot create {name}: {error}")))?;
            (Box::new(file), name)
        }
        None => (Box::new(io::stdout().lock()), "standard output".to_owned()),
    };
    let mut buffered = BufWriter::new(&mut out);
    let result = match format {
        Format::Ladder | Format::Dashboard => ladder::write(story, about, &mut buffered),
        Format::Transcript => transcript::write(story, &mut buffered),
        Format::Tcpdump => tcpdump::write(story.journal(), tcpdump::Zone::Local, &mut buffered),
        Format::Json => json::write(story, &mut buffered),
    };
    match result.and_then(|()| buffered.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to {name}: {error}")))
        }
        _ => Ok(()),
    }
}
