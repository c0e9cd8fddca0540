//! Connection properties: the names that Glue defines, and where no secret belongs.

use kube::core::Rule;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::values;
use crate::api::rules;

/// The names that Glue defines for ConnectionProperties (Glue API reference, Connection; `ENDPOINT` and
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

/// The values that Glue assumes for properties that are not set (Glue API reference, ConnectionProperties). One of
/// these in an answer of Glue is no drift.
pub(crate) const DEFAULTS: [(&str, &str); 5] = [
    ("JDBC_ENFORCE_SSL", "false"),
    ("SKIP_CUSTOM_JDBC_CERT_VALIDATION", "false"),
    ("KAFKA_SSL_ENABLED", "true"),
    ("KAFKA_SKIP_CUSTOM_CERT_VALIDATION", "false"),
    ("KAFKA_CUSTOM_CERT", ""),
];

/// Whether GetConnection with `HidePassword` leaves out the value of this property.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.ends_with("PASSWORD")
}

/// Names whose values are secret, by their ends: SECRET_ID or TOKEN_URL refers to a secret and does not hold one.
const SECRET_WORDS: &str =
    "password|passwd|passphrase|pwd|secret|token|credentials?|(api|access|private|account|shared|client).?key";

/// The first characters of a literal value. One that begins with `${` is a placeholder, which Glue fills in from the
/// secret of the connection.
const LITERAL: &str = "([^$&;,\"@/?]|[$][^{])";

/// A regular expression for the name of a property whose value is secret.
fn secret_name() -> String {
    format!("(?i)({SECRET_WORDS}|(^|[._-])pass)$")
}

/// A regular expression for a URL that contains a password: among its parameters, before its host, or in Oracle's form
/// `user/password@`. The form `user=me@server` of Azure has none.
fn password_in_url() -> String {
    format!(
        "(?i)([?&;:,/][a-z_.]*(password|passwd|pwd|token)={LITERAL}|://[^/@:?;,]*:{LITERAL}[^/@?;,]*@\
         |jdbc:oracle:[a-z0-9]+:(//)?[^/@?]+/{LITERAL}[^@?]*@)"
    )
}

/// A regular expression for a JSON object with a secret value.
fn secret_in_json() -> String {
    format!("(?i)\"([^\"]*({SECRET_WORDS})|([^\"]*[._-])?pass)\"[[:space:]]*:[[:space:]]*(\"([^$\"]|[$][^{{])|[0-9])")
}

/// Regular expressions for what is no literal: the name of a property, and its value as a URL or a JSON object. They are
/// those of the rules.
pub(crate) fn secret_patterns() -> [String; 3] {
    [secret_name(), password_in_url(), secret_in_json()]
}

/// Glue reads these in any case (API model of the AWS SDKs, `Connection`: "a case-insensitive Boolean string").
pub(crate) const BOOLEANS: [&str; 4] =
    ["JDBC_ENFORCE_SSL", "SKIP_CUSTOM_JDBC_CERT_VALIDATION", "KAFKA_SSL_ENABLED", "KAFKA_SKIP_CUSTOM_CERT_VALIDATION"];

/// A CEL list of strings.
pub(super) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("[{}]", quoted.join(", "))
}

/// A CEL expression: whether `properties` or `propertiesFrom` has the property.
pub(super) fn is_set(name: &str) -> String {
    format!(
        "((has(self.properties) && '{name}' in self.properties) || \
         (has(self.propertiesFrom) && self.propertiesFrom.exists(from, from.name == '{name}')))"
    )
}

/// The schema of `properties`: the names and values that Glue admits, without secrets.
pub(super) fn literals_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 1024},
    });
    rules::add(
        &mut schema,
        [
            Rule::new(format!("self.all(name, !name.matches('{}'))", secret_name()))
                .message("a password, secret, token or key does not belong in properties, where everybody can read it: put it into a Secret and name that in propertiesFrom"),
            Rule::new(format!("self.all(name, !self[name].matches('{}'))", password_in_url()))
                .message("the URL contains a password: set PASSWORD or the whole URL in propertiesFrom"),
            Rule::new(format!("self.all(name, !self[name].trim().startsWith('{{') || !self[name].matches('{}'))", secret_in_json()))
                .message("the JSON contains a password, secret, token or key, where everybody can read it: put it into a Secret and name its key in jsonKeys of propertiesFrom, or name a secret in AWS Secrets Manager by secretId"),
            Rule::new("!('USER_NAME' in self)").message("Glue's name for the user is USERNAME"),
            Rule::new("self.all(name, size(name) >= 1 && size(name) <= 255)")
                .message("names of properties are 1 to 255 characters"),
        ],
    );
    rules::add(&mut schema, values::rules());
    schema
}

/// The schema of the properties of one compute environment.
pub(super) fn environment_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 100,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 2048},
    });
    rules::add(
        &mut schema,
        [
            Rule::new("self.all(name, size(name) >= 1 && size(name) <= 128)")
                .message("names of these properties are 1 to 128 characters"),
            Rule::new(format!("self.all(name, !name.matches('{}'))", secret_name()))
                .message("a password, secret, token or key does not belong here, where everybody can read it: put it into a Secret and name that in the field of the same name with From, such as sparkPropertiesFrom"),
            Rule::new(format!("self.all(name, !self[name].matches('{}'))", password_in_url()))
                .message("the URL contains a password, where everybody can read it: put it into a Secret and name that in the field of the same name with From, such as sparkPropertiesFrom"),
        ],
    );
    schema
}

/// A rule for the keys of a map other than `properties` that must hold no secrets.
pub(super) fn no_secrets(message: &str) -> Rule {
    let secret = secret_name();
    Rule::new(format!("self.all(name, size(name) >= 1 && size(name) <= 128 && !name.matches('{secret}'))"))
        .message(message)
}
