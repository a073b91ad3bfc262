//! The question before a telling call: what will it return?

use crate::event::EventId;
use crate::socket::call::{Call, CallName, Outcome};
use crate::socket::errno::Errno;
use crate::source::lab::message::NextCall;

/// One possible result of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It returns this number.
    Returns(i64),
    /// It fails with this error.
    Fails(Errno),
    /// It does not return before something else happens.
    Waits,
}

/// A question with three answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quiz {
    /// The call that is asked about, as it is to be made.
    pub next: String,
    /// Who will make it.
    pub actor: String,
    /// The call itself.
    pub made: Call,
    /// The call's name.
    pub call: CallName,
    /// The answers to choose from.
    pub choices: [Answer; 3],
    /// Which was chosen, counted from 0; `None` for "just show me".
    pub chosen: Option<usize>,
    /// The event of the call's beginning, once it was made.
    pub begun: Option<EventId>,
}

/// How many questions were answered, and how many rightly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Answered.
    pub asked: usize,
    /// Rightly.
    pub right: usize,
}

impl Answer {
    /// What `outcome` was; a call without one still waits.
    pub fn of(outcome: Option<&Outcome>) -> Self {
        match outcome {
            None => Self::Waits,
            Some(Outcome { errno: Some(errno), .. }) => Self::Fails(*errno),
            Some(Outcome { ret, .. }) => Self::Returns(*ret),
        }
    }

    /// The answer in words, as `call` means it.
    pub fn words(self, call: CallName) -> String {
        match self {
            Self::Returns(0) if call.receives() => "0, the end".to_owned(),
            Self::Returns(number) => number.to_string(),
            Self::Fails(errno) => errno.to_string(),
            Self::Waits => "nothing yet, it waits".to_owned(),
        }
    }
}

impl Quiz {
    /// The question before `next`. What the scenario expects is always among the answers.
    pub fn before(next: &NextCall) -> Self {
        let mut choices = usual_answers(next);
        let expected = Answer::of(next.expected.as_ref());
        if !choices.contains(&expected) {
            choices[2] = expected;
        }
        Self {
            next: crate::tui::scene::call_words(&next.call),
            actor: next.actor.name().to_owned(),
            made: next.call.clone(),
            call: next.call.name,
            choices,
            chosen: None,
            begun: None,
        }
    }

    /// The question in one line.
    pub fn question(&self) -> String {
        format!("What will the {}'s {}() return?", self.actor, self.call)
    }

    /// The choices in one line: `1 five  2 EPIPE  3 ECONNRESET`, with figures for words.
    pub fn offered(&self) -> [String; 3] {
        self.choices.map(|choice| choice.words(self.call))
    }

    /// What is said of the answer once `outcome` is known, and the score with it.
    pub fn judge(&self, outcome: Option<&Outcome>, score: &mut Score) -> String {
        let happened = Answer::of(outcome);
        let Some(chosen) = self.chosen.and_then(|index| self.choices.get(index)) else {
            return format!("{}() returned {}", self.call, happened.words(self.call));
        };
        let right = *chosen == happened;
        score.asked += 1;
        score.right += usize::from(right);
        let said = chosen.words(self.call);
        let judged = if right {
            format!("you said {said}: right")
        } else {
            format!("you said {said}: no, {}", happened.words(self.call))
        };
        format!("{judged} · {} of {}", score.right, score.asked)
    }
}

/// What people commonly think that the call returns.
fn usual_answers(next: &NextCall) -> [Answer; 3] {
    let asked = next.call.asked_len().and_then(|len| i64::try_from(len).ok()).unwrap_or(0);
    match next.call.name {
        name if name.sends() => [Answer::Returns(asked), Answer::Fails(Errno::EPIPE), Answer::Fails(Errno::ECONNRESET)],
        name if name.receives() => [Answer::Returns(0), Answer::Fails(Errno::ECONNRESET), Answer::Waits],
        CallName::Connect => [Answer::Returns(0), Answer::Fails(Errno::ECONNREFUSED), Answer::Fails(Errno::ETIMEDOUT)],
        CallName::Bind => [Answer::Returns(0), Answer::Fails(Errno::EADDRINUSE), Answer::Fails(Errno::ECONNREFUSED)],
        CallName::Poll | CallName::Select => [Answer::Returns(0), Answer::Returns(1), Answer::Waits],
        _ => [Answer::Returns(0), Answer::Fails(Errno::ENOTCONN), Answer::Fails(Errno::EPIPE)],
    }
}
