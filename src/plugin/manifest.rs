//! Manifests that take over what is in Glue, from Glue's own JSON. Pure.
//!
//! No manifest has a secret value: where Glue hides one, or shows one in a place of its own, the manifest names the key of a
//! Secret that the user creates.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::kind::Kind;
use super::target::object_name;
use crate::api::connection::properties;

/// A manifest, and the Secret that must be there before it is applied.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Manifest {
    pub(super) object: Value,
    pub(super) secret: Option<NeededSecret>,
}

/// A Secret with values that Glue has and does not show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NeededSecret {
    pub(super) name: String,
    pub(super) keys: BTreeSet<String>,
}

/// What every manifest has beside its own spec.
#[derive(Clone, Debug, Default)]
pub(super) struct Common<'a> {
    /// The namespace, where the command line names one.
    pub(super) namespace: Option<&'a str>,
    /// The region of Glue.
    pub(super) region: &'a str,
    /// The Secret with the credentials, where the command line names one.
    pub(super) credentials: Option<&'a str>,
}

impl Common<'_> {
    fn object(&self, kind: &Kind, name: &str, spec: &Value) -> Value {
        let mut object = json!({
            "apiVersion": kind.resource.api_version, "kind": kind.resource.kind, "metadata": { "name": name },
            "spec": spec,
        });
        if let Some(namespace) = self.namespace {
            object["metadata"]["namespace"] = namespace.into();
        }
        object["spec"]["region"] = self.region.into();
        if let Some(secret) = self.credentials {
            object["spec"]["credentials"] = json!({ "secretName": secret });
        }
        object
    }
}

/// The manifest that keeps a trigger in the state that it is in.
pub(super) fn trigger(common: &Common<'_>, trigger: &Value) -> Manifest {
    let name = trigger["Name"].as_str().unwrap_or_default();
    let mut spec = json!({ "triggerName": name });
    // A trigger of type ON_DEMAND or EVENT has no such state.
    if matches!(trigger["Type"].as_str(), Some("SCHEDULED" | "CONDITIONAL")) {
        let is_active = matches!(trigger["State"].as_str(), Some("ACTIVATED" | "ACTIVATING"));
        spec["state"] = if is_active { "Activated" } else { "Deactivated" }.into();
    }
    Manifest { object: common.object(&Kind::trigger(), &object_name(name), &spec), secret: None }
}

/// The manifest that follows a run.
pub(super) fn job_run(common: &Common<'_>, run: &Value) -> Manifest {
    let (job, id) = (run["JobName"].as_str().unwrap_or_default(), run["Id"].as_str().unwrap_or_default());
    let short: String = id.trim_start_matches("jr_").chars().take(8).collect();
    let name = object_name(&format!("{job}-{short}"));
    let spec = json!({ "jobName": job, "runId": id });
    Manifest { object: common.object(&Kind::job_run(), &name, &spec), secret: None }
}

/// The manifest that adopts a connection as it is.
pub(super) fn connection(common: &Common<'_>, connection: &Value) -> Manifest {
    let glue_name = connection["Name"].as_str().unwrap_or_default();
    let name = object_name(glue_name);
    let mut spec = Map::new();
    if glue_name != name {
        spec.insert("connectionName".to_owned(), glue_name.into());
    }
    spec.insert("connectionType".to_owned(), connection["ConnectionType"].clone());
    spec.insert("adoptionPolicy".to_owned(), "Adopt".into());
    for (member, field) in [("Description", "description"), ("MatchCriteria", "matchCriteria")] {
        let value = &connection[member];
        let is_empty = value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty);
        if !value.is_null() && !is_empty {
            spec.insert(field.to_owned(), value.clone());
        }
    }
    let secret = format!("{name}-values");
    let mut keys = BTreeSet::new();
    let mut maps = [
        ("ConnectionProperties", "properties"),
        ("SparkProperties", "sparkProperties"),
        ("AthenaProperties", "athenaProperties"),
        ("PythonProperties", "pythonProperties"),
    ]
    .map(|(member, field)| (field, Split::of(&connection[member])));
    if connection["AuthenticationConfiguration"].is_null() {
        let hidden = hidden(connection["ConnectionType"].as_str().unwrap_or_default(), &maps[0].1.literals);
        maps[0].1.secrets.extend(hidden);
    }
    for (field, Split { literals, secrets }) in maps {
        if !literals.is_empty() {
            spec.insert(field.to_owned(), literals.into());
        }
        if !secrets.is_empty() {
            let reference =
                |property: &String| json!({ "name": property, "secretKeyRef": { "name": secret, "key": property } });
            spec.insert(format!("{field}From"), secrets.iter().map(reference).collect());
            keys.extend(secrets);
        }
    }
    if let Some(physical) = physical(&connection["PhysicalConnectionRequirements"]) {
        spec.insert("physicalRequirements".to_owned(), physical);
    }
    if let Some(authentication) = authentication(&connection["AuthenticationConfiguration"]) {
        spec.insert("authentication".to_owned(), authentication);
    }
    let secret = (!keys.is_empty()).then_some(NeededSecret { name: secret, keys });
    Manifest { object: common.object(&Kind::connection(), &name, &spec.into()), secret }
}

