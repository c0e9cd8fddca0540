//! The properties of a connection: where their values come from, and what Glue knows of their names and values.

use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::api::rules;

/// One property with a value from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PropertyFrom {
    /// Glue's name of the property, such as PASSWORD.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Where its value stands.
    pub secret_key_ref: SecretKey,
}

/// A key of a Secret of the object's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SecretKey {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = crate::api::rules::OBJECT_NAME))]
    pub name: String,
    /// The key in it.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// The names that Glue knows for ConnectionProperties (Glue API reference, Connection; `ENDPOINT` and
/// `ENDPOINT_TYPE` from the SDK's `ConnectionPropertyKey`).
pub const KNOWN: [&str; 49] = [
    "HOST",
    "PORT",
    "USERNAME",
    "PASSWORD",
    "ENCRYPTED_PASSWORD",
    "JDBC_DRIVER_JAR_URI",
    "JDBC_DRIVER_CLASS_NAME",
    "JDBC_ENGINE",
    "JDBC_ENGINE_VERSION",
    "CONFIG_FILES",
    "INSTANCE_ID",
    "JDBC_CONNECTION_URL",
    "JDBC_ENFORCE_SSL",
    "CUSTOM_JDBC_CERT",
    "SKIP_CUSTOM_JDBC_CERT_VALIDATION",
    "CUSTOM_JDBC_CERT_STRING",
    "CONNECTION_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "KAFKA_SSL_ENABLED",
    "KAFKA_CUSTOM_CERT",
    "KAFKA_SKIP_CUSTOM_CERT_VALIDATION",
    "KAFKA_CLIENT_KEYSTORE",
    "KAFKA_CLIENT_KEYSTORE_PASSWORD",
    "KAFKA_CLIENT_KEY_PASSWORD",
    "ENCRYPTED_KAFKA_CLIENT_KEYSTORE_PASSWORD",
    "ENCRYPTED_KAFKA_CLIENT_KEY_PASSWORD",
    "KAFKA_SASL_MECHANISM",
    "KAFKA_SASL_PLAIN_USERNAME",
    "KAFKA_SASL_PLAIN_PASSWORD",
    "ENCRYPTED_KAFKA_SASL_PLAIN_PASSWORD",
    "KAFKA_SASL_SCRAM_USERNAME",
    "KAFKA_SASL_SCRAM_PASSWORD",
    "KAFKA_SASL_SCRAM_SECRETS_ARN",
    "ENCRYPTED_KAFKA_SASL_SCRAM_PASSWORD",
    "KAFKA_SASL_GSSAPI_KEYTAB",
    "KAFKA_SASL_GSSAPI_KRB5_CONF",
    "KAFKA_SASL_GSSAPI_SERVICE",
    "KAFKA_SASL_GSSAPI_PRINCIPAL",
    "SECRET_ID",
    "CONNECTOR_URL",
    "CONNECTOR_TYPE",
    "CONNECTOR_CLASS_NAME",
    "ENDPOINT",
    "ENDPOINT_TYPE",
    "ROLE_ARN",
    "REGION",
    "WORKGROUP_NAME",
    "CLUSTER_IDENTIFIER",
    "DATABASE",
];

/// What Glue takes a property for that is not given (Glue API reference, ConnectionProperties). Where it
/// answers with one of these, nobody has changed anything.
pub const DEFAULTS: [(&str, &str); 5] = [
    ("JDBC_ENFORCE_SSL", "false"),
    ("SKIP_CUSTOM_JDBC_CERT_VALIDATION", "false"),
    ("KAFKA_SSL_ENABLED", "true"),
    ("KAFKA_SKIP_CUSTOM_CERT_VALIDATION", "false"),
    ("KAFKA_CUSTOM_CERT", ""),
];

/// Whether Glue keeps the value to itself when it is asked with `HidePassword`.
#[must_use]
pub fn is_hidden(name: &str) -> bool {
    name.ends_with("PASSWORD")
}

/// Names whose values are secret, by how they end: a name such as SECRET_ID or TOKEN_URL says where a secret is,
/// not what it is.
const PASSWORD_LIKE: &str =
    "(?i)(password|passwd|passphrase|pwd|secret|token|credentials?|(api|access|private|account|shared|client).?key)$";

/// A value that carries a password within a URL.
const PASSWORD_IN_URL: &str = "(?i)([?&;:](password|passwd|pwd)=.|://[^/@:?]+:[^/@]+@)";

const BOOLEANS: [&str; 4] =
    ["JDBC_ENFORCE_SSL", "SKIP_CUSTOM_JDBC_CERT_VALIDATION", "KAFKA_SSL_ENABLED", "KAFKA_SKIP_CUSTOM_CERT_VALIDATION"];
const ON_S3: [&str; 6] = [
    "JDBC_DRIVER_JAR_URI",
    "CUSTOM_JDBC_CERT",
    "KAFKA_CUSTOM_CERT",
    "KAFKA_CLIENT_KEYSTORE",
    "KAFKA_SASL_GSSAPI_KEYTAB",
    "KAFKA_SASL_GSSAPI_KRB5_CONF",
];
const URLS: [&str; 3] = ["JDBC_CONNECTION_URL", "CONNECTION_URL", "CONNECTOR_URL"];

