//! A survey as one JSON object, or as lines of JSON.

use std::io::{self, Write};

use super::shape::{Capture, Connection};
use crate::survey::{Found, Summary};

/// Writes one object.
pub fn write(found: &Found, files: &[String], out: &mut dyn Write) -> io::Result<()> {
    let mut head = serde_json::to_vec(&Capture::of(files, &found.counted))?;
    head.pop();
    out.write_all(&head)?;
    out.write_all(b",\"connections\":[")?;
    for (index, connection) in found.connections().enumerate() {
        out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        one(&connection, out)?;
    }
    out.write_all(b"]}\n")
}

fn one(connection: &Summary<'_>, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(out, &Connection::of(connection)).map_err(io::Error::from)
}
