//! Which key does what where: one table, from which keys are looked up, footers and help are made.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What takes the keys at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// The first screen.
    Menu,
    /// A line that text is typed into: a search or a path.
    Line,
    /// A story that is happening.
    Live,
    /// A story that has happened.
    Replay,
    /// A question that waits for an answer.
    Quiz,
    /// A page of text over the screen.
    Page,
    /// A list over the screen, of which one is chosen.
    List,
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Menu, Self::Line, Self::Live, Self::Replay, Self::Quiz, Self::Page, Self::List];
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table below says what each does, in the words that the user reads")]
pub enum Action {
    Accept,
    Acks,
    Advice,
    Another,
    Answer(u8),
    Asking,
    Back,
    Cause,
    Doctor,
    Down,
    Effect,
    Erase,
    Findings,
    First,
    Help,
    Last,
    NextGroup,
    Open,
    PageDown,
    PageUp,
    Pane,
    PlayAsking,
    PreviousGroup,
    Printed,
    Quit,
    Rest,
    Search,
    ShowMe,
    Times,
    Up,
    Variant,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Where it applies.
    pub contexts: &'static [Context],
    /// The keys, each of which does it.
    pub keys: &'static [KeyCode],
    /// What it does.
    pub action: Action,
    /// The keys as they are shown: `←→`.
    pub shown: &'static str,
    /// One or two words for the footer.
    pub name: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
    /// Its claim to a place in the footer, 1 the strongest; `None` for none at all.
    pub footer: Option<u8>,
}

use Context::{Line, List, Live, Menu, Page, Quiz, Replay};
use KeyCode as K;

const STORY: &[Context] = &[Live, Replay];

const fn bind(
    contexts: &'static [Context],
    keys: &'static [KeyCode],
    action: Action,
    shown: &'static str,
    name: &'static str,
    help: &'static str,
    footer: Option<u8>,
) -> Binding {
    Binding { contexts, keys, action, shown, name, help, footer }
}

