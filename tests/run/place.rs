//! Where `epipe run` is tried: the program and the fixtures, for everybody.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that everybody can read and write, with the program and the fixtures in it.
pub struct Place(pub tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        // By a process of its own: a child that another test forks meanwhile would hold the copy open for writing.
        let mut install = Command::new("install");
        install.args(["-m", "755", env!("CARGO_BIN_EXE_epipe")]).arg(place.path().join("epipe"));
        assert!(install.status().unwrap().success());
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run")).unwrap() {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "py") {
                fs::copy(&file, place.path().join(file.file_name().unwrap())).unwrap();
            }
        }
        Self(place)
    }

    pub fn story(&self) -> PathBuf {
        self.0.path().join("story.txt")
    }

    /// The program under test.
    pub fn epipe(&self) -> PathBuf {
        self.0.path().join("epipe")
    }

    /// `epipe run` of a shell's command line, which finds the fixtures where it is.
    pub fn run(&self, line: &str) -> Command {
        self.run_with(&[], line)
    }

    /// The same with more options.
    pub fn run_with(&self, options: &[&str], line: &str) -> Command {
        let mut command = Command::new(self.epipe());
        command.arg("run").args(options).args(["--format", "transcript", "-o"]).arg(self.story());
        command.args(["--", "sh", "-c", line]).current_dir(self.0.path());
        command
    }

    /// The transcript that it left.
    pub fn transcript(&self) -> String {
        fs::read_to_string(self.story()).unwrap()
    }
}

/// The number of the user nobody.
pub const NOBODY: u32 = 65_534;
