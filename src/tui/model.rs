//! All that the dashboard knows.

use unicode_width::UnicodeWidthStr;

use crate::event::{Event, EventId};
use crate::socket::call::Call;
use crate::source::lab::message::NextCall;
use crate::story::Story;
use crate::story::findings::Finding;

use super::findings::FindingList;
use super::held::Held;
use super::keys::{Action, Context};
use super::line::Line;
use super::menu::{Entry, Menu, MenuScreen};
use super::message::Play;
use super::quiz::{Quiz, Score};
use super::scene::Scene;
use super::theme::Theme;
use super::view::text::wrap;

/// All that the dashboard knows.
#[derive(Debug, Default)]
pub struct Model {
    /// What the terminal can show.
    pub theme: Theme,
    /// How large it is.
    pub size: Size,
    /// The first screen. It is there even where a story is shown from the start, with nothing in it.
    pub menu: MenuScreen,
    /// The story that is shown; `None` while the menu is.
    pub story: Option<StoryScreen>,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// The present play.
    pub play: Play,
    /// Set once the dashboard has ended.
    pub ended: Option<Ended>,
}

/// The terminal's columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl Default for Size {
    fn default() -> Self {
        Self { width: 80, height: 24 }
    }
}

/// How the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user quit.
    Quit,
    /// By Ctrl-C, a signal, or because the terminal went away.
    Interrupted,
    /// A thread of this program panicked.
    Panicked,
}

/// What lies over the screen and takes the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlay {
    /// A page of text.
    Page(Page),
    /// What the programs did wrong.
    Findings(FindingList),
    /// A question.
    Quiz(Quiz),
    /// The path of a capture to open.
    Path(Line),
    /// What the menu is searched for.
    Search(Line),
}

/// A page of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What it is about.
    pub title: String,
    /// Its lines, unwrapped.
    pub lines: Vec<String>,
    /// How many rows have been scrolled past.
    pub offset: usize,
    /// Whether it is what a held program prints, and grows with that.
    pub grows: bool,
}

impl Page {
    /// Its rows on a terminal of `size`: a line is wrapped only if it is too long, so that columns made with spaces stay.
    pub fn rows(&self, size: Size) -> Vec<String> {
        let width = usize::from(size.width).saturating_sub(2);
        let rows = |line: &String| if line.width() <= width { vec![line.clone()] } else { wrap(line, width) };
        self.lines.iter().flat_map(rows).collect()
    }

    /// How many of them are seen at once: all but the title, the keys and a blank beside each.
    pub const fn seen(size: Size) -> usize {
        size.height.saturating_sub(4) as usize
    }

    /// The furthest that it can be scrolled: to where its last row stands at the bottom.
    pub fn last_offset(&self, size: Size) -> usize {
        self.rows(size).len().saturating_sub(Self::seen(size))
    }
}

/// Where a story comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It is happening.
    #[default]
    Live,
    /// It was read from a file.
    Replay,
}

/// The lower pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// Why, and what next.
    #[default]
    Why,
    /// The bytes account and both states.
    Bytes,
    /// The packet's bytes.
    Packet,
}

/// When the user is asked what a telling call will return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asking {
    /// At the first telling call only.
    #[default]
    Once,
    /// At each.
    Each,
    /// Never.
    Never,
}

/// Who lets calls go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// They go by themselves up to the first telling one.
    #[default]
    Walk,
    /// Each waits for the user.
    Step,
    /// They go by themselves to the end.
    Run,
}

/// How far a live scenario is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Progress {
    /// A call is under way.
    #[default]
    Busy,
    /// A call waits to be let go.
    Waiting(Box<NextCall>),
    /// It has ended.
    Finished,
}