/// Strings as a list of CEL.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("[{}]", quoted.join(", "))
}

/// Whether the spec has a property, wherever its value stands, as CEL.
pub(super) fn given(name: &str) -> String {
    format!(
        "((has(self.properties) && '{name}' in self.properties) || \
         (has(self.propertiesFrom) && self.propertiesFrom.exists(from, from.name == '{name}')))"
    )
}

/// The rules of `properties` and `propertiesFrom` together.
pub(super) fn rules() -> Vec<Rule> {
    let both = "has(self.properties) && has(self.propertiesFrom)";
    vec![
        Rule::new(format!("!({both}) || !self.propertiesFrom.exists(from, from.name in self.properties)"))
            .message("a property stands in properties and in propertiesFrom: keep one of them")
            .field_path(".propertiesFrom"),
        Rule::new(format!("!({both}) || size(self.properties) + size(self.propertiesFrom) <= 100"))
            .message("Glue takes 100 properties at most, those of propertiesFrom included")
            .field_path(".propertiesFrom"),
    ]
}

/// `properties`: what Glue admits of names and values, and nothing that should be a secret.
pub(super) fn literals_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 1024},
        "description": "ConnectionProperties, by Glue's own names (HOST, PORT, JDBC_CONNECTION_URL, ...). What is secret stands in propertiesFrom.",
    });
    let each = |names: &[&str], holds: &str| {
        let names = list(names);
        Rule::new(format!("self.all(name, !(name in {names}) || {holds})"))
    };
    let one = |name: &str, holds: &str| Rule::new(format!("!('{name}' in self) || {holds}"));
    rules::add(
        &mut schema,
        [
            Rule::new(format!("self.all(name, !name.matches('{PASSWORD_LIKE}'))"))
                .message("a password, secret, token or key does not belong into properties, where everybody can read it: put it into a Secret, and name that in propertiesFrom"),
            each(&URLS, &format!("!self[name].matches('{PASSWORD_IN_URL}')"))
                .message("the URL holds a password: give PASSWORD by propertiesFrom, or the whole URL"),
            Rule::new("!('USER_NAME' in self)").message("Glue's name for the user is USERNAME"),
            Rule::new("self.all(name, size(name) >= 1 && size(name) <= 255)")
                .message("names of properties are 1 to 255 characters"),
            one("PORT", "(self['PORT'].matches('^[0-9]{4,5}$') && int(self['PORT']) >= 1024 && int(self['PORT']) <= 65535)")
                .message("PORT is a number from 1024 to 65535"),
            each(&BOOLEANS, "self[name] in ['true', 'false']")
                .message(format!("these are either true or false: {}", BOOLEANS.join(", ")).as_str()),
            each(&ON_S3, "self[name].startsWith('s3://')")
                .message(format!("these are locations in S3, such as s3://bucket/key: {}", ON_S3.join(", ")).as_str()),
            one("KAFKA_SASL_MECHANISM", "self['KAFKA_SASL_MECHANISM'] in ['SCRAM-SHA-512', 'GSSAPI', 'AWS_MSK_IAM', 'PLAIN']")
                .message("KAFKA_SASL_MECHANISM is one of SCRAM-SHA-512, GSSAPI, AWS_MSK_IAM and PLAIN"),
            one("KAFKA_BOOTSTRAP_SERVERS", "self['KAFKA_BOOTSTRAP_SERVERS'].matches('^[^,:]+:[0-9]+( *, *[^,:]+:[0-9]+)*$')")
                .message("KAFKA_BOOTSTRAP_SERVERS is a list of host:port, separated by commas"),
            one("KAFKA_SASL_SCRAM_SECRETS_ARN", "self['KAFKA_SASL_SCRAM_SECRETS_ARN'].startsWith('arn:')")
                .message("KAFKA_SASL_SCRAM_SECRETS_ARN is the ARN of a secret in AWS Secrets Manager"),
            one("ROLE_ARN", "self['ROLE_ARN'].startsWith('arn:')").message("ROLE_ARN is the ARN of a role"),
        ],
    );
    schema
}

/// Properties of one compute environment.
pub(super) fn environment_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 2048},
        "description": "Properties for this compute environment alone.",
    });
    rules::add(
        &mut schema,
        [
            Rule::new("self.all(name, size(name) >= 1 && size(name) <= 128)")
                .message("names of these properties are 1 to 128 characters"),
            Rule::new(format!("self.all(name, !name.matches('{PASSWORD_LIKE}'))"))
                .message("a password, secret, token or key does not belong here, where everybody can read it: give it by propertiesFrom, or in a secret of AWS Secrets Manager by authentication.secretArn"),
        ],
    );
    schema
}

/// The keys of maps beside `properties` that must not hold secrets.
pub(super) fn no_secrets(remedy: &str) -> Rule {
    Rule::new(format!("self.all(name, size(name) >= 1 && size(name) <= 128 && !name.matches('{PASSWORD_LIKE}'))"))
        .message(remedy)
}
