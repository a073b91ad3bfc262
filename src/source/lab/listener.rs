//! Reads what the stage tells. The forms of the lines stand in [`teller`](super::teller).

use std::sync::Arc;

use super::message::{Message, Mismatch, NextCall};
use super::need::Missing;
use super::scenario::Scenario;
use super::script::{self, Expect, Returned, StepKind};
use super::teller::unhex;
use crate::decode::{self, Decoded};
use crate::event::{Actor, Event, EventId, ExitStatus, Frame, FrameNo, LinkType, Run, Time, What};
use crate::notation::{self, Line, Reader, unquote};

/// What a line of the stage's means.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Something for whoever watches.
    Message(Message),
    /// A loopback of its own was refused: the step and why, and what the user can do.
    Refused(String, Option<String>),
    /// The process of a traced program.
    Root(i32),
    /// A traced program has ended so, having been held up so often.
    Ended(ExitStatus, u64),
}

/// Puts lines together to messages.
pub struct Listener<'a> {
    /// What is played; `None` where programs are traced.
    scenario: Option<&'a Scenario>,
    reader: Reader,
    /// What is known of the run, until the first line that is not about it.
    run: Option<Run>,
}

impl<'a> Listener<'a> {
    /// A listener to a run of `scenario`.
    pub fn new(scenario: &'a Scenario) -> Self {
        Self { scenario: Some(scenario), ..Self::of_programs() }
    }

    /// A listener to a run of traced programs.
    pub fn of_programs() -> Self {
        Self { scenario: None, reader: Reader::new(), run: Some(Run::default()) }
    }

    /// Takes one line. The error is the line that cannot be read, and why.
    pub fn line(&mut self, line: &str) -> Result<Vec<Heard>, String> {
        let wrong = |why: String| format!("{why} in {line:?}");
        let ours = Reader::is_ours(line);
        let lines = if ours { self.reader.line(line) } else { self.reader.finish() };
        let mut heard = Vec::new();
        for line in lines.map_err(|error| wrong(error.to_string()))? {
            self.notation(line, &mut heard);
        }
        if !ours {
            self.other(line, &mut heard).ok_or_else(|| wrong("a line that the lab does not write".to_owned()))?;
        }
        Ok(heard)
    }

    fn notation(&mut self, line: Line, heard: &mut Vec<Heard>) {
        match line {
            Line::Run(name) => {
                if let Some(run) = &mut self.run {
                    run.name = name;
                }
            }
            Line::Fact(name, value) => {
                if let Some(run) = &mut self.run {
                    run.facts.push((name, value));
                }
            }
            Line::Event(event, _) => {
                self.end_of_run_lines(heard);
                heard.push(Heard::Message(Message::Event(event)));
            }
        }
    }

    /// The run's own lines are over: tells it, once. A stage that failed before has told no name.
    fn end_of_run_lines(&mut self, heard: &mut Vec<Heard>) {
        if let Some(run) = self.run.take_if(|run| !run.name.is_empty()) {
            heard.push(Heard::Message(Message::Run(run)));
        }
    }

    fn other(&mut self, line: &str, heard: &mut Vec<Heard>) -> Option<()> {
        self.end_of_run_lines(heard);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        heard.push(match word {
            "frame" => Heard::Message(Message::Event(frame(rest)?)),
            "settled" if rest == "-" => Heard::Message(Message::Settled(None)),
            "settled" => Heard::Message(Message::Settled(Some(self.next_call(rest)?))),
            "stands" => Heard::Message(Message::Settled(Some(standing(rest)?))),
            "mismatch" => Heard::Message(Message::Mismatch(mismatch(rest)?)),
            "finished" => Heard::Message(Message::Finished),
            "root" => Heard::Root(rest.parse().ok()?),
            "ended" => {
                let (status, held_up) = rest.split_once(' ')?;
                let code = || status.parse().map(ExitStatus::Code).ok();
                let signal = || status.parse().map(ExitStatus::Killed).ok();
                Heard::Ended(code().or_else(signal)?, held_up.parse().ok()?)
            }
            "skipped" => {
                let [need, why, help] = texts(rest)?;
                Heard::Message(Message::Skipped(Missing { need, why, help: some(help) }))
            }
            "refused" => {
                let [why, help] = texts(rest)?;
                Heard::Refused(why, some(help))
            }
            "failed" => {
                let [message, help] = texts(rest)?;
                Heard::Message(Message::Failed { message, help: some(help) })
            }
            _ => return None,
        });
        Some(())
    }

