//! CEL rules and patterns that several fields or kinds use.

use kube::core::{Message, Reason, Rule};
use schemars::Schema;
use serde_json::Value;

/// The name of a Secret or `ConfigMap`, as RFC 1123 defines it. The name becomes part of a path of the Kubernetes API,
/// so a slash in it could address another resource.
pub(super) const OBJECT_NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// The field can be neither set, changed nor unset after the creation of the object.
pub(super) fn immutable(field: &str, remedy: &str) -> Rule {
    Rule::new(format!(
        "has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || self.{field} == oldSelf.{field})"
    ))
    .message(Message::Message(format!("{field} cannot be changed: {remedy}")))
    .reason(Reason::FieldValueForbidden)
    .field_path(format!(".{field}"))
}

/// The field stays true once it is true.
pub(super) fn one_way(field: &str) -> Rule {
    Rule::new(format!("!(has(oldSelf.{field}) && oldSelf.{field}) || (has(self.{field}) && self.{field})"))
        .message(Message::Message(format!("{field} cannot be taken back once it is true")))
        .reason(Reason::FieldValueForbidden)
        .field_path(format!(".{field}"))
}

/// None of `excluded` may be set together with `field`.
pub(super) fn excludes(field: &str, excluded: &[&str], message: &str) -> Rule {
    let none = excluded.iter().map(|other| format!("!has(self.{other})")).collect::<Vec<_>>().join(" && ");
    Rule::new(format!("!has(self.{field}) || ({none})")).message(message).field_path(format!(".{field}"))
}

/// Adds `rules` to `x-kubernetes-validations` of the schema.
pub(super) fn add(schema: &mut Schema, rules: impl IntoIterator<Item = Rule>) {
    let serialized = rules.into_iter().filter_map(|rule| serde_json::to_value(rule).ok());
    let list = schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.extend(serialized);
    }
}
