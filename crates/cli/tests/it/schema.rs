//! What `assess --format json` writes against its published schema, with as much of JSON Schema as
//! that file uses.

use serde_json::Value;

use crate::{
    sandbox::{Sandbox, repository},
    small::imported,
};

/// Compares a value with a schema; gives every place that does not fit.
fn misfits(value: &Value, schema: &Value, root: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                misfits(value, root.pointer(pointer).unwrap(), root, place, found);
            }
            "type" if !is_one_of(value, rule) => {
                found.push(format!("{place}: not of type {rule}: {value}"))
            }
            "const" if value != rule => found.push(format!("{place}: not {rule}: {value}")),
            "enum" if !rule.as_array().unwrap().contains(value) => {
                found.push(format!("{place}: not one of {rule}: {value}"));
            }
            "anyOf" => {
                let fits = rule.as_array().unwrap().iter().any(|option| {
                    let mut inner = Vec::new();
                    misfits(value, option, root, place, &mut inner);
                    inner.is_empty()
                });
                if !fits {
                    found.push(format!("{place}: fits nothing of {rule}: {value}"));
                }
            }
            "items" => {
                for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                    misfits(item, rule, root, &format!("{place}[{n}]"), found);
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        found.push(format!("{place}: lacks {name}"));
                    }
                }
            }
            "properties" | "additionalProperties" => {
                members(value, schema, root, place, keyword, found)
            }
            "type" | "const" | "enum" | "pattern" | "description" | "title" | "$schema" | "$id"
            | "$defs" => {}
            other => panic!("the schema uses `{other}`, which this test does not know"),
        }
    }
}

fn members(
    value: &Value,
    schema: &Value,
    root: &Value,
    place: &str,
    keyword: &str,
    found: &mut Vec<String>,
) {
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, member) in value.as_object().into_iter().flatten() {
        let inner = format!("{place}.{name}");
        match (keyword, known.and_then(|known| known.get(name))) {
            ("properties", Some(rule)) => misfits(member, rule, root, &inner, found),
            ("additionalProperties", None) if schema["additionalProperties"] == false => {
                found.push(format!("{inner}: is not in the schema"));
            }
            ("additionalProperties", None) => {
                misfits(member, &schema["additionalProperties"], root, &inner, found);
            }
            _ => {}
        }
    }
}

fn is_one_of(value: &Value, kinds: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("unknown type `{other}`"),
    };
    kinds.as_array().map_or_else(|| is(kinds), |kinds| kinds.iter().any(is))
}

fn check(sandbox: &Sandbox, period: &str) {
    let schema = std::fs::read(repository("docs/assessment.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let assessment = sandbox.ws(&["assess", "--period", period, "--format", "json"]).json();
    let mut found = Vec::new();
    misfits(&assessment, &schema, &schema, "assessment", &mut found);
    assert!(found.is_empty(), "{found:#?}");
    let mut spoilt = assessment.clone();
    spoilt["controls"][0]["status"] = "green".into();
    spoilt["extra"] = true.into();
    misfits(&spoilt, &schema, &schema, "assessment", &mut found);
    assert_eq!(found.len(), 2, "the schema refuses what is not in it: {found:?}");
}

#[test]
fn an_assessment_fits_its_published_schema() {
    let sandbox = imported();
    check(&sandbox, "2026-03");
    // A month without evidence has gaps, nulls and reasons for what is lacking.
    check(&sandbox, "2026-05");
}
