//! A program in a pseudo-terminal, and what its screen shows.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a text may take to appear before the test fails; never waited for where it appears.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program in a pseudo-terminal of 80 by 24.
pub struct Session {
    pub master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    before: HashMap<&'static str, u64>,
}

impl Session {
    /// Starts `program` with `args` and `variables`, and waits until it has taken the terminal and shows `first`.
    pub fn start(program: &Path, args: &[&str], variables: &[(&str, &str)], first: &str) -> Self {
        let mut session = Self::run(program, args, variables);
        session.wait_for(first);
        assert!(session.screen.screen().alternate_screen());
        assert_ne!(modes(session.master.as_ref()), session.before, "raw mode");
        session
    }

    /// Starts `program` with `args` and `variables`.
    pub fn run(program: &Path, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let before = modes(pty.master.as_ref());
        let mut command = CommandBuilder::new(program);
        command.args(args);
        for (name, value) in variables {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let child = pty.slave.spawn_command(command).unwrap();
        let keys = pty.master.take_writer().unwrap();
        let output = read_on(pty.master.try_clone_reader().unwrap());
        let screen = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        Self { master: pty.master, child, keys, output, screen, before }
    }

    /// Reads until `text` is on the screen.
    pub fn wait_for(&mut self, text: &str) {
        self.wait_until(text, |session| session.shows(text));
    }

    /// What is on the screen.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Whether `text` is on the screen.
    pub fn shows(&self, text: &str) -> bool {
        self.contents().contains(text)
    }

    /// Reads until `is_it`, which is told of as `what`.
    pub fn wait_until(&mut self, what: &str, is_it: impl Fn(&Self) -> bool) {
        while !is_it(self) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{what:?} did not appear ({error}):\n{}", self.screen.screen().contents()),
            }
        }
    }

    /// The word behind `text` on the screen.
    pub fn word_after(&self, text: &str) -> Option<String> {
        let contents = self.screen.screen().contents();
        let (_, after) = contents.split_once(text)?;
        after.split_whitespace().next().map(str::to_owned)
    }

    /// Presses `keys`.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// The program's process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap())
    }

    /// Reads to the end and holds the terminal to what it was. Returns the exit code and the last screen.
    pub fn end(mut self) -> (u32, String) {
        while let Ok(bytes) = self.output.recv_timeout(PATIENCE) {
            self.screen.process(&bytes);
        }
        let code = self.child.wait().unwrap().exit_code();
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is still there");
        assert!(!screen.hide_cursor(), "the cursor is still hidden");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!screen.bracketed_paste());
        assert_eq!(modes(self.master.as_ref()), self.before, "the terminal's modes");
        (code, screen.contents())
    }
}

/// The terminal's modes, as numbers.
fn modes(master: &dyn MasterPty) -> HashMap<&'static str, u64> {
    let termios = master.get_termios().unwrap();
    HashMap::from([
        ("input", u64::from(termios.input_flags.bits())),
        ("output", u64::from(termios.output_flags.bits())),
        ("control", u64::from(termios.control_flags.bits())),
        ("local", u64::from(termios.local_flags.bits())),
    ])
}

fn read_on(mut reader: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        // On Linux the end of a pseudo-terminal is an error, EIO.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
