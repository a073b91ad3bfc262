//! The real terminal: taken, and given back whatever happens.
//!
//! It is given back when the guard is dropped, when any thread panics (before the panic's message is printed, so that the
//! message can be read), and after SIGINT, SIGTERM and SIGHUP, which end the dashboard as messages. From then on nothing is
//! drawn: the thread that draws may not know yet.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{panic, thread};

use crossterm::event::{self, Event};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use super::message::Message;

/// How many messages wait before a sender does.
const WAITING: usize = 1024;

/// The channel on which everything that happens reaches the dashboard.
pub fn channel() -> (SyncSender<Message>, Receiver<Message>) {
    sync_channel(WAITING)
}

/// The terminal as ratatui draws on it.
pub type Screen = Terminal<CrosstermBackend<Output>>;

/// Gives the terminal back when dropped.
#[derive(Debug)]
pub struct Guard {
    state: Arc<State>,
    signals: Handle,
}

/// Whether the terminal is ours. Held while something is written to it.
#[derive(Debug, Default)]
struct State(Mutex<Owner>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Owner {
    #[default]
    Dashboard,
    Shell,
}

/// Takes the terminal: raw mode, the alternate screen, no cursor. Keys, sizes and signals come to `sender` from now on, from
/// threads of their own. Fails where stdin and stdout are no terminal, or a signal cannot be handled.
pub fn take(sender: &SyncSender<Message>) -> io::Result<(Screen, Guard)> {
    let state = Arc::new(State::default());
    let signals = forward_signals(sender.clone())?;
    let guard = Guard { state: Arc::clone(&state), signals };
    give_back_on_panic(Arc::clone(&state), sender.clone());
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, cursor::Hide)?;
    let screen = Terminal::new(CrosstermBackend::new(Output { state, pending: Vec::new() }))?;
    forward_keys(sender.clone())?;
    Ok((screen, guard))
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.state.give_back();
        self.signals.close();
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Owner> {
        // A thread that panicked while it held the lock has left nothing half done: the value is one word.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the terminal back, once. Failing to write is no reason to do less: the terminal may be gone.
    fn give_back(&self) {
        let mut owner = self.lock();
        if *owner == Owner::Dashboard {
            *owner = Owner::Shell;
            let _ = execute!(io::stdout(), LeaveAlternateScreen, cursor::Show);
            let _ = disable_raw_mode();
        }
    }
}

/// Before the hook that is installed already prints the panic's message, gives the terminal back; afterwards tells the
/// dashboard to end. Where the channel is full a thread waits for room, so that the one that panicked need not.
fn give_back_on_panic(state: Arc<State>, sender: SyncSender<Message>) {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        state.give_back();
        print(info);
        if let Err(TrySendError::Full(message)) = sender.try_send(Message::Panicked) {
            let sender = sender.clone();
            let _ = thread::Builder::new().name("panicked".into()).spawn(move || drop(sender.send(message)));
        }
    }));
}

/// SIGWINCH is taken here and not with the keys: that thread may not have come to its first read when the first screen stands.
fn forward_signals(sender: SyncSender<Message>) -> io::Result<Handle> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGWINCH])?;
    let handle = signals.handle();
    let forward = move || {
        for signal in signals.forever() {
            let message = if signal == SIGWINCH { Message::Resized } else { Message::Interrupted };
            if sender.send(message).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("signals".into()).spawn(forward)?;
    Ok(handle)
}

/// The thread blocks in its read until the process ends: there is no way to wake it that does not lose a key.
fn forward_keys(sender: SyncSender<Message>) -> io::Result<()> {
    let forward = move || {
        loop {
            let message = match event::read() {
                Ok(Event::Key(key)) => Message::Key(key),
                Ok(_) => continue,
                Err(_) => Message::InputLost,
            };
            let last = matches!(message, Message::InputLost);
            if sender.send(message).is_err() || last {
                return;
            }
        }
    };
    thread::Builder::new().name("keys".into()).spawn(forward).map(drop)
}

/// Stdout as long as the terminal is ours. What was written reaches it when flushed, at once; afterwards it goes nowhere, for
/// who draws learns only by a message that there is nothing left to draw on.
#[derive(Debug)]
pub struct Output {
    state: Arc<State>,
    pending: Vec<u8>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let owner = self.state.lock();
        if *owner == Owner::Shell {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&pending)?;
        stdout.flush()
    }
}
