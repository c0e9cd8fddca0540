//! The values that Glue admits of properties. The API server checks literal values, by CEL. The controller checks the
//! values that come from Secrets, by [`fault`].

use kube::core::{Message, Rule};

use super::properties::{BOOLEANS, list};

const S3_URIS: [&str; 6] = [
    "JDBC_DRIVER_JAR_URI",
    "CUSTOM_JDBC_CERT",
    "KAFKA_CUSTOM_CERT",
    "KAFKA_CLIENT_KEYSTORE",
    "KAFKA_SASL_GSSAPI_KEYTAB",
    "KAFKA_SASL_GSSAPI_KRB5_CONF",
];
/// Properties of one compute environment, as a JSON object in a string.
const JSON_OBJECTS: [&str; 2] = ["SparkProperties", "PythonProperties"];
const SASL_MECHANISMS: [&str; 4] = ["SCRAM-SHA-512", "GSSAPI", "AWS_MSK_IAM", "PLAIN"];

/// What Glue admits as the value of some properties.
struct ValueRule {
    /// The properties.
    names: &'static [&'static str],
    /// The CEL expression for a value that Glue admits, with `VALUE` in its place.
    cel: &'static str,
    /// The same for the controller.
    admits: fn(&str) -> bool,
    /// What a value is.
    one: &'static str,
    /// What the values of several properties are.
    all: &'static str,
}

/// The rules for all types. Each has one property, except where their values are alike.
static RULES: [ValueRule; 7] = [
    ValueRule {
        names: &["PORT"],
        cel: "(VALUE.matches('^[0-9]{1,5}$') && int(VALUE) >= 1 && int(VALUE) <= 65535)",
        admits: |value| port(value).is_some(),
        one: "a number from 1 to 65535",
        all: "",
    },
    ValueRule {
        names: &BOOLEANS,
        cel: "VALUE.lowerAscii() in ['true', 'false']",
        admits: |value| ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)),
        one: "either true or false",
        all: "either true or false",
    },
    ValueRule {
        names: &S3_URIS,
        cel: "VALUE.startsWith('s3://')",
        admits: |value| value.starts_with("s3://"),
        one: "a location in S3, such as s3://bucket/key",
        all: "locations in S3, such as s3://bucket/key",
    },
    ValueRule {
        names: &["KAFKA_SASL_MECHANISM"],
        cel: "VALUE in ['SCRAM-SHA-512', 'GSSAPI', 'AWS_MSK_IAM', 'PLAIN']",
        admits: |value| SASL_MECHANISMS.contains(&value),
        one: "one of SCRAM-SHA-512, GSSAPI, AWS_MSK_IAM and PLAIN",
        all: "",
    },
    ValueRule {
        names: &["KAFKA_BOOTSTRAP_SERVERS"],
        cel: "VALUE.matches('^[^,:]+:[0-9]+( *, *[^,:]+:[0-9]+)*$')",
        admits: is_list_of_servers,
        one: "a list of host:port, separated by commas",
        all: "",
    },
    ValueRule {
        names: &["KAFKA_SASL_SCRAM_SECRETS_ARN"],
        cel: "VALUE.startsWith('arn:')",
        admits: |value| value.starts_with("arn:"),
        one: "the ARN of a secret in AWS Secrets Manager",
        all: "",
    },
    ValueRule {
        names: &["ROLE_ARN"],
        cel: "VALUE.startsWith('arn:')",
        admits: |value| value.starts_with("arn:"),
        one: "the ARN of a role",
        all: "",
    },
];

/// What `sfUrl` in `SparkProperties` is.
pub(super) const SF_URL: &str =
    "sfUrl in SparkProperties is the URL of a Snowflake account, such as https://account.snowflakecomputing.com";
/// What `PORT` is of a connection of version 1.
pub(super) const JDBC_PORT: &str = "PORT of a JDBC connection is a number from 1024 to 65535";
/// The lowest port of a JDBC connection of version 1.
const LOWEST_JDBC_PORT: u16 = 1024;

/// The rules for literal values, on the map `properties`.
pub(super) fn rules() -> impl Iterator<Item = Rule> {
    let objects = list(&JSON_OBJECTS);
    let json = Rule::new(format!("self.all(name, !(name in {objects}) || self[name].trim().startsWith('{{'))"))
        .message(
            "SparkProperties and PythonProperties in properties are JSON objects, each in a string that begins with {",
        );
    RULES.iter().map(ValueRule::rule).chain([json])
}

impl ValueRule {
    fn rule(&self) -> Rule {
        if let [name] = self.names {
            let condition = self.cel.replace("VALUE", &format!("self['{name}']"));
            let message = format!("{name} is {}", self.one);
            return Rule::new(format!("!('{name}' in self) || {condition}")).message(Message::Message(message));
        }
        let condition = self.cel.replace("VALUE", "self[name]");
        let message = format!("these are {}: {}", self.all, self.names.join(", "));
        Rule::new(format!("self.all(name, !(name in {}) || {condition})", list(self.names)))
            .message(Message::Message(message))
    }
}

/// Why Glue would not take `value` as the property `name` of a connection of type `type_`; `None` when nothing is known
/// against it. `is_version_1` says that the connection has no authentication. The text does not contain the value.
#[must_use]
pub(crate) fn fault(type_: &str, is_version_1: bool, name: &str, value: &str) -> Option<String> {
    if let Some(rule) = RULES.iter().find(|rule| rule.names.contains(&name)).filter(|rule| !(rule.admits)(value)) {
        return Some(format!("{name} is {}", rule.one));
    }
    if JSON_OBJECTS.contains(&name) && json_object(value).is_none() {
        return Some(format!("{name} is a JSON object in a string"));
    }
    match (type_, name) {
        ("JDBC", "PORT") if is_version_1 && port(value) < Some(LOWEST_JDBC_PORT) => Some(JDBC_PORT.to_owned()),
        ("SNOWFLAKE", "SparkProperties") if !has_snowflake_url(value) => Some(SF_URL.to_owned()),
        _ => None,
    }
}

