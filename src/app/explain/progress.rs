//! How far the reading is, on a terminal; and Ctrl-C, which ends the reading and keeps what was found.

use std::io::{self, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::app::Failure;
use crate::source::file::{Progress, Watch};

/// What watches over the reading.
pub struct Overseer {
    /// Can be read once a signal has come.
    stop: UnixStream,
    /// Whether progress is drawn.
    drawn: bool,
}

impl Overseer {
    /// Takes Ctrl-C over. A second one ends the program at once.
    pub fn new() -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(format!("cannot handle signals: {error}"));
        let (stop, signalled) = UnixStream::pair().map_err(failed)?;
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 130, again.clone()).map_err(failed)?;
            flag::register(signal, again.clone()).map_err(failed)?;
            low_level::pipe::register(signal, signalled.try_clone().map_err(failed)?).map_err(failed)?;
        }
        Ok(Self { stop, drawn: io::stderr().is_terminal() })
    }

    /// The watch over the files.
    pub fn watch(&self) -> Result<Watch, Failure> {
        let stop = self.stop.try_clone().map_err(|error| Failure::new(format!("cannot handle signals: {error}")))?;
        let watch = Watch::default().stopped_by(OwnedFd::from(stop));
        Ok(if self.drawn { watch.telling(draw) } else { watch })
    }

    /// Takes the progress line away.
    pub fn clear(&self) {
        if self.drawn {
            // A terminal that has gone needs no tidying.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn draw(progress: Progress) {
    let mib = |bytes: u64| bytes / (1 << 20);
    let line = match progress.of {
        Some(of) if of > 0 => {
            format!("{} of {} MiB read, {} %", mib(progress.read), mib(of), progress.read.saturating_mul(100) / of)
        }
        _ => format!("{} KiB read; Ctrl-C ends it and shows what was found", progress.read / 1024),
    };
    let _ = write!(io::stderr(), "\r\x1b[Kepipe: {line}");
}