    /// The step at the index, as the call that comes next; where others race with it, the first telling one of them.
    fn next_call(&self, index: &str) -> Option<NextCall> {
        let steps = self.scenario?.steps.get(index.parse::<usize>().ok()?..)?;
        let together = script::at_once(steps);
        let step = together.iter().find(|step| step.is_telling()).or(together.first())?;
        let StepKind::Call { actor, call, expect, telling, .. } = &step.kind else { return None };
        let expected = match expect {
            Expect::Returns(Returned::Outcome(outcome)) => Some(outcome.clone()),
            Expect::Returns(Returned::Anything | Returned::Child(_)) | Expect::Waits | Expect::Ends(_) => None,
        };
        let (actor, call, together) = (actor.clone(), call.clone(), together.len());
        Some(NextCall { actor, call, expected, telling: *telling, together, beside: 0, line: step.line })
    }
}

fn frame(rest: &str) -> Option<Event> {
    let mut words = rest.split(' ');
    let id = EventId(words.next()?.parse().ok()?);
    let number = FrameNo(words.next()?.parse().ok()?);
    let time: Time = words.next()?.parse().ok()?;
    let late = words.next()? == "1";
    let link_type = LinkType(words.next()?.parse().ok()?);
    let original_len = words.next()?.parse().ok()?;
    let data: Arc<[u8]> = unhex(words.next()?)?.into();
    let Decoded::Tcp(segment) = decode::decode(link_type, &data, original_len) else { return None };
    let frame = Frame { number, link_type, original_len, data, comments: Vec::new() };
    Some(Event { id, time, actor: None, late, what: What::Segment { frame, segment } })
}

/// A traced program's call, of which nobody has said what is to come of it.
fn standing(rest: &str) -> Option<NextCall> {
    let (beside, rest) = rest.split_once(' ')?;
    let (actor, call) = rest.split_once(' ')?;
    let Ok((call, "")) = notation::parse_call(call) else { return None };
    Some(NextCall { beside: beside.parse().ok()?, ..NextCall::held(Actor::new(actor), call) })
}

fn mismatch(rest: &str) -> Option<Mismatch> {
    let (line, rest) = rest.split_once(' ')?;
    let (column, rest) = rest.split_once(' ')?;
    let [expected, happened] = texts(rest)?;
    Some(Mismatch { line: line.parse().ok()?, column: column.parse().ok()?, expected, happened })
}

/// So many quoted texts.
fn texts<const COUNT: usize>(mut rest: &str) -> Option<[String; COUNT]> {
    let mut texts = [const { String::new() }; COUNT];
    for text in &mut texts {
        let (bytes, after) = unquote(rest.trim_start()).ok()?;
        *text = String::from_utf8(bytes).ok()?;
        rest = after;
    }
    Some(texts)
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::lab::library;

    #[test]
    fn what_is_not_told_with_sense_is_refused() {
        let scenario = library::find("broken-pipe").unwrap().unwrap();
        let mut listener = Listener::new(&scenario);
        for wrong in
            ["", "hello", "settled", "settled 9999", "frame 1 2", "frame 1 1 1.000000000 0 1 3 0g", "epipe/1 x"]
        {
            assert!(listener.line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_run_comes_first_and_the_next_call_is_the_scripts() {
        let scenario = library::find("broken-pipe").unwrap().unwrap();
        let mut listener = Listener::new(&scenario);
        assert_eq!(listener.line("epipe/1 run \"broken-pipe\"").unwrap(), []);
        assert_eq!(listener.line("epipe/1 fact pace \"fast\"").unwrap(), []);
        let heard = listener.line("settled 0").unwrap();
        let facts = vec![("pace".to_owned(), "fast".to_owned())];
        assert_eq!(
            heard[0],
            Heard::Message(Message::Run(Run { name: "broken-pipe".to_owned(), facts, comments: Vec::new() }))
        );
        assert!(matches!(&heard[1], Heard::Message(Message::Settled(Some(next))) if next.actor.name() == "server"));
    }
}
