//! The program on files in a folder of its own.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::capture::Capture;

/// A folder for captures. The program runs in it, so that names stand in messages as they are here.
pub struct Folder(TempDir);

impl Folder {
    /// A folder with `capture` as `x.pcap`.
    pub fn with(capture: &Capture) -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.put("x.pcap", &capture.file());
        folder
    }

    /// Puts a file there.
    pub fn put(&self, name: &str, content: &[u8]) {
        std::fs::write(self.0.path().join(name), content).unwrap();
    }

    /// `epipe explain` with `args`, ready to run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_epipe"));
        command.current_dir(self.0.path()).env("TZ", "UTC").stdin(Stdio::null()).arg("explain").args(args);
        command
    }

    /// How `epipe explain` with `args` ends, and what it says.
    pub fn run(&self, args: &[&str]) -> Said {
        Said::of(&self.command(args).output().unwrap())
    }

    /// What `epipe explain x.pcap` with `args` writes, which must succeed and say nothing beside it.
    pub fn told(&self, args: &[&str]) -> String {
        let said = self.run(&[&["x.pcap"], args].concat());
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{args:?}");
        said.out
    }

    /// The same as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.told(&["--format", "json"])).unwrap()
    }
}

/// How the program ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

/// The `n`th client, with a port of its own.
pub fn client(n: u32) -> SocketAddrV4 {
    let [high, low] = u16::try_from(n / 200).unwrap().to_be_bytes();
    let port = 32_768 + u16::try_from(n % 20_000).unwrap();
    SocketAddrV4::new(Ipv4Addr::new(10, 1 + high, low, u8::try_from(n % 200 + 1).unwrap()), port)
}

/// The server with this last number, at a port.
pub fn server(last: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, last), port)
}
