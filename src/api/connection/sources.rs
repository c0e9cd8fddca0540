//! Values from Secrets: of whole properties, and of keys of the JSON objects that some properties are.

use std::collections::BTreeMap;

use kube::core::{Message, Rule};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::GlueConnectionSpec;
use crate::api::rules;

/// A property with its value, or with a part of it, from Secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct PropertyFrom {
    /// The property's name in Glue, such as PASSWORD.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The key of a Secret that holds the whole value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKey>,
    /// For a property that is a JSON object, such as SparkProperties: the keys of the object whose values come from
    /// Secrets, 1 to 10. The property of the same name in properties, if there is one, has the other keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 10), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["key"]))]
    pub json_keys: Option<Vec<JsonKeyFrom>>,
}

/// A key of a JSON object with its value from a Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonKeyFrom {
    /// The key in the JSON object, such as sfPassword.
    #[schemars(length(min = 1, max = 255))]
    pub key: String,
    /// The key of a Secret that holds its value. The value becomes a string in the JSON object.
    pub secret_key_ref: SecretKey,
}

/// A key of a Secret of the object's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SecretKey {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = crate::api::rules::OBJECT_NAME))]
    pub name: String,
    /// The key in the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

impl PropertyFrom {
    /// Every Secret key that is used, each with the key of the JSON object that takes its value.
    pub(crate) fn secret_keys(&self) -> impl Iterator<Item = (Option<&str>, &SecretKey)> {
        let parts = self.json_keys.iter().flatten().map(|part| (Some(part.key.as_str()), &part.secret_key_ref));
        self.secret_key_ref.iter().map(|key| (None, key)).chain(parts)
    }
}

/// The fields of the maps of properties, each with that of its values from Secrets.
const MAPS: [(&str, &str); 4] = [
    ("properties", "propertiesFrom"),
    ("sparkProperties", "sparkPropertiesFrom"),
    ("athenaProperties", "athenaPropertiesFrom"),
    ("pythonProperties", "pythonPropertiesFrom"),
];

/// A map of properties with its two sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PropertyMap<'a> {
    /// The field of the spec that has the literal values.
    pub field: &'static str,
    /// The literal values.
    pub literals: Option<&'a BTreeMap<String, String>>,
    /// The values from Secrets.
    pub from: Option<&'a [PropertyFrom]>,
}

impl GlueConnectionSpec {
    /// `ConnectionProperties`, `SparkProperties`, `AthenaProperties` and `PythonProperties`.
    pub(crate) fn property_maps(&self) -> [PropertyMap<'_>; 4] {
        let sources = [
            (&self.properties, &self.properties_from),
            (&self.spark_properties, &self.spark_properties_from),
            (&self.athena_properties, &self.athena_properties_from),
            (&self.python_properties, &self.python_properties_from),
        ];
        let mut fields = MAPS.into_iter().map(|(field, _)| field);
        sources.map(|(literals, from)| PropertyMap {
            field: fields.next().unwrap_or_default(),
            literals: literals.as_ref(),
            from: from.as_deref(),
        })
    }
}

/// The rules that concern the two sources of a map together.
pub(super) fn rules() -> impl Iterator<Item = Rule> {
    let encrypted = "!has(self.propertiesFrom) || !self.propertiesFrom.exists(from, from.name == 'ENCRYPTED_PASSWORD')";
    let encrypted = Rule::new(encrypted)
        .message("ENCRYPTED_PASSWORD is what Glue stores where the catalog encrypts passwords: name PASSWORD in propertiesFrom, and Glue encrypts it")
        .field_path(".propertiesFrom");
    let of_map = |(field, from): (&str, &str)| {
        let both = format!("has(self.{field}) && has(self.{from})");
        let noun = if field == "properties" { "properties" } else { "properties of one compute environment" };
        [
            Rule::new(format!(
                "!({both}) || !self.{from}.exists(from, has(from.secretKeyRef) && from.name in self.{field})"
            ))
            .message(Message::Message(format!("a property is set in both {field} and {from}: keep one of them")))
            .field_path(format!(".{from}")),
            Rule::new(format!(
                "!({both}) || size(self.{field}) + size(self.{from}.filter(from, !(from.name in self.{field}))) <= 100"
            ))
            .message(Message::Message(format!("Glue takes 100 {noun} at most, those of {from} included")))
            .field_path(format!(".{from}")),
        ]
    };
    MAPS.into_iter().flat_map(of_map).chain([encrypted])
}

fn add_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [Rule::new("has(self.secretKeyRef) != has(self.jsonKeys)")
            .message("name exactly one of secretKeyRef and jsonKeys")],
    );
}