/// The table, in the order in which footers and help have it.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    bind(&[Menu], &[K::Enter], Action::Accept, "Enter", "play", "play the scenario; it asks once, at the first telling call", Some(1)),
    bind(&[Menu], &[K::Char('p')], Action::PlayAsking, "p", "play, ask me first", "play it and be asked before each telling call", Some(1)),
    bind(&[Menu], &[K::Up, K::Char('k')], Action::Up, "↑", "up", "the scenario before", None),
    bind(&[Menu], &[K::Down, K::Char('j')], Action::Down, "↓", "down", "the next scenario", None),
    bind(&[Menu], &[K::Left, K::BackTab, K::PageUp], Action::PreviousGroup, "←", "group", "the group before", None),
    bind(&[Menu], &[K::Right, K::Tab, K::PageDown], Action::NextGroup, "→", "group", "the next group", None),
    bind(&[Menu], &[K::Home], Action::First, "Home", "first", "the first scenario of the group", None),
    bind(&[Menu], &[K::End], Action::Last, "End", "last", "the last scenario of the group", None),
    bind(&[Menu], &[K::Char('/')], Action::Search, "/", "search", "find scenarios by an error message", None),
    bind(&[Menu], &[K::Char('o')], Action::Open, "o", "open a capture", "show a capture: pcap or pcapng, with or without calls in it", Some(2)),
    bind(&[Menu], &[K::Char('d')], Action::Doctor, "d", "this machine", "what this machine allows, and how to get what is missing", Some(3)),
    bind(&[Menu], &[K::Esc], Action::Back, "Esc", "all", "end the search", None),

    bind(&[Live], &[K::Enter, K::Char(' ')], Action::Accept, "Enter", "next call", "let the next call go; once more while it is under way, and the one after it goes too", Some(1)),
    bind(&[Live], &[K::Char('n')], Action::Another, "n", "another", "let another of those stand next that stand before a call", Some(1)),
    bind(&[Replay], &[K::Enter, K::Char(' ')], Action::Accept, "Enter", "next call", "go on to the next call", Some(1)),
    bind(STORY, &[K::Up, K::Char('k')], Action::Up, "↑↓", "rows", "↑ one row back, ↓ one row on; nothing is sent or called by it", Some(1)),
    bind(STORY, &[K::Down, K::Char('j')], Action::Down, "↓", "row on", "", None),
    bind(STORY, &[K::Left], Action::Cause, "←→", "chain", "← to the cause ◆ of the row, → to what came of it; else one row", Some(1)),
    bind(STORY, &[K::Right], Action::Effect, "→", "effect", "", None),
    bind(STORY, &[K::PageUp], Action::PageUp, "PgUp", "back", "ten rows back", None),
    bind(STORY, &[K::PageDown], Action::PageDown, "PgDn", "on", "ten rows on", None),
    bind(STORY, &[K::Home], Action::First, "Home", "first", "the first row", None),
    bind(STORY, &[K::End], Action::Last, "End", "last", "the last row", None),
    bind(STORY, &[K::Char('v')], Action::Variant, "v", "variant", "play the next variant of this scenario", Some(3)),
    bind(STORY, &[K::Tab], Action::Pane, "Tab", "bytes,states", "lower pane: why and next, bytes and states, the packet's bytes", Some(1)),
    bind(STORY, &[K::Char('a')], Action::Acks, "a", "ACKs", "every ACK as a row of its own, or only those that change a state", Some(4)),
    bind(STORY, &[K::Char('t')], Action::Times, "t", "times", "number the rows by frame or by seconds since the start", None),
    bind(&[Live], &[K::Char('p')], Action::Asking, "p", "ask me", "be asked before each telling call, or no longer", None),
    bind(&[Live], &[K::Char('r')], Action::Rest, "r", "run", "make all calls that are left", None),
    bind(STORY, &[K::Char('o')], Action::Printed, "o", "output", "what the program has printed", Some(3)),
    bind(STORY, &[K::Char('e')], Action::Advice, "e", "advice", "how it ended, what is to be learnt, what is usually done about it", Some(2)),
    bind(STORY, &[K::Char('f')], Action::Findings, "f", "findings", "what the programs did wrong, and the rows in which they did", Some(3)),
    bind(STORY, &[K::Esc], Action::Back, "Esc", "menu", "back to the menu; a running scenario is ended", None),
    bind(&[Menu, Live, Replay], &[K::Char('?'), K::F(1)], Action::Help, "?", "help", "this page", Some(2)),

    bind(&[Quiz], &[K::Char('1')], Action::Answer(0), "1", "", "the first answer", None),
    bind(&[Quiz], &[K::Char('2')], Action::Answer(1), "2", "", "the second answer", None),
    bind(&[Quiz], &[K::Char('3')], Action::Answer(2), "3", "", "the third answer", None),
    bind(&[Quiz], &[K::Enter, K::Char(' ')], Action::ShowMe, "Enter", "just show me", "let the call go without an answer", Some(1)),

    bind(&[Page], &[K::Up, K::Char('k')], Action::Up, "↑", "", "one line up", None),
    bind(&[Page], &[K::Down, K::Char('j')], Action::Down, "↓", "", "one line down", None),
    bind(&[Page], &[K::PageUp], Action::PageUp, "PgUp", "", "a page up", None),
    bind(&[Page], &[K::PageDown], Action::PageDown, "PgDn", "", "a page down", None),
    bind(&[Page], &[K::Home], Action::First, "Home", "", "to its beginning", None),
    bind(&[Page], &[K::End], Action::Last, "End", "", "to its end", None),
    bind(&[Page], &[K::Esc, K::Enter, K::Char(' '), K::Char('?')], Action::Back, "Esc", "back", "back to the screen below", Some(1)),

    bind(&[List], &[K::Enter, K::Char(' ')], Action::Accept, "Enter", "go to its row", "go to the row of the one that is chosen", Some(1)),
    bind(&[List], &[K::Up, K::Char('k')], Action::Up, "↑↓", "choose", "↑ the one before, ↓ the next", Some(1)),
    bind(&[List], &[K::Down, K::Char('j')], Action::Down, "↓", "", "", None),
    bind(&[List], &[K::PageUp], Action::PageUp, "PgUp", "", "ten back", None),
    bind(&[List], &[K::PageDown], Action::PageDown, "PgDn", "", "ten on", None),
    bind(&[List], &[K::Home], Action::First, "Home", "", "the first", None),
    bind(&[List], &[K::End], Action::Last, "End", "", "the last", None),
    bind(&[List], &[K::Esc, K::Char('f')], Action::Back, "Esc", "back", "back to the screen below", Some(1)),

    bind(&[Line], &[K::Enter], Action::Accept, "Enter", "done", "take what was typed", Some(1)),
    bind(&[Line], &[K::Backspace], Action::Erase, "Backspace", "", "take the last character back", None),
    bind(&[Line], &[K::Up], Action::Up, "↑", "", "the scenario before", None),
    bind(&[Line], &[K::Down], Action::Down, "↓", "", "the next scenario", None),
    bind(&[Line], &[K::Esc], Action::Back, "Esc", "back", "never mind", Some(1)),

    bind(&[Menu, Live, Replay, Quiz, Page, List], &[K::Char('q')], Action::Quit, "q", "quit", "quit; Ctrl-C too, from anywhere", Some(0)),
];

