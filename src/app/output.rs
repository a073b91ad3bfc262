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

/// Writes `story` in `format`. `about` is what its title says beside its name.
pub fn write(story: &Story, about: &str, format: Format, common: &Common) -> Result<(), Failure> {
    refuse(format)?;
    to(common, |out| print(story, about, format, out))
}

/// Refuses the formats that a story does not have.
pub fn refuse(format: Format) -> Result<(), Failure> {
    if matches!(format, Format::Text | Format::Jsonl) {
        return Err(Failure::new("a story has no such format: text and jsonl are explain's")
            .help("take --format ladder, transcript, tcpdump or json"));
    }
    Ok(())
}

/// Prints `story` in a format that it has.
pub fn print(story: &Story, about: &str, format: Format, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Transcript => transcript::write(story, out),
        Format::Tcpdump => tcpdump::write(story.journal(), tcpdump::Zone::Local, out),
        Format::Json => json::write(story, out),
        _ => ladder::write(story, about, out),
    }
}

/// Hands `write` what the answer is written to. A reader that has gone is no failure.
pub fn to(common: &Common, write: impl FnOnce(&mut (dyn Write + Send)) -> io::Result<()>) -> Result<(), Failure> {
    let file = common.output.as_deref().filter(|path| path.as_os_str() != "-");
    let (mut out, name): (Box<dyn Write + Send>, String) = match file {
        Some(path) => {
            let name = format!("{:?}", path.display().to_string());
            let file = File::create(path).map_err(|error| Failure::new(format!("cannot create {name}: {error}")))?;
            (Box::new(file), name)
        }
        None => (Box::new(io::stdout()), "standard output".to_owned()),
    };
    let mut buffered = BufWriter::with_capacity(BUFFER, &mut out);
    let result = write(&mut buffered);
    match result.and_then(|()| buffered.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to {name}: {error}")))
        }
        _ => Ok(()),
    }
}

/// How many bytes are written at once.
const BUFFER: usize = 64 * 1024;