/// A story on the screen.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, most of them under a key of their own")]
pub struct StoryScreen {
    /// The story; `None` before the first word of it.
    pub story: Option<Story>,
    /// What is drawn.
    pub scene: Scene,
    /// Events that the story does not have yet: it is told anew for all of them at once.
    pub untold: Vec<Event>,
    /// What else is known of a program that is held before its calls.
    pub held: Option<Held>,
    /// Where it comes from.
    pub origin: Origin,
    /// The scenario's entry in the menu, where it comes from there.
    pub entry: Option<Entry>,
    /// The row under the cursor, from 0.
    pub cursor: usize,
    /// Whether the cursor stays on the newest row.
    pub following: bool,
    /// Whether every ACK has a row.
    pub all_acks: bool,
    /// Whether rows are numbered by time.
    pub times: bool,
    /// The lower pane.
    pub pane: Pane,
    /// When the user is asked.
    pub asking: Asking,
    /// Who lets calls go.
    pub pace: Pace,
    /// How far it is.
    pub progress: Progress,
    /// Whether a call had to wait to be let go, so that the kernel's timers ran on meanwhile.
    pub waited: bool,
    /// Whether the call that was let go last only sleeps: the one after it then goes too.
    pub sleeping: bool,
    /// Whether Enter was pressed while a call was under way: the next call then goes too, unless it is a telling one.
    pub ahead: bool,
    /// The question whose call is under way.
    pub asked: Option<Quiz>,
    /// The call whose own row the cursor is to stop at, once its beginning is known: the last one that was let go, if it is
    /// a telling one.
    pub telling: Option<Telling>,
    /// What became of the last question: `you said EPIPE: no, 5 · 0 of 1`.
    pub judged: Option<String>,
    /// The questions so far.
    pub score: Score,
}

/// A telling call that was let go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// Who makes it.
    pub actor: String,
    /// The call.
    pub call: Call,
    /// The event of its beginning, once told.
    pub begun: Option<EventId>,
}

impl Model {
    /// A model that begins with the menu.
    pub fn with_menu(theme: Theme, menu: Menu) -> Self {
        Self { theme, menu: MenuScreen { menu, ..MenuScreen::default() }, ..Self::default() }
    }

    /// What takes the keys.
    pub fn context(&self) -> Context {
        match (&self.overlay, &self.story) {
            (Some(Overlay::Page(_)), _) => Context::Page,
            (Some(Overlay::Findings(_)), _) => Context::List,
            (Some(Overlay::Quiz(_)), _) => Context::Quiz,
            (Some(Overlay::Path(_) | Overlay::Search(_)), _) => Context::Line,
            (None, Some(StoryScreen { origin: Origin::Live, .. })) => Context::Live,
            (None, Some(_)) => Context::Replay,
            (None, None) => Context::Menu,
        }
    }

    /// Whether `action` does something where the keys go now.
    pub fn acts(&self, action: Action) -> bool {
        let Some(story) = &self.story else { return true };
        let is_over = story.origin == Origin::Live && story.progress == Progress::Finished;
        match action {
            Action::Variant => self.has_variant(),
            Action::Findings => !story.findings().is_empty(),
            // To be back at the menu there must be one.
            Action::Back => self.overlay.is_some() || !self.menu.menu.groups.is_empty(),
            Action::Accept if story.origin == Origin::Replay => story.cursor + 1 < story.scene.lines.len(),
            Action::Printed => story.held.is_some(),
            Action::Another => matches!(&story.progress, Progress::Waiting(next) if next.beside > 0),
            Action::Asking => !is_over && story.held.is_none(),
            Action::Accept | Action::Rest => !is_over,
            _ => true,
        }
    }

    /// Whether the story on the screen has another variant to play.
    pub fn has_variant(&self) -> bool {
        let entry = self.story.as_ref().and_then(|story| story.entry.as_ref());
        entry.is_some_and(|entry| self.menu.menu.variant_after(&entry.name).is_some())
    }
}

impl StoryScreen {
    /// Whether rows below the cursor are kept back: while it happens, nothing may tell what comes.
    pub fn hides_later(&self) -> bool {
        self.origin == Origin::Live && self.progress != Progress::Finished
    }

    /// How many rows are drawn from the first on.
    pub fn drawn(&self) -> usize {
        if self.hides_later() { self.scene.lines.len().min(self.cursor + 1) } else { self.scene.lines.len() }
    }

    /// Whether it has ended and the cursor stands at its end.
    pub fn at_its_end(&self) -> bool {
        self.progress == Progress::Finished && self.cursor + 1 >= self.scene.lines.len()
    }

    /// What the programs did wrong. What is still happening keeps it to itself, for it tells what comes.
    pub fn findings(&self) -> &[Finding] {
        self.story.as_ref().filter(|_| !self.hides_later()).map_or(&[], Story::findings)
    }

    /// The line at the top right.
    pub fn mode(&self) -> String {
        let kind = match self.origin {
            Origin::Live => "live",
            Origin::Replay => "replay",
        };
        let mode = self.scene.mode(kind, self.drawn());
        match self.findings().len() {
            0 => mode,
            1 => format!("{mode} · 1 finding (f)"),
            many => format!("{mode} · {many} findings (f)"),
        }
    }
}
