//! The dashboard's backstage: takes the terminal, and does what the dashboard asks for.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::SyncSender;
use std::thread;

use super::{Ending, Failure, lab, replay};
use crate::cli::{Color, Common};
use crate::source::lab::{Lab, Options};
use crate::story::journal::Journal;
use crate::tui::menu::{Entry, Menu};
use crate::tui::message::{Effect, Message, Play};
use crate::tui::model::{Asking, Ended, Model, StoryScreen};
use crate::tui::theme::Theme;
use crate::tui::update::begin;
use crate::tui::{self, terminal};

/// Shows the menu.
pub fn menu(menu: Menu, common: &Common) -> Result<Ending, Failure> {
    run(Model::with_menu(theme(common), menu), Vec::new(), Options { hold: true, ..Options::default() })
}

/// Plays the scenario of `entry` by `options`; each call waits to be let go whatever they say, and `asking` says when the user
/// is asked first.
pub fn play(entry: Entry, asking: Asking, step: bool, options: &Options, common: &Common) -> Result<Ending, Failure> {
    let mut model = Model { theme: theme(common), ..Model::default() };
    let effects = begin(&mut model, entry, asking, step);
    run(model, effects, Options { hold: true, ..options.clone() })
}

/// Shows a run that has happened.
pub fn show(title: String, journal: Journal, common: &Common) -> Result<Ending, Failure> {
    let story = Some(StoryScreen::replay(title, journal));
    run(Model { theme: theme(common), story, ..Model::default() }, Vec::new(), Options::default())
}

fn run(model: Model, first: Vec<Effect>, options: Options) -> Result<Ending, Failure> {
    let (sender, receiver) = terminal::channel();
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot use this terminal: {error}")).help("epipe --format ladder needs none")
    };
    // The screen is dropped before the guard, and the lab before both: no process is left when the shell is back.
    let (mut screen, guard) = terminal::take(&sender).map_err(failed)?;
    let mut backstage = Backstage { sender, options, lab: None };
    for message in first.into_iter().flat_map(|effect| backstage.handle(effect)).collect::<Vec<_>>() {
        // Only a start can be refused so early, and the channel is empty.
        let _ = backstage.sender.try_send(message);
    }
    let ended = tui::run(&mut screen, model, &receiver, |effect| backstage.handle(effect));
    drop(backstage);
    drop(screen);
    drop(guard);
    match ended.map_err(failed)? {
        Ended::Quit => Ok(Ending::Done),
        Ended::Interrupted => Ok(Ending::Interrupted),
        Ended::Panicked => Err(Failure::new("a thread of this program panicked; its message stands above")),
    }
}

/// Does what the dashboard asks for. What takes time is done in a thread of its own, which sends what came of it.
struct Backstage {
    sender: SyncSender<Message>,
    options: Options,
    lab: Option<Lab>,
}

impl Backstage {
    fn handle(&mut self, effect: Effect) -> Vec<Message> {
        let done = match effect {
            Effect::StartLab { play, name } => self.start(play, &name),
            Effect::Lab(command) => {
                if let Some(lab) = &self.lab {
                    lab.command(command);
                }
                Ok(())
            }
            Effect::StopLab => {
                self.lab = None;
                Ok(())
            }
            Effect::Open(path) => self.aside(move || open(path)),
            Effect::Doctor => self.aside(doctor),
        };
        done.err().map(refused).into_iter().collect()
    }

    fn start(&mut self, play: Play, name: &str) -> Result<(), Failure> {
        self.lab = None;
        let scenario = lab::find(name)?;
        let sender = self.sender.clone();
        let tell = move |message| match sender.send(Message::Lab { play, message }) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let lab = Lab::start_with(&scenario, &self.options, tell).map_err(|error| Failure::new(error.to_string()))?;
        self.lab = Some(lab);
        Ok(())
    }

    fn aside(&self, work: impl FnOnce() -> Message + Send + 'static) -> Result<(), Failure> {
        let sender = self.sender.clone();
        // Nobody listens any more once the dashboard has ended.
        let send = move || drop(sender.send(work()));
        let spawned = thread::Builder::new().name("aside".to_owned()).spawn(send);
        spawned.map(drop).map_err(|error| Failure::new(format!("cannot start a thread: {error}")))
    }
}

fn refused(failure: Failure) -> Message {
    Message::Refused { message: failure.message, help: failure.help }
}

fn open(path: PathBuf) -> Message {
    let title = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match replay::journal_of(path) {
        Ok(journal) => Message::Opened { title, journal },
        Err(failure) => refused(failure),
    }
}

/// What `epipe doctor` prints. It tries namespaces, which only a process with a single thread may enter, so it is one.
fn doctor() -> Message {
    let output = Command::new("/proc/self/exe").arg("doctor").stdin(Stdio::null()).output();
    match output {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Message::Doctor(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
        }
        Err(error) => refused(Failure::new(format!("cannot start epipe doctor: {error}"))),
    }
}

/// What the terminal can show, by `--color`, `NO_COLOR` and the locale.
fn theme(common: &Common) -> Theme {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let colour = match common.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => set("NO_COLOR").is_none(),
    };
    // The first that is set counts, locale(7); where none is, the terminal is taken to be of this century.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_else(|| "C.UTF-8".to_owned());
    let locale = locale.to_lowercase();
    Theme { colour, ascii: !locale.contains("utf-8") && !locale.contains("utf8") }
}
