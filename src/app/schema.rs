//! `epipe schema`: the JSON Schemas of what is printed as JSON.

use super::{Ending, Failure, output};
use crate::cli::{Common, Format, Schema, Schemas};
use crate::report::schema;

/// Prints the schema that `wanted` names, or all.
pub fn run(wanted: &Schema, common: &Common) -> Result<Ending, Failure> {
    if common.format.is_some_and(|format| format != Format::Json) {
        return Err(Failure::new("schemas are JSON and have no other format").help("leave --format away"));
    }
    let schema = match wanted.name {
        Some(Schemas::Explain) => Ok(schema::explain()),
        Some(Schemas::Story) => schema::story(),
        Some(Schemas::Check) => Ok(schema::check()),
        None => schema::all(),
    };
    let schema = schema.map_err(|error| Failure::new(format!("cannot read the schema of a story: {error}")))?;
    output::to(common, |out| {
        serde_json::to_writer_pretty(&mut *out, &schema)?;
        writeln!(out)
    })?;
    Ok(Ending::Done)
}
