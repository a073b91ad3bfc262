//! The version of a Linux kernel.

use std::fmt;
use std::str::FromStr;

/// A version, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kernel {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Kernel {
    /// The version of the kernel that this program runs on; `None` where /proc does not say.
    pub fn running() -> Option<Self> {
        let name = name();
        let release = name.strip_prefix("Linux ")?;
        let end = release.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(release.len());
        release.get(..end)?.trim_end_matches('.').parse().ok()
    }
}

/// The running kernel and its release, as uname(1) has them: `Linux 6.18.5-arch1`; `Linux` where /proc does not say.
pub fn name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| "Linux".to_owned(), |release| format!("Linux {}", release.trim()))
}

impl FromStr for Kernel {
    type Err = String;

    /// Two or three numbers with dots between.
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<u32>> = text.split('.').map(|number| number.parse().ok()).collect();
        match numbers.as_deref() {
            Some([major, minor]) => Ok(Self { major: *major, minor: *minor, patch: 0 }),
            Some([major, minor, patch]) => Ok(Self { major: *major, minor: *minor, patch: *patch }),
            _ => Err(format!("a kernel's version is two or three numbers, such as 6.10, not {text:?}")),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |text: &str| text.parse::<Kernel>().unwrap();
        assert!(
            version("6.9") < version("6.10") && version("6.10") < version("6.10.1") && version("5.19") < version("6.0")
        );
        assert_eq!(version("6.10.0").to_string(), "6.10");
        for wrong in ["6", "", "6.", "6.x", "6.1.2.3", "-1.2", "six"] {
            assert!(wrong.parse::<Kernel>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_running_kernel_has_a_version() {
        assert!(Kernel::running().unwrap() > "3.0".parse().unwrap());
    }
}
