//! The program on files in a folder of its own.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::capture::Who::{Client, Server};
use crate::capture::{ACK, Capture, FIN, Link, MS, PSH, RST, S, START, SYN, Talk};

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
        std::fs::write(self.path(name), content).unwrap();
    }

    /// What a file there holds.
    pub fn get(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Where a file there is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
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

/// How the connections of [`ordinary`] end, with who closed first and who reset them.
pub const ORDINARY: [(&str, Option<&str>, Option<&str>); 6] = [
    ("closed", Some("client"), None),
    ("closed", Some("server"), None),
    ("closed-simultaneously", Some("both"), None),
    ("reset-after-close", Some("server"), Some("server")),
    ("aborted", None, Some("client")),
    ("refused", None, Some("server")),
];

/// A capture with a connection of each of these endings, one after another.
pub fn ordinary(link: Link) -> Capture {
    let mut capture = Capture::new(link);
    let endings: [fn(&mut Talk<'_>); 6] = [
        |talk| _ = talk.open().exchange().close(Client),
        |talk| _ = talk.open().exchange().close(Server),
        close_at_once,
        |talk| {
            talk.open().exchange().send(Server, FIN | ACK, 0).send(Client, ACK, 0).wait(300 * MS);
            talk.send(Client, PSH | ACK, 5).send(Server, RST, 0);
        },
        |talk| _ = talk.open().exchange().send(Client, RST | ACK, 0),
        |talk| {
            talk.send(Client, SYN, 0).next[1] = 0;
            talk.send(Server, RST | ACK, 0);
        },
    ];
    for (n, ending) in (0..).zip(endings) {
        ending(&mut Talk::new(&mut capture, client(n), server(7, 443), START + i64::from(n) * S));
    }
    capture
}

/// Both FINs are sent before either has arrived.
fn close_at_once(talk: &mut Talk<'_>) {
    talk.open().exchange();
    let fins = [talk.tcp(Client, FIN | ACK, 0), talk.tcp(Server, FIN | ACK, 0)];
    talk.put(&fins[0]).put(&fins[1]);
    talk.next = talk.next.map(|next| next.wrapping_add(1));
    talk.send(Client, ACK, 0).send(Server, ACK, 0);
}

/// The verdict, the first closer and who sent the reset, of each connection.
pub fn endings(told: &Value) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let all = told["connections"].as_array().unwrap().iter();
    all.map(|told| (told["verdict"].as_str().unwrap(), told["first_closer"].as_str(), told["reset_from"].as_str()))
        .collect()
}
