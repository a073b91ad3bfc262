//! The values in `explain`'s JSON that are neither numbers nor plain strings.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::event::Time;
use crate::tcp::analysis::Finding;

/// What prints itself, as a string.
#[derive(Debug)]
pub struct Text<T>(pub T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut short = Short::default();
        // Handed over whole: serde would look through each of its pieces for what has to be escaped.
        match write!(short, "{}", self.0) {
            Ok(()) => serializer.serialize_str(short.text()),
            Err(_) => serializer.collect_str(&self.0),
        }
    }
}

/// A short text on its way; an error where it is longer.
struct Short {
    bytes: [u8; 64],
    len: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }
}

impl Short {
    fn text(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for Short {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.len + piece.len();
        self.bytes.get_mut(self.len..end).ok_or(fmt::Error)?.copy_from_slice(piece.as_bytes());
        self.len = end;
        Ok(())
    }
}

impl<T> JsonSchema for Text<T> {
    fn schema_name() -> Cow<'static, str> {
        "text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// Seconds with nine decimals, as a string: nanoseconds since 1970 do not fit a JavaScript number.
#[derive(Debug)]
pub struct Seconds(pub Time);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Text(self.0).serialize(serializer)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "seconds".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^-?[0-9]+\\.[0-9]{9}$"})
    }
}

/// How many segments have each of Wireshark's flags.
#[derive(Debug)]
pub struct Findings(pub Vec<(Finding, u64)>);

impl Findings {
    /// Whether no segment has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many have `finding`.
    pub fn count(&self, finding: Finding) -> u64 {
        self.0.iter().find(|(known, _)| *known == finding).map_or(0, |(_, count)| *count)
    }
}

impl Serialize for Findings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(finding, count)| (finding.name(), count)))
    }
}

impl JsonSchema for Findings {
    fn schema_name() -> Cow<'static, str> {
        "analysis".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let count = json!({"type": "integer", "minimum": 1});
        let flags: Map<String, Value> =
            Finding::ALL.iter().map(|flag| (flag.name().to_owned(), count.clone())).collect();
        json_schema!({
            "description": "How many of the segments have each of Wireshark's flags, by its name without tcp.analysis.",
            "type": "object",
            "properties": flags,
        })
    }
}
