//! A scenario: what two actors do, and what is expected to come of it. Read from TOML.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::kernel::Kernel;
use super::link::{self, Link, spanned};
use super::need::Need;
use super::script::{self, Expect, Returned, Step, StepKind};
use crate::event::Actor;
use crate::socket::call::Arg;

/// The longest question, so that it fits the menu's line.
const QUESTION_WIDTH: usize = 60;

/// The longest title, so that it fits beside the name above a story at 80 columns.
const TITLE_WIDTH: usize = 40;

/// Why a scenario could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The file could not be read at all.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// Its path.
        file: String,
        /// Why not.
        why: String,
    },
    /// Something in it is not right.
    #[error("{file}:{line}:{column}: {message}")]
    Wrong {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
}

/// A place in a scenario's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

/// A scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its name, a variant's with a slash: `broken-pipe/killed`.
    pub name: String,
    /// What happens in it, at most 40 characters; empty where the file has none.
    pub title: String,
    /// What a person saw who looks for it: the menu's groups.
    pub group: String,
    /// The question that it answers, at most 60 characters.
    pub question: String,
    /// What is to be learnt.
    pub lesson: String,
    /// What a programmer does about it.
    pub fix: String,
    /// Where it is written, or seen: man pages, functions of the kernel, sections of RFCs, reports.
    pub sources: Vec<String>,
    /// Error texts, as programs print them, by which it is found.
    pub errors: Vec<String>,
    /// Its place in the menu.
    pub order: u32,
    /// What the segments alone show of each connection, in their order: a verdict's name, as `explain` prints it. `None`
    /// where the file does not say.
    pub verdicts: Option<Vec<String>>,
    /// Where the file says so; else where its script begins.
    pub verdicts_at: Place,
    /// What it needs of the machine beside sockets: what its file says, and a TUN interface where it has a link.
    pub needs: Vec<Need>,
    /// The link between its actors; `None` where all are on one loopback.
    pub link: Option<Link>,
    /// The first kernel on which its expectations hold; `None` for any.
    pub since: Option<Kernel>,
    /// Its actors, in the order in which those still there at the end exit.
    pub actors: Vec<Actor>,
    /// What is done and expected.
    pub steps: Vec<Step>,
    /// The file's name, for messages.
    pub file: String,
    /// The file's text.
    pub source: Arc<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    #[serde(default = "nothing")]
    title: Spanned<String>,
    #[serde(default)]
    group: String,
    #[serde(default = "nothing")]
    question: Spanned<String>,
    #[serde(default)]
    lesson: String,
    #[serde(default)]
    fix: String,
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    errors: Vec<String>,
    #[serde(default)]
    order: u32,
    verdicts: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    since: Option<Spanned<String>>,
    link: Option<link::Keys>,
    #[serde(default = "client_and_server")]
    actors: Spanned<Vec<String>>,
    script: Spanned<String>,
}

fn nothing() -> Spanned<String> {
    Spanned::new(0..0, String::new())
}

fn client_and_server() -> Spanned<Vec<String>> {
    Spanned::new(0..0, vec!["server".to_owned(), "client".to_owned()])
}

