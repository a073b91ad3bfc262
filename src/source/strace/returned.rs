//! What stands behind a call's parentheses: `= 4<TCP:[…]> <0.000012>`, `= -1 EPIPE (Broken pipe) <0.000012>`, `= ?`.

use super::text::{closing, described_len};
use crate::socket::errno::Errno;

/// What a call returned, as printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// The number; `None` for `?`.
    pub value: Option<i64>,
    /// What is said of the descriptor that it returned, without the angle brackets.
    pub note: Option<String>,
    /// The error.
    pub errno: Option<Errno>,
    /// What stands in parentheses behind the number: the events of poll, the descriptors of select.
    pub told: String,
    /// How long the call took, in nanoseconds, if the log has it.
    pub took: Option<i64>,
    /// Whether a signal interrupted the call, and the kernel makes it again.
    pub restarts: bool,
}

/// Errors that no socket call of TCP returns and [`Errno`] therefore has no name for.
const OTHERS: [(&str, u16); 20] = [
    ("ESRCH", 3),
    ("ENXIO", 6),
    ("E2BIG", 7),
    ("ECHILD", 10),
    ("EBUSY", 16),
    ("EEXIST", 17),
    ("ENOTDIR", 20),
    ("EISDIR", 21),
    ("ENOTTY", 25),
    ("EFBIG", 27),
    ("ENOSPC", 28),
    ("ESPIPE", 29),
    ("ELOOP", 40),
    ("ENOSYS", 38),
    ("EPROTOTYPE", 91),
    ("EPROTONOSUPPORT", 93),
    ("ENETRESET", 102),
    ("ESHUTDOWN", 108),
    ("EHOSTDOWN", 112),
    ("ECANCELED", 125),
];

impl Returned {
    /// Reads `text`, which begins behind a call's opening parenthesis; what stands between the parentheses, and what came of it.
    pub fn read(text: &str) -> Result<(&str, Self), &'static str> {
        let end = closing(text).ok_or("its arguments do not end")?;
        let (args, rest) = text.split_at(end);
        let rest = rest.strip_prefix(')').ok_or("its arguments do not end")?;
        let result = rest.trim_start().strip_prefix('=').ok_or("what it returned is missing")?;
        // Of a call during which its thread was killed only its beginning was printed.
        let args =
            args.trim_end().strip_suffix("<unfinished ...>").map_or(args, |args| args.trim_end().trim_end_matches(','));
        let (result, took) = split_took(result.trim());
        Self::result(result).map(|returned| (args, Self { took, ..returned }))
    }

    fn result(text: &str) -> Result<Self, &'static str> {
        let (word, mut rest) = text.split_at(text.find([' ', '<']).unwrap_or(text.len()));
        let mut returned = Self::default();
        if let Some(len) = described_len(rest).filter(|_| rest.starts_with('<')) {
            returned.note = rest.get(1..len - 1).map(str::to_owned);
            rest = rest.get(len..).unwrap_or("");
        }
        let rest = rest.trim();
        if word == "?" {
            returned.restarts = rest.starts_with("ERESTART");
            return Ok(returned);
        }
        returned.value = Some(number(word).ok_or("what it returned is no number")?);
        if returned.value == Some(-1) && rest.starts_with('E') {
            let name = rest.split(' ').next().unwrap_or(rest);
            returned.errno = Some(errno(name).ok_or("its error has no name that is known")?);
        } else {
            rest.clone_into(&mut returned.told);
        }
        Ok(returned)
    }

    /// Whether this ends a call that a signal had interrupted: the handler of the signal returns to it, and it fails.
    pub fn interrupts(&self, name: &str) -> bool {
        name == "rt_sigreturn" && self.errno == Some(Errno(4))
    }
}

/// A result without `<0.000012>` at its end, and that in nanoseconds.
fn split_took(text: &str) -> (&str, Option<i64>) {
    let cut = text.strip_suffix('>').and_then(|inner| inner.rsplit_once(" <"));
    let nanos = cut.and_then(|(_, seconds)| {
        let (whole, fraction) = seconds.split_once('.')?;
        let nanos: i64 = if fraction.len() > 9 { return None } else { format!("{fraction:0<9}").parse().ok()? };
        whole.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos).filter(|nanos| *nanos >= 0)
    });
    match (cut, nanos) {
        (Some((before, _)), Some(nanos)) => (before.trim_end(), Some(nanos)),
        _ => (text, None),
    }
}

/// A number that fits: of a pointer, of flags and of what a signal's handler left in a register only whether it failed matters.
fn number(word: &str) -> Option<i64> {
    let fitting = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(fitting),
        None => word.parse().ok().or_else(|| word.parse().ok().map(fitting)),
    }
}

fn errno(name: &str) -> Option<Errno> {
    let other = || OTHERS.iter().find(|(known, _)| *known == name).map(|(_, number)| Errno(*number));
    name.parse().ok().or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (&str, Returned) {
        Returned::read(text).unwrap()
    }

    #[test]
    fn every_kind_of_result_is_read() {
        let (args, returned) = read("3<TCP:[1]>, NULL) = 4<TCP:[1.1.1.1:1->2.2.2.2:2]> <0.000012>");
        assert_eq!(args, "3<TCP:[1]>, NULL");
        assert_eq!((returned.value, returned.took), (Some(4), Some(12_000)));
        assert_eq!(returned.note.as_deref(), Some("TCP:[1.1.1.1:1->2.2.2.2:2]"));
        let (_, returned) = read("5, \"a)\", 2)    = -1 EPIPE (Broken pipe) <1.5>");
        assert_eq!((returned.errno, returned.took), (Some(Errno::EPIPE), Some(1_500_000_000)));
        let (_, returned) = read("[{fd=5, events=POLLIN}], 1, 9) = 1 ([{fd=5, revents=POLLIN}]) <0.1>");
        assert_eq!(returned.told, "([{fd=5, revents=POLLIN}])");
        let (_, returned) = read("0) = ?");
        assert_eq!(returned, Returned::default());
        let (_, returned) = read("3, \"\", 9) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.1>");
        assert!(returned.restarts && returned.value.is_none());
        assert_eq!(read("3, \"x\", 1 <unfinished ...>) = ?").0, "3, \"x\", 1");
        assert_eq!(read("3, <unfinished ...>) = ?").0, "3");
        assert_eq!(read("3, F_GETFL) = 0x2 (flags O_RDWR)").1.value, Some(2));
        assert_eq!(read("{mask=[]}) = 18446744073709551104").1.value, Some(i64::MAX));
        assert_eq!(read("5) = -1 ENOTTY (Inappropriate ioctl for device)").1.errno, Some(Errno(25)));
    }

    #[test]
    fn what_was_cut_is_refused() {
        for text in ["3, \"abc", "3, \"abc\")", "3) = ", "3) = x", "3) = -1 EWHAT (What)", "3] = 0"] {
            assert!(Returned::read(text).is_err(), "{text}");
        }
    }
}
