//! The properties of a spec, read from the schema of a custom resource definition.

use std::fmt;

use serde_json::{Map, Value, json};

use super::values;

/// A step from an object or a list to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// The member of this name.
    Member(String),
    /// The first item of a list.
    Item,
    /// The value of the key [`KEY`] of a map.
    Value,
}

/// The key of what is put in a map.
pub const KEY: &str = "key";

/// A property of a spec: where it is, and its schema.
#[derive(Debug, Clone)]
pub struct Property {
    /// From the spec to it.
    pub path: Vec<Segment>,
    /// Its schema.
    pub schema: Value,
    /// Whether its parent must have it.
    pub required: bool,
}

impl Property {
    /// Its name, or that of the list or map that it is in.
    #[must_use]
    pub fn name(&self) -> &str {
        let names = self.path.iter().rev().filter_map(|segment| match segment {
            Segment::Member(name) => Some(name.as_str()),
            Segment::Item | Segment::Value => None,
        });
        names.into_iter().next().unwrap_or("spec")
    }

    /// The name of the property of the spec that it is, or is in.
    #[must_use]
    pub fn top(&self) -> &str {
        match self.path.first() {
            Some(Segment::Member(name)) => name,
            _ => "spec",
        }
    }

    /// Puts a value there. What the way to it lacks is created as the schema requires it.
    #[must_use]
    pub fn put(&self, spec: &Value, schema: &Value, value: Value) -> Value {
        let mut spec = spec.clone();
        put(&mut spec, schema, &self.path, Some(value));
        spec
    }

    /// Removes it. The way to it is created like that of a value.
    #[must_use]
    pub fn remove(&self, spec: &Value, schema: &Value) -> Value {
        let mut spec = spec.clone();
        put(&mut spec, schema, &self.path, None);
        spec
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("spec")?;
        self.path.iter().try_for_each(|segment| match segment {
            Segment::Member(name) => write!(f, ".{name}"),
            Segment::Item => f.write_str("[0]"),
            Segment::Value => write!(f, ".{KEY}"),
        })
    }
}

/// All properties of a schema, each before those within it.
#[must_use]
pub fn properties(schema: &Value) -> Vec<Property> {
    let mut found = Vec::new();
    walk(schema, &[], &mut found);
    found
}

fn walk(schema: &Value, path: &[Segment], found: &mut Vec<Property>) {
    let mut add = |segment: Segment, schema: &Value, required: bool| {
        let path = [path, &[segment]].concat();
        found.push(Property { path: path.clone(), schema: schema.clone(), required });
        walk(schema, &path, found);
    };
    for (name, child) in members(schema) {
        add(Segment::Member(name.clone()), child, required(schema).any(|required| required == name));
    }
    if schema["items"].is_object() {
        add(Segment::Item, &schema["items"], false);
    }
    if schema["additionalProperties"].is_object() {
        add(Segment::Value, &schema["additionalProperties"], false);
    }
}

/// The schemas of the members of an object.
pub(super) fn members(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

/// The names of the members that an object must have.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn put(target: &mut Value, schema: &Value, path: &[Segment], value: Option<Value>) {
    let Some((segment, rest)) = path.split_first() else {
        *target = value.unwrap_or_default();
        return;
    };
    if target.is_null() {
        *target = values::valid(schema, 0).unwrap_or_else(|| json!({}));
    }
    let is_last_of_removal = rest.is_empty() && value.is_none();
    match (segment, target) {
        (Segment::Item, Value::Array(items)) => {
            if is_last_of_removal {
                items.clear();
                return;
            }
            if items.is_empty() {
                items.push(Value::Null);
            }
            put(&mut items[0], &schema["items"], rest, value);
        }
        (Segment::Member(_) | Segment::Value, Value::Object(members)) => {
            let (name, child) = match segment {
                Segment::Member(name) => (name.as_str(), &schema["properties"][name]),
                Segment::Item | Segment::Value => (KEY, &schema["additionalProperties"]),
            };
            if is_last_of_removal {
                members.remove(name);
                return;
            }
            put(members.entry(name).or_insert(Value::Null), child, rest, value);
        }
        // The schema has something else there.
        _ => {}
    }
}

/// The merge patch (RFC 7386) that makes `after` of `before`. Neither has a null within.
#[must_use]
pub fn patch(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return after.clone() };
    let removed = before.keys().filter(|name| !after.contains_key(*name)).map(|name| (name.clone(), Value::Null));
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let changed = changed.map(|(name, value)| (name.clone(), patch(before.get(name).unwrap_or(&Value::Null), value)));
    removed.chain(changed).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        let name = json!({ "type": "string", "minLength": 1 });
        json!({ "type": "object", "required": ["jobName"], "properties": {
            "jobName": name,
            "retry": { "type": "object", "required": ["limit"], "properties": {
                "limit": { "type": "integer", "minimum": 0 }, "pause": { "type": "integer", "minimum": 1 } } },
            "from": { "type": "array", "items": { "type": "object", "required": ["name"], "properties": { "name": name } } },
            "tags": { "type": "object", "additionalProperties": name },
        } })
    }

    #[test]
    fn each_property_is_found_and_put_on_a_complete_way() {
        let schema = schema();
        let all = properties(&schema);
        let named = |name: &str| all.iter().find(|one| one.to_string() == name).unwrap();
        let found: Vec<_> = all.iter().map(Property::to_string).collect();
        assert_eq!(
            found,
            [
                "spec.from",
                "spec.from[0]",
                "spec.from[0].name",
                "spec.jobName",
                "spec.retry",
                "spec.retry.limit",
                "spec.retry.pause",
                "spec.tags",
                "spec.tags.key"
            ]
        );
        let base = json!({ "jobName": "a" });
        let put = |name: &str, value: Value| named(name).put(&base, &schema, value);
        assert_eq!(put("spec.retry.pause", json!(7))["retry"], json!({ "limit": 0, "pause": 7 }));
        assert_eq!(put("spec.from[0].name", json!("x"))["from"], json!([{ "name": "x" }]));
        assert_eq!(put("spec.tags.key", json!("x"))["tags"][KEY], "x");
        assert_eq!(named("spec.retry.limit").remove(&base, &schema)["retry"], json!({}));
        assert_eq!((named("spec.tags.key").name(), named("spec.from[0].name").top()), ("tags", "from"));
    }

    #[test]
    fn a_patch_takes_away_what_the_other_has_not() {
        let patch = patch(&json!({ "a": 1, "b": { "c": 1, "d": 2 } }), &json!({ "b": { "c": 3 }, "e": [1] }));
        assert_eq!(patch, json!({ "a": null, "b": { "c": 3, "d": null }, "e": [1] }));
    }
}
