//! The values in `explain`'s JSON that are neither numbers nor plain strings.

use std::borrow::Cow;
use std::fmt::Display;
use std::net::SocketAddr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::event::Time;
use crate::socket::outlook::Answer;
use crate::survey;
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

/// A word that the program has ready and in which nothing has to be escaped, as a string.
#[derive(Clone, Copy, Debug)]
pub struct Word(pub &'static str);

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As if it were a variant's name: so nobody looks through it for what has to be escaped.
        serializer.serialize_unit_variant("Word", 0, self.0)
    }
}

/// What a call returns, as a string.
#[derive(Debug)]
pub struct Returned(pub Answer);

impl Serialize for Returned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.word() {
            Some(word) => Word(word).serialize(serializer),
            None => self.0.text(|text| serializer.serialize_str(text)),
        }
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
        let mut push = |byte: u8| {
            if let Some(place) = text.get_mut(len) {
                *place = byte;
                len += 1;
            }
        };
        for (octet, behind) in v4.ip().octets().into_iter().zip(*b"...:") {
            digits(octet.into(), &mut push);
            push(behind);
        }
        digits(v4.port(), &mut push);
        serializer.serialize_str(text.get(..len).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())
    }
}

/// Hands the digits of `number` to `push`, the first first.
fn digits(number: u16, push: &mut impl FnMut(u8)) {
    for power in [10_000, 1_000, 100, 10, 1] {
        if number >= power || power == 1 {
            push(b'0' + u8::try_from(number / power % 10).unwrap_or(0));
        }
    }
}

/// Seconds with nine decimals, as a string: nanoseconds since 1970 do not fit a JavaScript number.
#[derive(Debug)]
pub struct Seconds(pub Time);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.text(|text| serializer.serialize_str(text))
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
pub struct Findings<'a>(pub survey::End<'a>);

impl Findings<'_> {
    /// Whether no segment has any.
    pub fn is_empty(&self) -> bool {
        self.0.is_clean()
    }
}

impl Serialize for Findings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.findings().map(|(finding, count)| (Word(finding.name()), count)))
    }
}

impl JsonSchema for Findings<'_> {
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
    use crate::report::lean::Json;

    #[test]
    fn an_endpoint_is_written_as_std_writes_it() {
        for text in [
            "0.0.0.0:0",
            "127.0.0.1:2222",
            "10.200.99.100:10000",
            "255.255.255.255:65535",
            "[fe80::1]:443",
            "[::ffff:10.0.0.1]:80",
        ] {
            let end: SocketAddr = text.parse().unwrap();
            assert_eq!(serde_json::to_value(Endpoint(end)).unwrap(), end.to_string());
        }
    }

    #[test]
    fn a_word_is_a_string_however_it_is_written() {
        let mut lean = Json::default();
        lean.append(&Word("TIME-WAIT")).unwrap();
        assert_eq!(lean.written(), b"\"TIME-WAIT\"");
        assert_eq!(serde_json::to_value(Word("TIME-WAIT")).unwrap(), "TIME-WAIT");
    }
}