/// What a key press means where `context` takes the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It does this.
    Action(Action),
    /// It is a character to be typed.
    Typed(char),
    /// Ctrl-C.
    Interrupt,
    /// Nothing, except that a key was pressed.
    Nothing,
}

/// What `key` means where `context` takes the keys.
pub fn meaning(context: Context, key: KeyEvent) -> Meaning {
    if key.kind == KeyEventKind::Release {
        return Meaning::Nothing;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        let interrupt = matches!(key.code, K::Char('c' | 'C'));
        return if interrupt { Meaning::Interrupt } else { Meaning::Nothing };
    }
    let bound = BINDINGS.iter().find(|binding| binding.contexts.contains(&context) && binding.keys.contains(&key.code));
    match (bound, key.code) {
        (Some(binding), _) => Meaning::Action(binding.action),
        (None, K::Char(c)) if context == Line => Meaning::Typed(c),
        (None, _) => Meaning::Nothing,
    }
}

/// The footer of `context` in at most `width` cells: the bindings that `wanted` lets through, the weakest left out first.
pub fn footer(context: Context, width: usize, gap: &str, wanted: impl Fn(Action) -> bool) -> Vec<&'static Binding> {
    let mut shown: Vec<&Binding> = BINDINGS
        .iter()
        .filter(|binding| binding.contexts.contains(&context) && binding.footer.is_some() && wanted(binding.action))
        .collect();
    while footer_width(&shown, gap) > width {
        let Some(weakest) = shown.iter().enumerate().max_by_key(|(index, binding)| (binding.footer, *index)) else {
            break;
        };
        shown.remove(weakest.0);
    }
    shown
}

fn footer_width(bindings: &[&Binding], gap: &str) -> usize {
    let each = |binding: &&Binding| binding.shown.chars().count() + 1 + binding.name.chars().count();
    // One cell of margin on the left, and the gaps between.
    1 + bindings.iter().map(each).sum::<usize>() + gap.len() * bindings.len().saturating_sub(1)
}

/// The help for `context`: keys and sentence, of the bindings that `wanted` lets through.
pub fn help(context: Context, wanted: impl Fn(Action) -> bool) -> Vec<(&'static str, &'static str)> {
    BINDINGS
        .iter()
        .filter(|binding| binding.contexts.contains(&context) && !binding.help.is_empty() && wanted(binding.action))
        .map(|binding| (binding.shown, binding.help))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_does_two_things_on_one_screen() {
        for context in Context::ALL {
            let mut seen = HashSet::new();
            for binding in BINDINGS.iter().filter(|binding| binding.contexts.contains(&context)) {
                for key in binding.keys {
                    assert!(seen.insert(*key), "{key:?} is bound twice in {context:?}");
                }
            }
        }
    }

    #[test]
    fn every_screen_can_be_left_by_a_key_that_its_footer_or_help_names() {
        for context in Context::ALL {
            let leaves = |action| matches!(action, Action::Quit | Action::Back);
            assert!(BINDINGS.iter().any(|binding| binding.contexts.contains(&context) && leaves(binding.action)));
            assert!(!help(context, |_| true).is_empty());
        }
    }

    #[test]
    fn a_letter_is_typed_where_a_line_is_typed_and_acts_elsewhere() {
        let q = KeyEvent::from(K::Char('q'));
        assert_eq!(meaning(Line, q), Meaning::Typed('q'));
        assert_eq!(meaning(Menu, q), Meaning::Action(Action::Quit));
        assert_eq!(meaning(Line, KeyEvent::new(K::Char('c'), KeyModifiers::CONTROL)), Meaning::Interrupt);
    }

    #[test]
    fn a_narrow_footer_keeps_what_matters_most() {
        let of = |width, wanted: fn(Action) -> bool| -> Vec<&str> {
            footer(Live, width, "  ", wanted).iter().map(|binding| binding.shown).collect()
        };
        // Of a scenario.
        assert_eq!(
            of(111, |action| !matches!(action, Action::Another | Action::Printed)),
            ["Enter", "↑↓", "←→", "v", "Tab", "a", "e", "f", "?", "q"]
        );
        let names = |width| of(width, |action| !matches!(action, Action::Another | Action::Printed | Action::Findings));
        assert_eq!(names(99), ["Enter", "↑↓", "←→", "v", "Tab", "a", "e", "?", "q"]);
        assert_eq!(names(80), ["Enter", "↑↓", "←→", "Tab", "e", "?", "q"]);
        assert_eq!(names(40), ["Enter", "↑↓", "q"]);
    }
}
