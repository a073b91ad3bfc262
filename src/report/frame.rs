//! How a packet is named in JSON, wherever one is.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::event::FrameNo;

/// A packet: its number, or with several files the string `FILE:NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame(pub FrameNo);

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.file() == 0 { serializer.serialize_u64(self.0.number()) } else { serializer.collect_str(&self.0) }
    }
}

impl JsonSchema for Frame {
    fn schema_name() -> Cow<'static, str> {
        "frame".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"], "minimum": 1, "pattern": "^[1-9][0-9]*:[1-9][0-9]*$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_of_several_files_is_named_with_its_file() {
        let printed = |frame| serde_json::to_value(Frame(frame)).unwrap();
        assert_eq!(printed(FrameNo::in_file(0, 9)), 9);
        assert_eq!(printed(FrameNo::in_file(2, 9)), "2:9");
    }
}