/// The JSON object in `value`; `None` when it is none.
#[must_use]
pub(crate) fn json_object(value: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(value).ok()
}

fn port(value: &str) -> Option<u16> {
    let digits = (1..=5).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    value.parse().ok().filter(|port| digits && *port > 0)
}

fn is_list_of_servers(value: &str) -> bool {
    let is_server = |server: &str| {
        let (host, port) = server.split_once(':').unwrap_or_default();
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    };
    let count = value.split(',').count();
    // Blanks are allowed around commas only.
    let mut servers = value.split(',').enumerate();
    servers.all(|(index, server)| is_server(if index + 1 < count { server.trim_end_matches(' ') } else { server }))
}

/// Whether the JSON object names no account by `sfUrl`, or one of Snowflake.
fn has_snowflake_url(value: &str) -> bool {
    let Some(object) = json_object(value) else { return true };
    let Some(url) = object.get("sfUrl") else { return true };
    let domains = [".snowflakecomputing.com", ".snowflakecomputing.cn"];
    url.as_str().is_some_and(|url| domains.iter().any(|domain| url.find(domain).is_some_and(|at| at > 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The API server is given the same values as literals: see `tests/it/validation/connection`.
    #[test]
    fn values_from_secrets_are_held_to_the_rules_for_literals() {
        let servers = "KAFKA_BOOTSTRAP_SERVERS is a list of host:port, separated by commas";
        for (type_, name, value, expected) in [
            ("POSTGRESQL", "PORT", "1", None),
            ("POSTGRESQL", "PORT", "65535", None),
            ("POSTGRESQL", "PORT", "0", Some("PORT is a number from 1 to 65535")),
            ("POSTGRESQL", "PORT", "65536", Some("PORT is a number from 1 to 65535")),
            ("POSTGRESQL", "PORT", "+443", Some("PORT is a number from 1 to 65535")),
            ("POSTGRESQL", "PORT", "5432\n", Some("PORT is a number from 1 to 65535")),
            ("JDBC", "PORT", "1024", None),
            ("JDBC", "PORT", "1023", Some(JDBC_PORT)),
            ("JDBC", "JDBC_ENFORCE_SSL", "TRUE", None),
            ("JDBC", "JDBC_ENFORCE_SSL", "yes", Some("JDBC_ENFORCE_SSL is either true or false")),
            ("JDBC", "CUSTOM_JDBC_CERT", "s3://certs/ca.pem", None),
            (
                "JDBC",
                "CUSTOM_JDBC_CERT",
                "ca.pem",
                Some("CUSTOM_JDBC_CERT is a location in S3, such as s3://bucket/key"),
            ),
            ("KAFKA", "KAFKA_SASL_MECHANISM", "PLAIN", None),
            (
                "KAFKA",
                "KAFKA_SASL_MECHANISM",
                "SCRAM-SHA-256",
                Some("KAFKA_SASL_MECHANISM is one of SCRAM-SHA-512, GSSAPI, AWS_MSK_IAM and PLAIN"),
            ),
            ("KAFKA", "KAFKA_BOOTSTRAP_SERVERS", "b-1:9094 , b-2:9094", None),
            ("KAFKA", "KAFKA_BOOTSTRAP_SERVERS", "b-1,b-2", Some(servers)),
            ("KAFKA", "KAFKA_BOOTSTRAP_SERVERS", "b-1:9094,", Some(servers)),
            ("KAFKA", "KAFKA_BOOTSTRAP_SERVERS", "b-1:9094 ", Some(servers)),
            ("KAFKA", "KAFKA_BOOTSTRAP_SERVERS", "b:1:2", Some(servers)),
            (
                "KAFKA",
                "KAFKA_SASL_SCRAM_SECRETS_ARN",
                "kafka/scram",
                Some("KAFKA_SASL_SCRAM_SECRETS_ARN is the ARN of a secret in AWS Secrets Manager"),
            ),
            ("VIEW_VALIDATION_ATHENA", "ROLE_ARN", "etl", Some("ROLE_ARN is the ARN of a role")),
            ("AZURESQL", "SparkProperties", "{}", None),
            ("AZURESQL", "SparkProperties", "[]", Some("SparkProperties is a JSON object in a string")),
            ("AZURESQL", "PythonProperties", "{", Some("PythonProperties is a JSON object in a string")),
            ("SNOWFLAKE", "SparkProperties", r#"{"sfUrl": "https://a.snowflakecomputing.com"}"#, None),
            ("SNOWFLAKE", "SparkProperties", r#"{"sfUrl": "a.snowflakecomputing.cn"}"#, None),
            ("SNOWFLAKE", "SparkProperties", r#"{"sfUrl": "a"}"#, Some(SF_URL)),
            ("SNOWFLAKE", "SparkProperties", r#"{"sfUrl": ".snowflakecomputing.com"}"#, Some(SF_URL)),
            ("SNOWFLAKE", "SparkProperties", r#"{"secretId": "s"}"#, None),
            ("JDBC", "PASSWORD", "anything", None),
        ] {
            assert_eq!(fault(type_, true, name, value).as_deref(), expected, "{type_} {name}={value}");
        }
        assert_eq!(fault("JDBC", false, "PORT", "443"), None);
    }
}