impl Scenario {
    /// Reads the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(source) => Self::parse(&file, &source),
            Err(error) => Err(ScenarioError::Unreadable { file, why: error.to_string() }),
        }
    }

    /// Reads `source`, which came from `file`.
    pub fn parse(file: &str, source: &str) -> Result<Self, ScenarioError> {
        let wrong = |offset: usize, message: String| {
            let Place { line, column } = place(source, offset);
            ScenarioError::Wrong { file: file.to_owned(), line, column, message }
        };
        let read: File = toml::from_str(source)
            .map_err(|error| wrong(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        check_name(read.name.get_ref()).map_err(|message| wrong(read.name.span().start, message))?;
        if read.question.get_ref().chars().count() > QUESTION_WIDTH {
            let message = format!("the question is longer than {QUESTION_WIDTH} characters");
            return Err(wrong(read.question.span().start, message));
        }
        if read.title.get_ref().chars().count() > TITLE_WIDTH {
            let message = format!("the title is longer than {TITLE_WIDTH} characters");
            return Err(wrong(read.title.span().start, message));
        }
        let actors = actors(read.actors.get_ref()).map_err(|message| wrong(read.actors.span().start, message))?;
        let needs = read.needs.iter().map(|need| spanned(need).map_err(|(at, message)| wrong(at, message)));
        let mut needs: Vec<Need> = needs.collect::<Result<_, _>>()?;
        let link = read.link.as_ref().map(link::Keys::link).transpose().map_err(|(at, message)| wrong(at, message))?;
        if link.is_some() && !needs.contains(&Need::Tun) {
            needs.push(Need::Tun);
        }
        let since = read.since.as_ref().map(spanned).transpose().map_err(|(at, message)| wrong(at, message))?;
        let start = read.script.span().start;
        let first = first_line(source, start).ok_or_else(|| wrong(start, SCRIPT_FORM.to_owned()))?;
        let steps = script::parse(read.script.get_ref(), first, &actors).map_err(|error| ScenarioError::Wrong {
            file: file.to_owned(),
            line: error.line,
            column: error.column,
            message: error.message,
        })?;
        Ok(Self {
            name: read.name.into_inner(),
            title: read.title.into_inner(),
            group: read.group,
            question: read.question.into_inner(),
            lesson: read.lesson,
            fix: read.fix,
            sources: read.sources,
            errors: read.errors,
            order: read.order,
            verdicts_at: place(source, read.verdicts.as_ref().map_or(start, |verdicts| verdicts.span().start)),
            verdicts: read.verdicts.map(Spanned::into_inner),
            needs,
            link,
            since,
            actors,
            steps,
            file: file.to_owned(),
            source: Arc::from(source),
        })
    }

    /// The actors that are there from the start: all but those that others become by fork(2).
    pub fn present(&self) -> impl Iterator<Item = &Actor> {
        let is_child = |actor: &Actor| {
            self.steps.iter().any(|step| {
                matches!(&step.kind, StepKind::Call { expect: Expect::Returns(Returned::Child(child)), .. } if child == actor)
            })
        };
        self.actors.iter().filter(move |actor| !is_child(actor))
    }

    /// The ports of all addresses in its calls, without repetition.
    pub fn ports(&self) -> Vec<u16> {
        let args = self.steps.iter().filter_map(Step::call).flat_map(|call| &call.args);
        let mut ports: Vec<u16> =
            args.filter_map(|arg| if let Arg::Addr(addr) = arg { Some(addr.port()) } else { None }).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

const SCRIPT_FORM: &str = "the script must stand between two lines of three single quotes (script = ''' … ''')";

/// The number of the script's first line, if the script is written as a literal of several lines: then its lines are the
/// file's.
fn first_line(source: &str, start: usize) -> Option<usize> {
    let literal = source.get(start..)?;
    let opens = literal.starts_with("'''\n") || literal.starts_with("'''\r\n");
    opens.then(|| place(source, start).line + 1)
}

/// The place of a byte of the text.
fn place(source: &str, offset: usize) -> Place {
    let before = source.get(..offset).unwrap_or(source);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before.get(line_start..).map_or(0, |text| text.chars().count());
    Place { line: before.matches('\n').count() + 1, column: column + 1 }
}

fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '/');
    if name.is_empty() || !name.chars().all(allowed) {
        return Err("a scenario's name is made of small letters, digits, - and /".to_owned());
    }
    Ok(())
}

fn actors(names: &[String]) -> Result<Vec<Actor>, String> {
    let mut actors: Vec<Actor> = Vec::new();
    for name in names {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            return Err(format!("an actor's name is made of small letters, digits and -, not {name:?}"));
        }
        let actor = Actor::new(name);
        if actors.contains(&actor) {
            return Err(format!("there are two actors named {name:?}"));
        }
        actors.push(actor);
    }
    if actors.is_empty() { Err("there must be an actor".to_owned()) } else { Ok(actors) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "name = \"x\"\ngroup = \"g\"\nquestion = \"q\"\nlesson = \"l\"\nfix = \"f\"\n";

    fn parse(rest: &str) -> Result<Scenario, String> {
        Scenario::parse("x.toml", &format!("{HEAD}{rest}")).map_err(|error| error.to_string())
    }

    #[test]
    fn errors_name_file_line_and_column() {
        assert_eq!(parse("colour = 1\nscript = ''").unwrap_err().split(": ").next(), Some("x.toml:6:1"));
        assert_eq!(parse("script = 'a'").unwrap_err(), format!("x.toml:6:10: {SCRIPT_FORM}"));
        let wrong = parse("script = '''\nserver  pipe() = 0\nnobody  close(3) = 0\n'''\n").unwrap_err();
        assert_eq!(wrong, "x.toml:8:1: expected an actor (server or client), a segment, or nothing");
        let wrong = parse("script = '''\nserver  lisen(3, 5) = 0\n'''\n").unwrap_err();
        assert_eq!(wrong, "x.toml:7:9: expected the name of a call that epipe knows");
        let wrong = parse("actors = [\"a b\"]\nscript = '''\n'''\n").unwrap_err();
        assert_eq!(wrong, "x.toml:6:10: an actor's name is made of small letters, digits and -, not \"a b\"");
    }

    #[test]
    fn needs_are_known_ones() {
        let scenario = parse("needs = [\"TUN\", \"CAP_NET_ADMIN\"]\nsince = \"6.10\"\nscript = '''\n'''\n").unwrap();
        assert_eq!(scenario.needs, [Need::Tun, Need::NetAdmin]);
        assert_eq!(scenario.since, "6.10".parse().ok());
        let wrong = parse("needs = [\"TUN\",\n  \"CAP_SYS_ADMIN\"]\nscript = '''\n'''\n").unwrap_err();
        assert_eq!(wrong, "x.toml:7:3: a scenario can need CAP_NET_ADMIN, CAP_NET_RAW, TUN, not \"CAP_SYS_ADMIN\"");
        let wrong = parse("since = \"6\"\nscript = '''\n'''\n").unwrap_err();
        assert_eq!(wrong, "x.toml:6:9: a kernel's version is two or three numbers, such as 6.10, not \"6\"");
    }

    #[test]
    fn a_long_question_is_refused_where_it_stands() {
        let text = format!(
            "name = \"x\"\nquestion = \"{}\"\ngroup = \"\"\nlesson = \"\"\nfix = \"\"\nscript = '''\n'''",
            "q".repeat(61)
        );
        let error = Scenario::parse("x.toml", &text).unwrap_err();
        assert_eq!(error.to_string(), "x.toml:2:12: the question is longer than 60 characters");
        let error = parse(&format!("title = \"{}\"\nscript = '''\n'''\n", "t".repeat(41))).unwrap_err();
        assert_eq!(error, "x.toml:6:9: the title is longer than 40 characters");
    }

    #[test]
    fn ports_are_those_of_all_addresses() {
        let scenario = parse(
            "script = '''\nserver  bind(3, 127.0.0.1:2222) = -1 EBADF\nclient  connect(3, 127.0.0.1:2223) = *\n'''\n",
        );
        assert_eq!(scenario.unwrap().ports(), [2222, 2223]);
    }
}
