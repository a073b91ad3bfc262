//! `epipe lab`: runs a scenario.

use std::io::{self, Write};
use std::path::Path;

use super::play::{self, Between, Played};
use super::{Ending, Failure, check, dashboard, menu, output, save, storm};
use crate::cli::{self, Common};
use crate::source::lab::scenario::{Place, Scenario, ScenarioError};
use crate::source::lab::{Network, Options, Pace, library};
use crate::story::verdict::Name;
use crate::tui::menu::Entry;
use crate::tui::model::{self as tui, Asking};

/// Runs what `lab` names.
pub fn run(lab: &cli::Lab, common: &Common) -> Result<Ending, Failure> {
    if lab.list {
        return list();
    }
    if let Some(sequences) = lab.storm {
        return storm::run(sequences, lab.seed.unwrap_or(1));
    }
    let named = lab.scenario.as_deref().map(find).transpose()?;
    if lab.print {
        let scenario = named.ok_or_else(|| Failure::new("--print needs a scenario's name"))?;
        return answer(&scenario.source);
    }
    if lab.check {
        let scenarios = named.map_or_else(library::all, |scenario| Ok(vec![scenario])).map_err(unreadable)?;
        return check::run(&scenarios, &options(lab), common);
    }
    let Some(scenario) = named else {
        return Err(Failure::new("no scenario was named").help("epipe lab --list names them all"));
    };
    tell(&scenario, lab, common)
}

/// Plays `scenario` and shows its story.
fn tell(scenario: &Scenario, lab: &cli::Lab, common: &Common) -> Result<Ending, Failure> {
    let format = output::format(common);
    let in_dashboard = format == cli::Format::Dashboard && common.output.is_none();
    // A story that is to be saved has to be whole, and is shown afterwards.
    if in_dashboard && lab.write.is_none() {
        let (asking, pace) = match (lab.quiz, lab.step) {
            (true, step) => (Asking::Each, if step { tui::Pace::Step } else { tui::Pace::Walk }),
            (false, true) => (Asking::Never, tui::Pace::Step),
            (false, false) => (Asking::Never, tui::Pace::Run),
        };
        return dashboard::play(scenario, asking, pace, &options(lab), common);
    }
    let watch = common.output.is_none() && lab.write.is_none();
    let between = Between { step: lab.step, quiz: lab.quiz };
    match play::play(scenario, &options(lab), between, watch)? {
        Played::Interrupted => Ok(Ending::Interrupted),
        Played::Unheard => Ok(Ending::Done),
        Played::Whole(story) => {
            if let Some(path) = &lab.write {
                save::save(&story, path, lab.payload, &[])?;
            }
            if in_dashboard {
                return dashboard::show(scenario.name.clone(), story, common);
            }
            output::write(&story, &scenario.question, format, common)?;
            Ok(Ending::Done)
        }
    }
}

/// How the command line wants a scenario to be run.
fn options(lab: &cli::Lab) -> Options {
    Options {
        pace: match lab.pace {
            Some(cli::Pace::Fast) => Pace::Fast,
            None if lab.check => Pace::Fast,
            Some(cli::Pace::Walk) | None => Pace::Walk,
        },
        network: if lab.host { Network::Host } else { Network::Private },
        hold: lab.step || lab.quiz,
        ..Options::default()
    }
}

/// The scenario of that name, or else the file.
pub fn find(name: &str) -> Result<Scenario, Failure> {
    if let Some(scenario) = library::find(name).map_err(unreadable)? {
        return Ok(scenario);
    }
    let path = Path::new(name);
    let is_file = path.extension().is_some_and(|extension| extension == "toml") || path.exists();
    if !is_file {
        return Err(Failure::new(format!("no scenario is called {name:?}")).help("epipe lab --list names them all"));
    }
    let wrong =
        |error| unreadable(error).help(format!("docs/scenario.md describes the format, and {EXAMPLE} prints one"));
    let scenario = Scenario::read(path).map_err(wrong)?;
    check_verdicts(&scenario).map_err(wrong)?;
    Ok(scenario)
}

/// What prints a scenario to start from.
const EXAMPLE: &str = "epipe lab broken-pipe --print";

/// Whether there are such verdicts. A source knows nothing of them.
fn check_verdicts(scenario: &Scenario) -> Result<(), ScenarioError> {
    let Place { line, column } = scenario.verdicts_at;
    let wrong = |message| ScenarioError::Wrong { file: scenario.file.clone(), line, column, message };
    scenario.verdicts.iter().flatten().try_for_each(|name| name.parse::<Name>().map(drop)).map_err(wrong)
}

#[allow(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn unreadable(error: ScenarioError) -> Failure {
    Failure::new(error.to_string())
}

/// The scenarios in their groups: a line that is the group's, and one each with name and question.
fn list() -> Result<Ending, Failure> {
    let groups = menu::groups().map_err(unreadable)?;
    let told = groups.iter().filter(|group| !group.entries.is_empty()).map(|group| {
        let line = |entry: &Entry| format!("{:<23}  {}\n", entry.name, entry.question);
        format!("# {}: {}\n{}", group.title, group.line, group.entries.iter().map(line).collect::<String>())
    });
    answer(&told.collect::<Vec<_>>().join("\n"))
}

/// Prints the answer. A reader that has gone does not mind the rest.
pub fn answer(text: &str) -> Result<Ending, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(Ending::Done),
    }
}
