//! What an actor tells the director, a line each.

use std::fmt;
use std::str::FromStr;

use crate::event::Time;
use crate::notation;
use crate::socket::call::Outcome;
use crate::source::clock::Reading;

/// What an actor tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The call is about to be made.
    Begun(Reading),
    /// The call has returned.
    Ended(Reading, Outcome),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(at) => write!(f, "begun {} {}", at.real.0, at.monotonic),
            Self::Ended(at, outcome) => {
                write!(f, "ended {} {} {}", at.real.0, at.monotonic, notation::outcome(outcome))
            }
        }
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let wrong = || format!("not a report of an actor: {line:?}");
        let mut words = line.splitn(4, ' ');
        let kind = words.next();
        let mut number = || words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong);
        let at = Reading { real: Time(number()?), monotonic: number()? };
        match (kind, words.next()) {
            (Some("begun"), None) => Ok(Self::Begun(at)),
            (Some("ended"), Some(outcome)) => match notation::parse_outcome(outcome) {
                Ok((outcome, "")) => Ok(Self::Ended(at, outcome)),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::errno::{Errno, Signal};

    #[test]
    fn reports_read_back() {
        let at = Reading { real: Time(1_795_307_257_490_341_000), monotonic: 12 };
        let outcome = Outcome { signal: Some(Signal::SIGPIPE), ..Outcome::failure(Errno::EPIPE) };
        for report in [Report::Begun(at), Report::Ended(at, outcome), Report::Ended(at, Outcome::success(3))] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        for wrong in ["", "begun 1", "begun 1 2 3", "ended 1 2", "ended 1 2 = 3 \"", "gone 1 2"] {
            assert!(wrong.parse::<Report>().is_err(), "{wrong}");
        }
    }
}
