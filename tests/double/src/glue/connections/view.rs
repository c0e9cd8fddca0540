//! A connection as `GetConnection` shows it.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Connection, ConnectionStatus};
use crate::clock::Time;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ConnectionView {
    #[serde(flatten)]
    input: Map<String, Value>,
    creation_time: Time,
    last_updated_time: Time,
    last_updated_by: String,
    status: ConnectionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_connection_validation_time: Option<Time>,
    connection_schema_version: u8,
}

impl Connection {
    /// The view omits passwords if `hide_password`, and always the credentials in `AuthenticationConfiguration`.
    pub(super) fn view(&self, hide_password: bool) -> ConnectionView {
        let mut input = self.input.clone();
        input.remove("ValidateCredentials");
        if let Some(environments) = input.remove("ValidateForComputeEnvironments") {
            input.insert("CompatibleComputeEnvironments".to_owned(), environments);
        }
        if let Some(Value::Object(properties)) = input.get_mut("ConnectionProperties")
            && hide_password
        {
            properties.retain(|name, _| !name.ends_with("PASSWORD"));
        }
        if let Some(Value::Object(authentication)) = input.get_mut("AuthenticationConfiguration") {
            if let Some(arn) = &self.secret_arn {
                authentication.entry("SecretArn").or_insert_with(|| arn.as_str().into());
            }
            authentication.remove("BasicAuthenticationCredentials");
            authentication.remove("CustomAuthenticationCredentials");
            if let Some(Value::Object(oauth)) = authentication.get_mut("OAuth2Properties") {
                oauth.remove("OAuth2Credentials");
                oauth.remove("AuthorizationCodeProperties");
            }
        }
        ConnectionView {
            input,
            creation_time: self.created,
            last_updated_time: self.updated,
            last_updated_by: self.updated_by.clone(),
            status: self.status,
            status_reason: self.reason.clone(),
            last_connection_validation_time: self.validated,
            connection_schema_version: self.schema_version(),
        }
    }

    /// "Version 2 supports properties for specific compute environments" (Connection, AWS Glue API reference).
    pub(super) fn schema_version(&self) -> u8 {
        let newer = ["AuthenticationConfiguration", "SparkProperties", "AthenaProperties", "PythonProperties"];
        if newer.iter().any(|name| self.input.contains_key(*name)) { 2 } else { 1 }
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.input.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Whether the input of a connection has credentials that Glue stores in a secret.
pub(super) fn has_credentials(input: &Map<String, Value>) -> bool {
    let Some(authentication) = input.get("AuthenticationConfiguration") else { return false };
    let oauth = &authentication["OAuth2Properties"];
    ["BasicAuthenticationCredentials", "CustomAuthenticationCredentials"]
        .iter()
        .any(|name| authentication[*name].is_object())
        || oauth["OAuth2Credentials"].is_object()
        || oauth["AuthorizationCodeProperties"].is_object()
}

impl ConnectionView {
    /// Overrides the general properties with those of a compute environment.
    pub(super) fn apply_override(&mut self, environment: &str) {
        let member = match environment {
            "ATHENA" => "AthenaProperties",
            "PYTHON" => "PythonProperties",
            _ => "SparkProperties",
        };
        let Some(Value::Object(overrides)) = self.input.get(member).cloned() else { return };
        if let Some(Value::Object(properties)) = self.input.get_mut("ConnectionProperties") {
            properties.extend(overrides);
        }
    }
}