/// Properties as literals, and those whose values come from a Secret.
#[derive(Default)]
struct Split {
    literals: Map<String, Value>,
    secrets: BTreeSet<String>,
}

impl Split {
    fn of(shown: &Value) -> Self {
        let mut split = Self::default();
        for (name, value) in shown.as_object().into_iter().flatten() {
            let text = value.as_str().unwrap_or_default();
            // Glue shows what it has encrypted; the property to set is the one without.
            if let Some(plain) = name.strip_prefix("ENCRYPTED_") {
                split.secrets.insert(plain.to_owned());
            } else if is_secret(name, text) {
                split.secrets.insert(name.clone());
            } else if !text.is_empty() {
                split.literals.insert(name.clone(), value.clone());
            }
        }
        split
    }
}

/// Whether the API server refuses the property as a literal.
fn is_secret(name: &str, value: &str) -> bool {
    let matches = |pattern: &str, text: &str| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
    let [of_name, of_url, of_json] = properties::secret_patterns();
    matches(&of_name, name) || matches(&of_url, value) || matches(&of_json, value)
}

/// The properties that Glue has and hides, as far as the others tell.
fn hidden(type_: &str, shown: &Map<String, Value>) -> Vec<String> {
    let has = |name: &str| shown.contains_key(name);
    let is = |name: &str, value: &str| shown.get(name).and_then(Value::as_str) == Some(value);
    let mut hidden = Vec::new();
    if has("USERNAME") && !has("SECRET_ID") {
        hidden.push("PASSWORD");
    }
    if type_ == "KAFKA" {
        if is("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512") && !has("KAFKA_SASL_SCRAM_SECRETS_ARN") {
            hidden.push("KAFKA_SASL_SCRAM_PASSWORD");
        }
        if is("KAFKA_SASL_MECHANISM", "PLAIN") {
            hidden.push("KAFKA_SASL_PLAIN_PASSWORD");
        }
        if has("KAFKA_CLIENT_KEYSTORE") {
            hidden.extend(["KAFKA_CLIENT_KEYSTORE_PASSWORD", "KAFKA_CLIENT_KEY_PASSWORD"]);
        }
    }
    hidden.into_iter().map(str::to_owned).collect()
}

/// `fields` of the spec from members of Glue's document, those that have a value.
fn renamed(shown: &Value, fields: &[(&str, &str)]) -> Map<String, Value> {
    let given = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let present = fields.iter().filter(|(member, _)| given(&shown[*member]));
    present.map(|(member, field)| ((*field).to_owned(), shown[*member].clone())).collect()
}

fn physical(shown: &Value) -> Option<Value> {
    let fields = renamed(
        shown,
        &[
            ("SubnetId", "subnetId"),
            ("SecurityGroupIdList", "securityGroupIds"),
            ("AvailabilityZone", "availabilityZone"),
        ],
    );
    (!fields.is_empty()).then(|| fields.into())
}

