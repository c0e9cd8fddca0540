//! CEL rules that more than one field or kind uses.

use kube::core::{Message, Reason, Rule};
use schemars::Schema;
use serde_json::Value;

/// The name of a Secret or `ConfigMap`. It becomes part of a path in the Kubernetes API, so nothing else may stand in
/// it: no slash that leads elsewhere.
pub const OBJECT_NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// The field of a run keeps the value, or the absence, that the object was created with.
#[must_use]
pub fn immutable(field: &str) -> Rule {
    fixed(field, "a new run is a new object")
}

/// The field keeps the value, or the absence, that the object was created with; `instead` says what to do.
#[must_use]
pub fn fixed(field: &str, instead: &str) -> Rule {
    Rule::new(format!(
        "has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    ))
    .message(Message::Message(format!("{field} cannot be changed: {instead}")))
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".{field}"))
}

/// Once true, the field stays true.
#[must_use]
pub fn one_way(field: &str) -> Rule {
    Rule::new(format!("!(has(oldSelf.{field}) && oldSelf.{field}) || (has(self.{field}) && self.{field})"))
        .message(Message::Message(format!("{field} cannot be taken back once it is true")))
        .reason(Reason::FieldValueForbidden)
        .field_path(format!(".{field}"))
}

/// None of `fields` stands beside `holder`.
#[must_use]
pub fn excludes(holder: &str, fields: &[&str], why: &str) -> Rule {
    let none = fields.iter().map(|field| format!("!has(self.{field})")).collect::<Vec<_>>().join(" && ");
    Rule::new(format!("!has(self.{holder}) || ({none})")).message(why).field_path(format!(".{holder}"))
}

/// Adds `rules` to the schema of an object.
pub fn add(schema: &mut Schema, rules: impl IntoIterator<Item = Rule>) {
    let serialized = rules.into_iter().filter_map(|rule| serde_json::to_value(rule).ok());
    let list = schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.extend(serialized);
    }
}
