//! The stack of a call as a JSON object.

use serde_json::{Value, json};

use crate::event::{At, Language, Place, Stack};
use crate::story::stack::{caller, short};

pub fn object(stack: &Stack) -> Value {
    let places: Vec<Value> = stack.places.iter().map(place).collect();
    let mut object = json!({"kind": "stack", "begun": stack.begun.0, "places": places});
    if let Some(fields) = object.as_object_mut() {
        let at = caller(stack).and_then(|at| stack.places.get(at)).map(short);
        fields.extend(at.map(|at| ("called_at".to_owned(), json!(at))));
        fields.extend(stack.missing.as_ref().map(|why| ("missing".to_owned(), json!(why))));
    }
    object
}

fn place(place: &Place) -> Value {
    let language = match place.language {
        Language::Native => "native",
        Language::Python => "python",
    };
    let mut object = match &place.at {
        At::Line { file, line } => json!({"language": language, "file": file, "line": line}),
        At::Module { file, offset } => json!({"language": language, "module": file, "offset": format!("{offset:#x}")}),
        At::Address(address) => json!({"language": language, "address": format!("{address:#x}")}),
    };
    if let Some((fields, name)) = object.as_object_mut().zip(place.function.as_ref()) {
        fields.insert("function".to_owned(), json!(name));
    }
    object
}
