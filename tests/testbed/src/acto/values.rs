//! Values for a schema: valid ones, and one that breaks each rule of the schema.

use regex::Regex;
use serde_json::{Map, Value, json};

use super::schema::{KEY, members, required};

/// How many valid values a property gets, where it has so many.
pub const VALID: usize = 3;
/// The most that a number is above its minimum.
const SOME: i64 = 86_400;

/// What strings are made of: those that a pattern and the bounds admit are valid.
const SAMPLES: &[&str] = &[
    "one",
    "two",
    "three",
    "G.1X",
    "G.2X",
    "Standard",
    "eu-west-1",
    "us-east-2",
    "ap-south-1",
    "JDBC",
    "NETWORK",
    "KAFKA",
    "123456789012",
    "arn:aws:iam::123456789012:role/one",
    "arn:aws:iam::123456789012:role/two",
    "arn:aws:iam::123456789012:role/path/three",
    "arn:aws:kms:eu-west-1:123456789012:key/one",
    "arn:aws:kms:eu-west-1:123456789012:key/two",
    "arn:aws:kms:eu-west-1:123456789012:key/three",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:two",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:three",
    "https://example.com/one",
    "https://example.com/two",
    "https://example.com/three",
    "2026-01-31T00:00:00Z",
    "http://marquez.lineage:5000",
    "https://marquez.example.com",
    "http://datahub.lineage:8080/",
];
/// What few patterns admit.
const ODD: &[&str] = &["\u{1}", " ", "A b!", "-", "no such: value\u{1f}", "1"];

/// The nth valid value, of those that differ; none where there are not so many.
#[must_use]
pub fn valid(schema: &Value, nth: usize) -> Option<Value> {
    if let Some(members) = schema["enum"].as_array() {
        return members.get(nth).cloned();
    }
    match schema["type"].as_str()? {
        "boolean" => (nth < 2).then(|| Value::from(nth == 0)),
        "integer" => number(schema, nth).map(Value::from),
        "number" => number(schema, nth).map(|number| Value::from(number.max(1))),
        "string" => strings(schema).nth(nth).map(Value::from),
        "array" => array(schema, nth),
        "object" if schema["additionalProperties"].is_object() => map(schema, nth),
        "object" => object(schema, nth),
        _ => None,
    }
}

/// The least, the greatest, and one between.
fn number(schema: &Value, nth: usize) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)]
    let bound = |name: &str| schema[name].as_f64().map(|bound| bound.ceil() as i64);
    let least = bound("minimum").unwrap_or_default();
    let greatest = bound("maximum").unwrap_or(least + SOME);
    let mut all = vec![least, greatest, least.midpoint(greatest)];
    all.dedup();
    all.get(nth).copied()
}

fn strings(schema: &Value) -> impl Iterator<Item = &'static str> {
    let admits = admits(schema);
    SAMPLES.iter().copied().filter(move |text| admits(text))
}

/// Whether the bounds and the pattern of a string admit a text.
fn admits(schema: &Value) -> impl Fn(&str) -> bool + use<> {
    let pattern = schema["pattern"].as_str().and_then(|pattern| Regex::new(pattern).ok());
    let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    let (least, most) = (bound("minLength").unwrap_or_default(), bound("maxLength").unwrap_or(usize::MAX));
    move |text| {
        let length = text.chars().count();
        length >= least && length <= most && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
    }
}

fn array(schema: &Value, nth: usize) -> Option<Value> {
    let items = &schema["items"];
    let item = |nth| valid(items, nth);
    match nth {
        0 => item(0).map(|item| json!([item])),
        1 => item(1).map(|item| json!([item])),
        2 => Some(json!([item(0)?, item(1)?])),
        _ => None,
    }
}

fn map(schema: &Value, nth: usize) -> Option<Value> {
    let value = |nth| valid(&schema["additionalProperties"], nth);
    match nth {
        0 | 1 => value(nth).map(|value| json!({ KEY: value })),
        2 => Some(json!({ KEY: value(0)?, "other": value(1)? })),
        _ => None,
    }
}

/// The members that are required, and after the first one more.
fn object(schema: &Value, nth: usize) -> Option<Value> {
    let mut object = Map::new();
    for name in required(schema) {
        let child = &schema["properties"][name];
        object.insert(name.to_owned(), valid(child, nth).or_else(|| valid(child, 0))?);
    }
    let is_optional = |name: &String| !object.contains_key(name);
    let mut optional = members(schema).filter(|(name, _)| is_optional(name)).collect::<Vec<_>>().into_iter();
    let empty = object.is_empty();
    // Some objects must not be empty, which only a rule says.
    let skipped = if empty { nth } else { nth.checked_sub(1).unwrap_or(usize::MAX) };
    match optional.nth(skipped) {
        Some((name, child)) => {
            object.insert(name.clone(), valid(child, 0)?);
        }
        None if nth > 0 && (empty || !differs(schema, nth)) => return None,
        None => {}
    }
    Some(object.into())
}

