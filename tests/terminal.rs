//! The dashboard in a real terminal: whatever ends it, the terminal is as it was.
//!
//! The program under test is this file's own binary, started again inside a pseudo-terminal with a role to play; hence no
//! test harness.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::process::exit;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use epipe::tui::menu::{Entry, Group, Menu};
use epipe::tui::message::Effect;
use epipe::tui::model::{Ended, Model};
use epipe::tui::theme::Theme;
use epipe::tui::{run, terminal};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The role's name, for the program under test.
const ROLE: &str = "EPIPE_TERMINAL_ROLE";

/// How long a text may take to appear before the test fails; never waited for where it appears.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        exit(play(&role));
    }
    let tests: [(&str, fn()); 7] = [
        ("quitting gives the terminal back", quitting),
        ("Ctrl-C gives it back and is said by the exit code", control_c),
        ("signals give it back", signals),
        ("a panic in the drawing thread gives it back before its message", panic_in_the_loop),
        ("a panic in another thread gives it back and ends the dashboard", panic_in_a_thread),
        ("another size is drawn anew", resize),
        ("keys reach the menu", keys),
    ];
    for (name, test) in tests {
        test();
        println!("terminal: {name} ... ok");
    }
}

/// The program under test: a menu whose `d` does what `role` says.
fn play(role: &str) -> i32 {
    let (sender, receiver) = terminal::channel();
    let (mut screen, guard) = terminal::take(&sender).expect("a terminal");
    let model = Model::with_menu(Theme::default(), menu());
    let ended = run(&mut screen, model, &receiver, |effect| {
        match (role, effect) {
            ("panic-in-the-loop", Effect::Doctor) => panic!("the loop fell over"),
            ("panic-in-a-thread", Effect::Doctor) => {
                thread::spawn(|| panic!("a thread fell over"));
            }
            _ => {}
        }
        Vec::new()
    });
    drop(guard);
    match ended {
        Ok(Ended::Quit) => 0,
        Ok(Ended::Interrupted) => 130,
        Ok(Ended::Panicked) | Err(_) => 2,
    }
}

fn menu() -> Menu {
    let entry = |name: &str, question: &str| Entry { name: name.into(), question: question.into(), ..Entry::default() };
    let entries = vec![entry("broken-pipe", "Why the second?"), entry("ping-pang", "Why a third?")];
    Menu::new("private lo", vec![Group { title: "Broken pipe".into(), line: String::new(), entries }])
}

/// A program in a pseudo-terminal of 80 by 24.
struct Session {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    before: HashMap<&'static str, u64>,
}

impl Session {
    fn start(role: &str) -> Self {
        let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        let before = modes(pty.master.as_ref());
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.env(ROLE, role);
        command.env("TERM", "xterm-256color");
        command.env("RUST_BACKTRACE", "0");
        let child = pty.slave.spawn_command(command).unwrap();
        let keys = pty.master.take_writer().unwrap();
        let output = read_on(pty.master.try_clone_reader().unwrap());
        let screen = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        let mut session = Self { master: pty.master, child, keys, output, screen, before };
        session.wait_for("What did you see?");
        assert!(session.screen.screen().alternate_screen());
        assert_ne!(modes(session.master.as_ref()), session.before, "raw mode");
        session
    }

    /// Reads until `text` is on the screen.
    fn wait_for(&mut self, text: &str) {
        while !self.screen.screen().contents().contains(text) {
            match self.output.recv_timeout(PATIENCE) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(error) => panic!("{text:?} did not appear ({error}):\n{}", self.screen.screen().contents()),
            }
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap())
    }

    /// Reads to the end and holds the terminal to what it was. Returns the exit code and the last screen.
    fn end(mut self) -> (u32, String) {
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

fn quitting() {
    let mut session = Session::start("plain");
    session.press("q");
    assert_eq!(session.end(), (0, String::new()));
}

fn control_c() {
    let mut session = Session::start("plain");
    session.press("\x03");
    assert_eq!(session.end(), (130, String::new()));
}

fn signals() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let session = Session::start("plain");
        kill(session.pid(), signal).unwrap();
        assert_eq!(session.end(), (130, String::new()), "{signal}");
    }
}

fn panic_in_the_loop() {
    let mut session = Session::start("panic-in-the-loop");
    session.press("d");
    let (code, screen) = session.end();
    assert_eq!(code, 101);
    assert!(screen.contains("the loop fell over"), "{screen}");
    assert!(!screen.contains("What did you see?"), "{screen}");
}

fn panic_in_a_thread() {
    let mut session = Session::start("panic-in-a-thread");
    session.press("d");
    let (code, screen) = session.end();
    assert_eq!(code, 2);
    assert!(screen.contains("a thread fell over"), "{screen}");
    assert!(!screen.contains("What did you see?"), "{screen}");
}

fn resize() {
    let mut session = Session::start("plain");
    session.master.resize(PtySize { rows: 5, cols: 30, pixel_width: 0, pixel_height: 0 }).unwrap();
    session.wait_for("30×5");
    session.press("q");
    assert_eq!(session.end().0, 0);
}

fn keys() {
    let mut session = Session::start("plain");
    session.press("\x1b[B");
    session.wait_for("▶ ping-pang");
    session.press("?");
    session.wait_for("─ Help");
    session.press("q");
    assert_eq!(session.end().0, 0);
}