fn authentication(shown: &Value) -> Option<Value> {
    let mut fields =
        renamed(shown, &[("AuthenticationType", "type"), ("SecretArn", "secretArn"), ("KmsKeyArn", "kmsKeyArn")]);
    let oauth2 = &shown["OAuth2Properties"];
    if !oauth2.is_null() {
        let mut shown = renamed(
            oauth2,
            &[
                ("OAuth2GrantType", "grantType"),
                ("TokenUrl", "tokenUrl"),
                ("TokenUrlParametersMap", "tokenUrlParameters"),
            ],
        );
        let application = renamed(
            &oauth2["OAuth2ClientApplication"],
            &[
                ("UserManagedClientApplicationClientId", "userManagedClientId"),
                ("AWSManagedClientApplicationReference", "awsManagedReference"),
            ],
        );
        if !application.is_empty() {
            shown.insert("clientApplication".to_owned(), application.into());
        }
        fields.insert("oauth2".to_owned(), shown.into());
    }
    (!fields.is_empty()).then(|| fields.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: Common<'_> = Common { namespace: None, region: "eu-west-1", credentials: None };

    #[test]
    fn no_value_of_a_connection_that_is_secret_is_in_its_manifest() {
        let shown = json!({
            "Name": "Warehouse DB", "ConnectionType": "JDBC", "Description": "", "MatchCriteria": [],
            "ConnectionProperties": {
                "JDBC_CONNECTION_URL": "jdbc:mysql://db:3306/a?password=hush", "USERNAME": "etl",
                "ENCRYPTED_PASSWORD": "hush", "JDBC_ENFORCE_SSL": "true", "api_token": "hush",
            },
            "SparkProperties": { "secret": "hush", "dbtable": "orders" },
            "PhysicalConnectionRequirements": { "SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"], "AvailabilityZone": "a" },
            "CreationTime": 1.5,
        });
        let Manifest { object, secret } = connection(&COMMON, &shown);
        assert!(!object.to_string().contains("hush"), "{object}");
        let from = |name: &str| json!({ "name": name, "secretKeyRef": { "name": "warehouse-db-values", "key": name } });
        assert_eq!(
            object["spec"],
            json!({
                "connectionName": "Warehouse DB", "connectionType": "JDBC", "adoptionPolicy": "Adopt", "region": "eu-west-1",
                "properties": { "USERNAME": "etl", "JDBC_ENFORCE_SSL": "true" },
                "propertiesFrom": [from("JDBC_CONNECTION_URL"), from("PASSWORD"), from("api_token")],
                "sparkProperties": { "dbtable": "orders" }, "sparkPropertiesFrom": [from("secret")],
                "physicalRequirements": { "subnetId": "subnet-1", "securityGroupIds": ["sg-1"], "availabilityZone": "a" },
            })
        );
        let keys = secret.expect("a Secret").keys;
        assert_eq!(keys.into_iter().collect::<Vec<_>>(), ["JDBC_CONNECTION_URL", "PASSWORD", "api_token", "secret"]);
    }

    #[test]
    fn what_glue_hides_is_concluded_from_what_it_shows() {
        let properties = |pairs: &[(&str, &str)]| -> Map<String, Value> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
        };
        for (type_, shown, expected) in [
            ("JDBC", &[("USERNAME", "u")][..], &["PASSWORD"][..]),
            ("JDBC", &[("USERNAME", "u"), ("SECRET_ID", "s")], &[]),
            ("NETWORK", &[], &[]),
            ("KAFKA", &[("KAFKA_SASL_MECHANISM", "PLAIN")], &["KAFKA_SASL_PLAIN_PASSWORD"]),
            ("KAFKA", &[("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512"), ("KAFKA_SASL_SCRAM_SECRETS_ARN", "a")], &[]),
        ] {
            assert_eq!(hidden(type_, &properties(shown)), expected, "{type_} {shown:?}");
        }
    }

    #[test]
    fn a_trigger_stays_in_its_state_and_one_without_a_state_has_none() {
        for (type_, state, expected) in [
            ("SCHEDULED", "ACTIVATED", json!("Activated")),
            ("CONDITIONAL", "CREATED", json!("Deactivated")),
            ("ON_DEMAND", "CREATED", Value::Null),
            ("EVENT", "CREATED", Value::Null),
        ] {
            let object = trigger(&COMMON, &json!({ "Name": "n", "Type": type_, "State": state })).object;
            assert_eq!(object["spec"]["state"], expected, "{type_} {state}");
        }
    }

    #[test]
    fn oauth2_keeps_its_application_and_the_secret_that_glue_made() {
        let shown = json!({
            "AuthenticationType": "OAUTH2", "SecretArn": "arn:aws:secretsmanager:eu-west-1:1:secret:s",
            "OAuth2Properties": {
                "OAuth2GrantType": "CLIENT_CREDENTIALS", "TokenUrl": "https://t",
                "OAuth2ClientApplication": { "UserManagedClientApplicationClientId": "id" }, "TokenUrlParametersMap": {},
            },
        });
        let expected = json!({
            "type": "OAUTH2", "secretArn": "arn:aws:secretsmanager:eu-west-1:1:secret:s",
            "oauth2": { "grantType": "CLIENT_CREDENTIALS", "tokenUrl": "https://t", "clientApplication": { "userManagedClientId": "id" } },
        });
        assert_eq!(authentication(&shown), Some(expected));
    }
}
