//! The JSON Schemas (draft 2020-12) of what is printed as JSON: `explain`'s and a check's, drawn from their shapes, and a
//! story's.
//!
//! A string that may get more values under the same version names some as `examples`; one that may not names all as `enum`.
//! Fields that are not listed are allowed, for a later program may print more.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::check;
use super::explain::shape::{Capture, Connection, Summed};
use super::json::SCHEMA;

/// A story's schema. Its JSON is put together by hand, and so is this; tests/schema.rs holds it to what is printed.
const STORY: &str = include_str!("../../docs/story.schema.json");

/// All schemas, and of each kind of object that `explain` and a story both have the fields that are alike in both.
pub fn all() -> serde_json::Result<Value> {
    let (explain, story) = (explain(), story()?);
    let shared = shared(&explain, &story);
    Ok(json!({"schema": SCHEMA, "shared": shared, "explain": explain, "story": story, "check": check()}))
}

/// The schema of a story.
pub fn story() -> serde_json::Result<Value> {
    serde_json::from_str(STORY)
}

/// The schema of `explain`'s JSON: of the object that `--format json` prints, and of each line of `jsonl`.
pub fn explain() -> Value {
    let mut generator = generator();
    let capture = reference::<Capture<'_>>(&mut generator);
    let connection = reference::<Connection<'_>>(&mut generator);
    let summary = reference::<Summed<'_>>(&mut generator);
    let mut defs = generator.take_definitions(true);
    defs.insert("object".to_owned(), object(&capture, &connection, &summary));
    defs.insert("header_line".to_owned(), line("header", "The first line of --format jsonl.", &capture));
    defs.insert("connection_line".to_owned(), line("connection", "A line for each connection.", &connection));
    defs.insert("summary_line".to_owned(), line("summary", "The last line.", &summary));
    let one_of = ["object", "header_line", "connection_line", "summary_line"]
        .map(|name| json!({"$ref": format!("#/$defs/{name}")}));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "epipe explain",
        "description": "What epipe explain prints: with --format json the object, with jsonl one of the three lines.",
        "oneOf": one_of,
        "$defs": defs,
    })
}

/// The schema of the JSON of `lab --check`: of each line.
pub fn check() -> Value {
    let mut generator = generator();
    let scenario = reference::<check::Scenario<'_>>(&mut generator);
    let summary = reference::<check::Summary>(&mut generator);
    let mut defs = generator.take_definitions(true);
    defs.insert("scenario_line".to_owned(), line("scenario", "A line for each scenario.", &scenario));
    defs.insert("summary_line".to_owned(), line("summary", "The last line.", &summary));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "epipe lab --check",
        "description": "What epipe lab --check --format json prints, a line each.",
        "oneOf": [{"$ref": "#/$defs/scenario_line"}, {"$ref": "#/$defs/summary_line"}],
        "$defs": defs,
    })
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(without_source)).into_generator()
}

/// A reference to the schema of `T`, which the generator now knows.
fn reference<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn object(capture: &Value, connection: &Value, summary: &Value) -> Value {
    json!({
        "description": "What --format json prints.",
        "allOf": [capture, summary],
        "properties": {"connections": {
            "description": "Those that are shown, in the order of their first packets.",
            "type": "array",
            "items": connection,
        }},
        "required": ["connections"],
    })
}

fn line(kind: &str, description: &str, rest: &Value) -> Value {
    json!({
        "description": description,
        "allOf": [rest],
        "properties": {"kind": {"description": "What the line is.", "const": kind}},
        "required": ["kind"],
    })
}

/// Takes away what is the source's: how wide an integer is, and where a comment's lines end.
fn without_source(schema: &mut Schema) {
    schema.remove("format");
    if let Some(Value::String(words)) = schema.get_mut("description") {
        *words = words.replace('\n', " ");
    }
}

/// By kind of object, the fields that `explain` and `story` allow the same values.
fn shared(explain: &Value, story: &Value) -> Map<String, Value> {
    let kinds = explain["$defs"].as_object().into_iter().flatten();
    let alike = kinds.filter_map(|(kind, ours)| Some((kind.clone(), fields_alike(ours, story["$defs"].get(kind)?))));
    alike.map(|(kind, fields)| (kind, json!(fields))).collect()
}

fn fields_alike<'a>(ours: &'a Value, theirs: &Value) -> Vec<&'a str> {
    let ours = ours["properties"].as_object().into_iter().flatten();
    let is_alike = |(name, field): &(&String, &Value)| {
        theirs["properties"].get(name.as_str()).is_some_and(|other| without_words(other) == without_words(field))
    };
    ours.filter(is_alike).map(|(name, _)| name.as_str()).collect()
}

/// A field's schema without what is said about it.
fn without_words(field: &Value) -> Value {
    let mut field = field.clone();
    if let Some(keywords) = field.as_object_mut() {
        keywords.retain(|keyword, _| !["description", "examples"].contains(&keyword.as_str()));
    }
    field
}
