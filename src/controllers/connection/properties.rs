//! The properties of a connection: the literal values of the spec, put together with the values of its Secrets. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::desired::Values;
use crate::api::connection::sources::{JsonKeyFrom, PropertyFrom, PropertyMap};
use crate::api::connection::values::{fault, json_object};
use crate::api::connection::{GlueConnectionSpec, SecretKey};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::identity::Sensitive;

/// The most bytes that Glue takes of a property of this map of the spec (the API's model in the AWS SDKs,
/// `ConnectionProperties`: 1024, `PropertyValue`: 2048).
#[must_use]
pub fn most_bytes(field: &str) -> usize {
    match field {
        "sparkProperties" | "athenaProperties" | "pythonProperties" => 2048,
        _ => 1024,
    }
}

/// The properties of one map of `spec`. `values` has the values of all Secret keys that the spec names.
pub(crate) fn merged(
    namespace: &str,
    spec: &GlueConnectionSpec,
    map: PropertyMap<'_>,
    values: &Values,
) -> Result<BTreeMap<String, Sensitive>, Problem> {
    let literals = map.literals.into_iter().flatten();
    let mut merged: BTreeMap<_, _> =
        literals.map(|(name, value)| (name.clone(), Sensitive::new(value.clone()))).collect();
    for from in map.from.into_iter().flatten() {
        let value = match (&from.secret_key_ref, &from.json_keys) {
            (Some(key), _) => values.get(key).cloned(),
            (None, Some(parts)) => {
                let literal = map.literals.and_then(|literals| literals.get(&from.name));
                let field = format!("{} {}", map.field, from.name);
                Some(with_json_keys(&field, literal.map(String::as_str), parts, values)?)
            }
            (None, None) => None,
        };
        let Some(value) = value else { continue };
        if let Some(fault) = fault_of(spec, map, from, &value) {
            let field = format!("{} {}", map.field, from.name);
            let message = format!("{field} from {}: {fault}: correct it", sources(namespace, from));
            return Err(Problem::new(Reason::SecretInvalid, message));
        }
        merged.insert(from.name.clone(), value);
    }
    Ok(merged)
}

/// Why Glue would not take the value of a property. The text does not contain the value.
fn fault_of(spec: &GlueConnectionSpec, map: PropertyMap<'_>, from: &PropertyFrom, value: &Sensitive) -> Option<String> {
    let (bytes, most) = (value.expose().len(), most_bytes(map.field));
    if bytes > most {
        return Some(format!("with these values it has {bytes} bytes, and Glue takes {most} at most"));
    }
    let is_version_1 = spec.authentication.is_none();
    let is_checked = map.field == "properties";
    is_checked.then(|| fault(&spec.connection_type, is_version_1, &from.name, value.expose())).flatten()
}

/// The JSON object `literal` with more keys, whose values come from Secrets.
fn with_json_keys(
    field: &str,
    literal: Option<&str>,
    parts: &[JsonKeyFrom],
    values: &Values,
) -> Result<Sensitive, Problem> {
    let Some(mut object) = json_object(literal.unwrap_or("{}")) else {
        let message = format!("{field} is no JSON object, so it takes no jsonKeys: correct it, or remove jsonKeys");
        return Err(Problem::invalid_spec(message));
    };
    for part in parts {
        if object.contains_key(&part.key) {
            let message = format!("the key {} of {field} is set there and in jsonKeys: keep one of them", part.key);
            return Err(Problem::invalid_spec(message));
        }
        if let Some(value) = values.get(&part.secret_key_ref) {
            object.insert(part.key.clone(), Value::String(value.expose().to_owned()));
        }
    }
    Ok(Sensitive::new(Value::Object(object).to_string()))
}

