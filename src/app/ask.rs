//! `epipe lab NAME --quiz` without the dashboard: asks on stderr before each telling call, and reads the answer from stdin.

use std::io::{self, IsTerminal};

use crate::event::Actor;
use crate::source::lab::message::NextCall;
use crate::story::Story;
use crate::story::journal::Journal;
use crate::tui::quiz::{Quiz, Score};

/// The questions of one run.
#[derive(Default)]
pub struct Questions {
    open: Option<(Actor, Quiz)>,
    score: Score,
}

impl Questions {
    /// Asks what `next` will return, and offers answers.
    pub fn ask(&mut self, next: &NextCall) {
        let quiz = Quiz::before(next);
        eprintln!("{}  {}", next.actor, crate::notation::call(&next.call));
        eprintln!("{}", quiz.question());
        for (number, answer) in (1..).zip(quiz.offered()) {
            eprintln!("  {number}  {answer}");
        }
        prompt();
        self.open = Some((next.actor.clone(), quiz));
    }

    /// Takes the answer `line`. False where it is none: then it was said what would be.
    pub fn answer(&mut self, line: &str) -> bool {
        let Some((_, quiz)) = &mut self.open else { return true };
        quiz.chosen = match line.trim() {
            "" => None,
            "1" => Some(0),
            "2" => Some(1),
            "3" => Some(2),
            _ => {
                prompt();
                return false;
            }
        };
        true
    }

    /// Says what the call came to that was asked about, and why, once all has settled.
    pub fn judge(&mut self, journal: &Journal) {
        let Some((actor, quiz)) = self.open.take() else { return };
        let story = Story::tell(journal.clone());
        let made =
            |event: &&crate::event::Event| event.begun() == Some(&quiz.made) && event.actor.as_ref() == Some(&actor);
        let Some(begun) = story.journal().events().iter().rev().find(made) else { return };
        let outcome = story.call(begun.id).and_then(|(_, outcome)| outcome);
        eprintln!("{}", quiz.judge(outcome, &mut self.score));
        if let Some(foretold) = story.foretold(begun.id) {
            let answer = foretold.last();
            eprintln!("why: {} ({})", answer.why, answer.source);
        }
        eprintln!();
    }

    /// Says how many were answered rightly.
    pub fn count(&self) {
        if self.score.asked > 0 {
            eprintln!("{} of {} right", self.score.right, self.score.asked);
        }
    }
}

fn prompt() {
    eprint!("1, 2 or 3, or Enter to be shown: ");
    if !io::stdin().is_terminal() {
        eprintln!();
    }
}
