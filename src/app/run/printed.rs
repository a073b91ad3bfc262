//! What a held program prints, while the dashboard has the terminal: kept, and printed when that is given back.

use std::fs::File;
use std::io::{self, IsTerminal, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::SyncSender;
use std::thread::JoinHandle;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{OpenptyResult, Winsize, openpty};
use nix::sys::termios::{OutputFlags, tcgetattr};

use crate::source::trace::Standard;
use crate::tui::message::Message;

/// How many bytes are kept.
const MOST: usize = 16 << 20;

/// A terminal for the program, as it would have had this one.
pub struct Printed {
    reader: JoinHandle<Kept>,
    /// Dropped when nothing more is to come.
    stop: PipeWriter,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    beyond: usize,
}

impl Printed {
    /// A terminal whose output goes to `told`, and what the program gets: no input but what is no terminal, the terminal as its
    /// output, and as its error too where that is one.
    pub fn open(told: SyncSender<Message>) -> io::Result<(Self, Standard)> {
        let stdin = io::stdin();
        let mut attributes = tcgetattr(io::stdout())?;
        // What comes out is what went in.
        attributes.output_flags.remove(OutputFlags::OPOST);
        let OpenptyResult { master, slave } = openpty(Some(&size()), Some(&attributes))?;
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        // openpty(3) has no flag for it, and the program is to have no descriptor that it would not have alone.
        for end in [&master, &slave] {
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let error = io::stderr();
        let standard = Standard {
            input: if stdin.is_terminal() {
                File::open("/dev/null")?.into()
            } else {
                stdin.as_fd().try_clone_to_owned()?
            },
            error: if error.is_terminal() { slave.try_clone()? } else { error.as_fd().try_clone_to_owned()? },
            output: slave,
        };
        let (stopped, stop) = io::pipe()?;
        let read = move || read(master, &stopped, &told);
        let reader = std::thread::Builder::new().name("output".to_owned()).spawn(read)?;
        Ok((Self { reader, stop }, standard))
    }

    /// Prints all that was kept, once the program has ended.
    pub fn print(self) -> io::Result<()> {
        drop(self.stop);
        let kept = self.reader.join().unwrap_or_default();
        let mut out = io::stdout().lock();
        out.write_all(&kept.bytes)?;
        if kept.beyond > 0 {
            eprintln!("epipe: the program printed {} bytes more, which were not kept", kept.beyond);
        }
        out.flush()
    }
}

fn size() -> Winsize {
    let (ws_col, ws_row) = crossterm::terminal::size().unwrap_or((80, 24));
    Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Reads until `stopped` ends, and then what is still there.
fn read(master: OwnedFd, stopped: &PipeReader, told: &SyncSender<Message>) -> Kept {
    let mut master = File::from(master);
    let mut kept = Kept::default();
    loop {
        let is_over = wait(&master, stopped);
        let mut buffer = [0; 8192];
        // Somebody may print for ever.
        let mut left = if is_over { MOST } else { usize::MAX };
        // Nothing is there to read, or nobody has the other end any more.
        while left > 0
            && let Ok(count @ 1..) = master.read(&mut buffer)
        {
            left = left.saturating_sub(count);
            let bytes = buffer.get(..count).unwrap_or_default();
            let room = bytes.len().min(MOST - kept.bytes.len());
            kept.bytes.extend_from_slice(bytes.get(..room).unwrap_or_default());
            kept.beyond += bytes.len() - room;
            // A dashboard that has ended shows nothing more.
            let _ = told.send(Message::Printed(bytes.to_vec()));
        }
        if is_over {
            return kept;
        }
    }
}

/// Waits for output; whether `stopped` has ended.
fn wait(master: &File, stopped: &PipeReader) -> bool {
    let mut sources = [PollFd::new(master.as_fd(), PollFlags::POLLIN), PollFd::new(stopped.as_fd(), PollFlags::POLLIN)];
    match poll(&mut sources, PollTimeout::NONE) {
        Ok(_) => {
            let [output, stopped] = sources.map(|source| source.revents().unwrap_or(PollFlags::empty()));
            // That everybody has closed the terminal shows once all was read.
            !stopped.is_empty() || (output.contains(PollFlags::POLLHUP) && !output.contains(PollFlags::POLLIN))
        }
        Err(errno) => errno != Errno::EINTR,
    }
}
