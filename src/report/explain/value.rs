//! The values in `explain`'s JSON that are neither numbers nor plain strings.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::SocketAddr;

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
        serializer.collect_str(&self.0)
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

/// An address and a port, as a string.
#[derive(Debug)]
pub struct Endpoint(pub SocketAddr);

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let SocketAddr::V4(v4) = self.0 else { return serializer.collect_str(&self.0) };
        // By hand: most are of this kind, and std's formatting of so many numbers showed in a profile.
        let mut text = [0; "255.255.255.255:65535".len()];
        let mut len = 0;
        let mut push = |piece: &str| {
            let end = len + piece.len();
            if let Some(place) = text.get_mut(len..end) {
                place.copy_from_slice(piece.as_bytes());
                len = end;
            }
        };
        for (octet, behind) in v4.ip().octets().into_iter().zip([".", ".", ".", ":"]) {
            push(itoa::Buffer::new().format(octet));
            push(behind);
        }
        push(itoa::Buffer::new().format(v4.port()));
        serializer.serialize_str(text.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_written_as_std_writes_it() {
        for text in ["0.0.0.0:0", "127.0.0.1:2222", "255.255.255.255:65535", "[fe80::1]:443", "[::ffff:10.0.0.1]:80"] {
            let end: SocketAddr = text.parse().unwrap();
            assert_eq!(serde_json::to_value(Endpoint(end)).unwrap(), end.to_string());
        }
    }
}
