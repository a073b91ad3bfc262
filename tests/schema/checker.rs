//! A validator for the keywords that our schemas use. A keyword that it does not know is a failure, and, stricter than the
//! schemas themselves, so is a field that they do not list.

#![allow(dead_code, reason = "each test file uses its part")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use epipe::event::Time;
use serde_json::Value;

/// Names, by the definition in whose `properties` they stand.
pub type Fields = BTreeMap<String, BTreeSet<String>>;

/// Holds values to a schema, and remembers which of its fields it has seen.
pub struct Checker {
    schema: Value,
    seen: RefCell<Fields>,
}

impl Checker {
    pub fn new(schema: Value) -> Self {
        Self { schema, seen: RefCell::default() }
    }

    /// What is wrong with `value`.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.whole("", &self.schema, value, "")
    }

    /// The fields that the schema lists.
    pub fn listed(&self) -> Fields {
        let defs = self.schema["$defs"].as_object().unwrap();
        let names = |schema: &Value| schema["properties"].as_object().map(|fields| fields.keys().cloned().collect());
        defs.iter().filter_map(|(def, schema)| Some((def.clone(), names(schema)?))).collect()
    }

    /// Those of them that were in a value.
    pub fn seen(&self) -> Fields {
        self.seen.borrow().clone()
    }

    /// Holds `value` to `schema`, and all of its fields must be known.
    fn whole(&self, def: &str, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let known = self.apply(def, schema, value, at)?;
        let mut fields = value.as_object().into_iter().flatten().map(|(name, _)| name);
        fields
            .find(|name| !known.contains(*name))
            .map_or(Ok(()), |name| Err(format!("{at}/{name} is not in the schema")))
    }

    /// Holds `value` to `schema`, and says which of its fields that knows.
    fn apply(&self, def: &str, schema: &Value, value: &Value, at: &str) -> Result<BTreeSet<String>, String> {
        let mut known = BTreeSet::new();
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    known.extend(self.apply(name, &self.schema["$defs"][name], value, at)?);
                }
                "allOf" => {
                    for part in rule.as_array().unwrap() {
                        known.extend(self.apply(def, part, value, at)?);
                    }
                }
                "oneOf" => known.extend(self.one_of(def, rule, value, at)?),
                "if" if self.apply(def, rule, value, at).is_ok() => {
                    known.extend(self.apply(def, &schema["then"], value, at)?);
                }
                "$schema" | "$defs" | "title" | "description" | "examples" | "if" | "then" => {}
                "properties" => known.extend(self.properties(def, rule, value, at)?),
                "additionalProperties" => {
                    for (name, inner) in value.as_object().into_iter().flatten() {
                        self.whole(def, rule, inner, &format!("{at}/{name}"))?;
                        known.insert(name.clone());
                    }
                }
                "items" => {
                    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
                        self.whole(def, rule, inner, &format!("{at}/{index}"))?;
                    }
                }
                _ if holds(keyword, rule, value) => {}
                _ => return Err(format!("{at}: {value} is not {keyword} {rule}")),
            }
        }
        Ok(known)
    }

    fn one_of(&self, def: &str, rule: &Value, value: &Value, at: &str) -> Result<BTreeSet<String>, String> {
        let tried = rule.as_array().unwrap().iter().map(|part| self.apply(def, part, value, at));
        let (mut fits, fails): (Vec<_>, Vec<_>) = tried.partition(Result::is_ok);
        match fits.len() {
            1 => fits.remove(0),
            0 => Err(fails.into_iter().map(|fail| fail.unwrap_err()).collect::<Vec<_>>().join("; ")),
            many => Err(format!("{at}: {many} of oneOf fit")),
        }
    }

    fn properties(&self, def: &str, rule: &Value, value: &Value, at: &str) -> Result<BTreeSet<String>, String> {
        let mut known = BTreeSet::new();
        for (name, schema) in rule.as_object().unwrap() {
            if let Some(inner) = value.get(name) {
                self.whole(def, schema, inner, &format!("{at}/{name}"))?;
                known.insert(name.clone());
            }
        }
        self.seen.borrow_mut().entry(def.to_owned()).or_default().extend(known.iter().cloned());
        Ok(known)
    }
}

/// Whether `value` is as the keyword demands.
fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    let one_or_many = |rule: &Value| rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
    match keyword {
        "type" => one_or_many(rule).iter().any(|kind| is(kind.as_str().unwrap(), value)),
        "enum" => rule.as_array().unwrap().contains(value),
        "const" => rule == value,
        "required" => rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
        "maximum" => value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap()),
        "pattern" => value.as_str().is_none_or(|text| matches(rule.as_str().unwrap(), text)),
        other => panic!("the checker does not know {other}"),
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the checker does not know the type {other}"),
    }
}

/// The few patterns that there are.
fn matches(pattern: &str, text: &str) -> bool {
    let is_count = |text: &str| text.parse::<u64>().is_ok_and(|number| number > 0);
    match pattern {
        r"^-?[0-9]+\.[0-9]{9}$" => text.parse::<Time>().is_ok(),
        "^[1-9][0-9]*:[1-9][0-9]*$" => {
            text.split_once(':').is_some_and(|(file, frame)| is_count(file) && is_count(frame))
        }
        "^0x[0-9a-f]+$" => text.strip_prefix("0x").is_some_and(|digits| u64::from_str_radix(digits, 16).is_ok()),
        "^-?[0-9]+$" => text.parse::<i64>().is_ok(),
        other => panic!("the checker does not know the pattern {other}"),
    }
}