/// Whether a required member has an nth value.
fn differs(schema: &Value, nth: usize) -> bool {
    required(schema).any(|name| valid(&schema["properties"][name], nth).is_some())
}

/// Values that the schema does not admit, each with what is wrong. Null is none of them: the API server takes it away where
/// the schema does not admit it.
#[must_use]
pub fn invalid(schema: &Value) -> Vec<(&'static str, Value)> {
    let mut found = Vec::new();
    let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    if schema["enum"].is_array() {
        found.extend([("no such value", json!("Nonsense")), ("another type", json!(7))]);
        return found;
    }
    match schema["type"].as_str().unwrap_or_default() {
        "boolean" => found.push(("another type", json!("yes"))),
        "integer" | "number" => {
            found.push(("another type", json!("seven")));
            if schema["type"] == "integer" {
                found.push(("a fraction", json!(1.5)));
            }
            if let Some(least) = schema["minimum"].as_f64() {
                found.push(("too small", json!(least - 1.0)));
            }
            if let Some(greatest) = schema["maximum"].as_f64() {
                found.push(("too great", json!(greatest + 1.0)));
            }
        }
        "string" => {
            found.push(("another type", json!(7)));
            found.extend(bound("maxLength").map(|most| ("too long", json!("a".repeat(most + 1)))));
            found.extend(bound("minLength").filter(|least| *least > 0).map(|_| ("too short", json!(""))));
            if schema["pattern"].is_string() {
                let admits = admits(&json!({ "pattern": schema["pattern"] }));
                let odd = ODD.iter().find(|text| !admits(text));
                found.extend(odd.map(|text| ("another pattern", json!(text))));
            }
        }
        "array" => {
            found.push(("another type", json!("one")));
            let item = valid(&schema["items"], 0).unwrap_or_default();
            found.extend(bound("maxItems").map(|most| ("too many", Value::from(vec![item.clone(); most + 1]))));
            found.extend(bound("minItems").map(|_| ("too few", json!([]))));
            if schema["x-kubernetes-list-type"].is_string() {
                found.push(("twice the same", json!([item, item])));
            }
        }
        "object" => {
            found.push(("another type", json!("one")));
            found.extend(bound("maxProperties").map(|most| {
                let value = valid(&schema["additionalProperties"], 0).unwrap_or_default();
                let many = (0..=most).map(|number| (format!("{KEY}{number}"), value.clone()));
                ("too many", many.collect::<Map<_, _>>().into())
            }));
            if !schema["additionalProperties"].is_object()
                && let Some(Value::Object(mut members)) = valid(schema, 0)
            {
                members.insert("nonsense".to_owned(), json!(true));
                found.push(("an unknown member", members.into()));
            }
        }
        _ => {}
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(schema: &Value) -> Vec<Value> {
        (0..VALID).map_while(|nth| valid(schema, nth)).collect()
    }

    #[test]
    fn valid_values_differ_and_keep_the_bounds() {
        let short = json!({ "type": "string", "maxLength": 3, "pattern": "^[a-z]+$" });
        assert_eq!(all(&short), ["one", "two"]);
        let number = json!({ "type": "integer", "minimum": 1.0, "maximum": 10.0 });
        assert_eq!(all(&number), [1, 10, 5]);
        assert_eq!(all(&json!({ "type": "number", "minimum": 0.0625, "maximum": 1000.0 })), [1, 1000, 500]);
        assert_eq!(all(&json!({ "enum": ["A", "B"], "type": "string" })), ["A", "B"]);
        assert_eq!(all(&json!({ "type": "array", "items": short }))[2], json!(["one", "two"]));
        let object = json!({ "type": "object", "required": ["a"], "properties": { "a": short, "b": number } });
        assert_eq!(all(&object), [json!({ "a": "one" }), json!({ "a": "two", "b": 1 })]);
        let free = json!({ "type": "object", "properties": { "a": short, "b": number } });
        assert_eq!(all(&free), [json!({ "a": "one" }), json!({ "b": 1 })]);
    }

    #[test]
    fn each_bound_is_broken_once() {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 3, "pattern": "^[a-z]+$", "nullable": true });
        let broken: Vec<_> = invalid(&schema).into_iter().map(|(what, _)| what).collect();
        assert_eq!(broken, ["another type", "too long", "too short", "another pattern"]);
        assert!(!admits(&schema)("aaaa") && !admits(&schema)("A") && admits(&schema)("aaa"));
    }
}
