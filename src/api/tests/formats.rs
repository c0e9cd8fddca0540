//! The formats in the schemas.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::api::crds;

/// The formats of k8s.io/apiextensions-apiserver (pkg/apiserver/validation/formats.go) that apply to numbers, times
/// and bytes. `kubectl apply` prints a warning about any other.
const KNOWN_FORMATS: [&str; 9] =
    ["int32", "int64", "float", "double", "byte", "date", "date-time", "duration", "password"];

fn collect_formats(value: &Value, formats: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            formats.extend(fields.get("format").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_formats(field, formats));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_formats(item, formats)),
        _ => {}
    }
}

#[test]
fn every_format_is_known_to_the_api_server() {
    let mut formats = BTreeSet::new();
    collect_formats(&serde_json::to_value(crds()).unwrap(), &mut formats);
    assert!(formats.contains("int32"), "{formats:?}");
    let unknown: Vec<_> = formats.iter().filter(|format| !KNOWN_FORMATS.contains(&format.as_str())).collect();
    assert!(unknown.is_empty(), "unknown formats: {unknown:?}");
}
