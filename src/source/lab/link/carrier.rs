//! Carries packets between the two TUN descriptors, in a thread of its own.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll, ppoll};
use nix::sys::time::TimeSpec;

use super::wire::Wire;
use super::{Link, Side};

/// The largest IP packet.
const LARGEST: usize = 65_535;

/// The two ends' descriptors, and what is between them.
struct Shared {
    client: File,
    server: File,
    /// Locked whenever a packet leaves or enters a descriptor, so that none is ever in neither place.
    carried: Mutex<Carried>,
}

struct Carried {
    wire: Wire,
    /// Why nothing is carried any more.
    failed: Option<io::Error>,
}

/// A link at work. Dropping it ends it, and what is under way is lost.
pub struct Carrier {
    shared: Arc<Shared>,
    /// Its end ends the thread.
    running: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Carrier {
    /// Starts to carry between the ends' descriptors, which do not wait.
    pub fn start(link: &Link, client: File, server: File) -> io::Result<Self> {
        let carried = Mutex::new(Carried { wire: Wire::new(link), failed: None });
        let shared = Arc::new(Shared { client, server, carried });
        let (ended, running) = io::pipe()?;
        let its = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("link".to_owned()).spawn(move || its.carry(&ended))?;
        Ok(Self { shared, running: Some(running), thread: Some(thread) })
    }

    /// Whether nothing is under way: on the link, or sent and not yet taken.
    pub fn is_idle(&self) -> io::Result<bool> {
        let mut carried = self.shared.lock();
        if let Some(error) = carried.failed.take() {
            return Err(error);
        }
        let mut ends = self.shared.ends();
        Ok(carried.wire.is_empty() && poll(&mut ends, PollTimeout::ZERO)? == 0)
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        drop(self.running.take());
        if let Some(thread) = self.thread.take() {
            // It returns no value, and a panic in it was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, side: Side) -> &File {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    fn ends(&self) -> [PollFd<'_>; 2] {
        [&self.client, &self.server].map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN))
    }

    /// Carries until `ended` ends.
    fn carry(&self, ended: &PipeReader) {
        let mut buffer = vec![0; LARGEST];
        loop {
            let next = {
                let mut carried = self.lock();
                match self.pass_on(&mut carried.wire, &mut buffer) {
                    Ok(()) => carried.wire.next(),
                    Err(error) => {
                        carried.failed = Some(error);
                        return;
                    }
                }
            };
            let until = next.map(|next| TimeSpec::from_duration(next.saturating_duration_since(Instant::now())));
            let [client, server] = self.ends();
            let mut sources = [client, server, PollFd::new(ended.as_fd(), PollFlags::POLLIN)];
            // What interrupts or fails here is met again by the next read.
            let _ = ppoll(&mut sources, until, None);
            if sources.last().and_then(PollFd::any) == Some(true) {
                return;
            }
        }
    }

    /// Takes what was sent, and hands over what has arrived.
    fn pass_on(&self, wire: &mut Wire, buffer: &mut [u8]) -> io::Result<()> {
        for side in [Side::Client, Side::Server] {
            while let Some(length) = read(self.end(side), buffer)? {
                wire.take(Instant::now(), side, buffer.get(..length).unwrap_or_default().to_vec());
            }
        }
        while let Some((side, packet)) = wire.arrived(Instant::now()) {
            self.end(side).write_all(&packet)?;
        }
        Ok(())
    }
}

/// The length of the next packet; `None` where there is none yet.
fn read(mut end: &File, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    match end.read(buffer) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
