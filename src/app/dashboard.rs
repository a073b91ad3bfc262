//! The dashboard's backstage: takes the terminal, and does what the dashboard asks for.

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread;

use super::{Ending, Failure, lab, menu, replay};
use crate::cli::{Color, Common};
use crate::source::lab::library;
use crate::source::lab::scenario::Scenario;
use crate::source::lab::{Lab, Options};
use crate::source::trace::Handle;
use crate::story::Story;
use crate::tui::held::Breaks;
use crate::tui::menu::Menu;
use crate::tui::message::{Effect, Message, Play};
use crate::tui::model::{Asking, Ended, Model, Pace, StoryScreen};
use crate::tui::theme::Theme;
use crate::tui::update::begin;
use crate::tui::{self, terminal};

/// Shows the menu.
pub fn show_menu(menu: Menu, common: &Common) -> Result<Ending, Failure> {
    let options = Options { hold: true, ..Options::default() };
    Backstage::new(options).run(Model::with_menu(theme(common), menu), Vec::new())
}

/// Plays `scenario` by `options`, except that each call waits to be let go, by the dashboard where `pace` says so.
pub fn play(
    scenario: &Scenario,
    asking: Asking,
    pace: Pace,
    options: &Options,
    common: &Common,
) -> Result<Ending, Failure> {
    let mut model = Model { theme: theme(common), ..Model::default() };
    let effects = begin(&mut model, menu::entry(scenario), asking, pace);
    let mut backstage = Backstage::new(Options { hold: true, ..options.clone() });
    backstage.named = Some(scenario.clone());
    backstage.run(model, effects)
}

/// Shows a run that has happened.
pub fn show(title: String, story: Story, common: &Common) -> Result<Ending, Failure> {
    let story = Some(replayed(title, story));
    Backstage::new(Options::default()).run(Model { theme: theme(common), story, ..Model::default() }, Vec::new())
}

/// Shows a program called `name` that is held where `breaks` say. `start` starts it, and tells of it where it is handed.
pub fn hold(
    name: String,
    breaks: Breaks,
    common: &Common,
    start: impl FnOnce(SyncSender<Message>) -> Result<Handle, Failure>,
) -> Result<Ending, Failure> {
    let story = Some(StoryScreen::held(name, breaks));
    let mut backstage = Backstage::new(Options::default());
    backstage.traced = Some(start(backstage.sender.clone())?);
    backstage.run(Model { theme: theme(common), story, ..Model::default() }, Vec::new())
}

/// Does what the dashboard asks for. What takes time is done in a thread of its own, which sends what came of it.
struct Backstage {
    sender: SyncSender<Message>,
    receiver: Option<Receiver<Message>>,
    options: Options,
    /// The scenario that was named on the command line: it may be a file, which the library does not have.
    named: Option<Scenario>,
    lab: Option<Lab>,
    /// The program that is held.
    traced: Option<Handle>,
}

impl Backstage {
    fn new(options: Options) -> Self {
        let (sender, receiver) = terminal::channel();
        Self { sender, receiver: Some(receiver), options, named: None, lab: None, traced: None }
    }

    /// Runs the dashboard on the terminal, beginning with the effects `first`.
    fn run(mut self, model: Model, first: Vec<Effect>) -> Result<Ending, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot use this terminal: {error}")).help("--format ladder needs none")
        };
        let Some(receiver) = self.receiver.take() else { return Ok(Ending::Done) };
        let (mut screen, guard) = terminal::take(&self.sender).map_err(failed)?;
        for message in first.into_iter().flat_map(|effect| self.handle(effect)).collect::<Vec<_>>() {
            // Only a start can be refused so early, and the channel is empty.
            let _ = self.sender.try_send(message);
        }
        let ended = tui::run(&mut screen, model, &receiver, |effect| self.handle(effect));
        // The programs first: when the shell is back, no process of them is left.
        drop(self);
        drop(screen);
        drop(guard);
        match ended.map_err(failed)? {
            Ended::Quit => Ok(Ending::Done),
            Ended::Interrupted => Ok(Ending::Interrupted),
            Ended::Panicked => Err(Failure::new("a thread of this program panicked; its message stands above")),
        }
    }

    fn handle(&mut self, effect: Effect) -> Vec<Message> {
        let done = match effect {
            Effect::StartLab { play, name } => self.start(play, &name),
            Effect::Lab(command) => {
                if let Some(lab) = &self.lab {
                    lab.command(command);
                }
                if let Some(traced) = &self.traced {
                    traced.command(command);
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
        let scenario = match self.named.as_ref().filter(|named| named.name == name) {
            Some(named) => named.clone(),
            None => lab::find(name)?,
        };
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

impl Drop for Backstage {
    fn drop(&mut self) {
        self.traced.iter().for_each(Handle::end);
    }
}

/// The screen of a run that has happened, with what the scenario of its name has to teach.
fn replayed(title: String, story: Story) -> StoryScreen {
    let entry = library::find(&story.journal().run().name).ok().flatten().map(|scenario| menu::entry(&scenario));
    StoryScreen::replay(title, story, entry)
}

fn refused(failure: Failure) -> Message {
    Message::Refused { message: failure.message, help: failure.help }
}

fn open(path: PathBuf) -> Message {
    let title = replay::title(&path);
    match replay::journal_of(path) {
        Ok(journal) => Message::Opened { title, story: Box::new(Story::tell(journal)) },
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