/// The Secret keys of a property.
fn sources(namespace: &str, from: &PropertyFrom) -> String {
    let source = |(_, SecretKey { name, key }): (_, &SecretKey)| format!("key {key} of Secret {namespace}/{name}");
    from.secret_keys().map(source).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The properties of the map `index`; each Secret key `k` has the value `k`, unless `secrets` has another.
    fn properties(
        spec: Value,
        index: usize,
        secrets: &[(&str, &str)],
    ) -> Result<BTreeMap<String, String>, (Reason, String)> {
        let spec: GlueConnectionSpec = serde_json::from_value(spec).unwrap();
        let value =
            |key: &str| secrets.iter().find(|(name, _)| *name == key).map_or(key, |(_, value)| *value).to_owned();
        let keys = spec.secret_keys();
        let values = keys.iter().map(|(_, key)| ((*key).clone(), Sensitive::new(value(&key.key)))).collect();
        let merged = merged("team", &spec, spec.property_maps()[index], &values);
        let merged = merged.map_err(|problem| (problem.reason, problem.message))?;
        Ok(merged.into_iter().map(|(name, value)| (name, value.expose().to_owned())).collect())
    }

    fn key(key: &str) -> Value {
        json!({"name": "db", "key": key})
    }

    #[test]
    fn literals_and_values_from_secrets_make_one_map() {
        let from = json!([{"name": "password", "secretKeyRef": key("hunter2")}]);
        for (index, field) in
            ["properties", "sparkProperties", "athenaProperties", "pythonProperties"].iter().enumerate()
        {
            let spec = json!({"connectionType": "X", *field: {"url": "u"}, format!("{field}From"): from});
            let expected = BTreeMap::from([("url", "u"), ("password", "hunter2")]);
            let expected = expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(properties(spec, index, &[]), Ok(expected), "{field}");
        }
    }

    #[test]
    fn a_json_object_gets_its_secret_keys() {
        let parts = json!([{"key": "sfPassword", "secretKeyRef": key("hunter\"2")}]);
        let of = |literal: Option<&str>| {
            let from = json!([{"name": "SparkProperties", "jsonKeys": parts}]);
            let literal = literal.map(|literal| json!({"SparkProperties": literal}));
            let spec = json!({"connectionType": "SNOWFLAKE", "properties": literal, "propertiesFrom": from});
            properties(spec, 0, &[]).map(|map| map["SparkProperties"].clone())
        };
        let with = |text: &str| Ok(text.to_owned());
        assert_eq!(of(None), with(r#"{"sfPassword":"hunter\"2"}"#));
        assert_eq!(of(Some(r#"{"sfUser": "me", "n": 1}"#)), with(r#"{"n":1,"sfPassword":"hunter\"2","sfUser":"me"}"#));
        let refused = |message: &str| Err((Reason::InvalidSpec, message.to_owned()));
        assert_eq!(
            of(Some("{")),
            refused(
                "properties SparkProperties is no JSON object, so it takes no jsonKeys: correct it, or remove jsonKeys"
            )
        );
        assert_eq!(
            of(Some(r#"{"sfPassword": ""}"#)),
            refused("the key sfPassword of properties SparkProperties is set there and in jsonKeys: keep one of them")
        );
    }

    #[test]
    fn what_glue_would_refuse_is_named_by_its_secret_and_not_shown() {
        let whole = |type_: &str, name: &str| json!({"connectionType": type_, "propertiesFrom": [{"name": name, "secretKeyRef": key("k")}]});
        let url = json!({"connectionType": "SNOWFLAKE", "propertiesFrom": [
            {"name": "SparkProperties", "jsonKeys": [{"key": "sfUrl", "secretKeyRef": key("k")}]},
        ]});
        let spark = |field: &str| json!({"connectionType": "X", format!("{field}From"): [{"name": "a", "jsonKeys": [{"key": "b", "secretKeyRef": key("k")}]}]});
        let long = "x".repeat(2048);
        for (spec, index, value, fault) in [
            (
                whole("JDBC", "PORT"),
                0,
                "hunter2",
                "properties PORT from key k of Secret team/db: PORT is a number from 1 to 65535: correct it",
            ),
            (
                whole("JDBC", "PORT"),
                0,
                "443",
                "properties PORT from key k of Secret team/db: PORT of a JDBC connection is a number from 1024 to 65535: correct it",
            ),
            (
                url,
                0,
                "hunter2.example.com",
                "properties SparkProperties from key k of Secret team/db: sfUrl in SparkProperties is the URL of a Snowflake account, such as https://account.snowflakecomputing.com: correct it",
            ),
            (
                spark("properties"),
                0,
                &long,
                "properties a from key k of Secret team/db: with these values it has 2056 bytes, and Glue takes 1024 at most: correct it",
            ),
            (
                spark("sparkProperties"),
                1,
                &long,
                "sparkProperties a from key k of Secret team/db: with these values it has 2056 bytes, and Glue takes 2048 at most: correct it",
            ),
        ] {
            assert_eq!(properties(spec, index, &[("k", value)]), Err((Reason::SecretInvalid, fault.to_owned())));
        }
        let mut authenticated = whole("JDBC", "PORT");
        authenticated["authentication"] = json!({"type": "IAM"});
        assert!(properties(authenticated, 0, &[("k", "443")]).is_ok());
    }
}
