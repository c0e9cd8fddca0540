//! The requirements of each connection type, from the page "Connection API" of the Glue developer guide.

use serde_json::{Map, Value};

use crate::error::AwsError;

/// Checks the input of `CreateConnection`, `UpdateConnection` or `TestConnection`.
pub(super) fn check(input: &Map<String, Value>) -> Result<(), AwsError> {
    let properties = Properties(input);
    let kind = input.get("ConnectionType").and_then(Value::as_str).unwrap_or_default();
    if let Some(port) = properties.property("PORT")
        && !port.parse::<u32>().is_ok_and(|port| (1024..=65_535).contains(&port))
    {
        return Err(AwsError::invalid("PORT must be between 1024 and 65535."));
    }
    match kind {
        "SFTP" => Err(AwsError::invalid("Connection type SFTP is not supported.")),
        // Connections of schema version 2 have their credentials there.
        _ if input.contains_key("AuthenticationConfiguration") => Ok(()),
        "JDBC" => {
            if !properties.has("JDBC_CONNECTION_URL") && !properties.has_all(&["HOST", "PORT", "JDBC_ENGINE"]) {
                return Err(missing(kind, "HOST, PORT and JDBC_ENGINE, or JDBC_CONNECTION_URL"));
            }
            properties.credentials(kind)
        }
        "KAFKA" if !properties.has("KAFKA_BOOTSTRAP_SERVERS") => Err(missing(kind, "KAFKA_BOOTSTRAP_SERVERS")),
        "MONGODB" => {
            if !properties.has("CONNECTION_URL") {
                return Err(missing(kind, "CONNECTION_URL"));
            }
            properties.credentials(kind)
        }
        "NETWORK" if !input.contains_key("PhysicalConnectionRequirements") => {
            Err(AwsError::invalid("A NETWORK connection needs PhysicalConnectionRequirements."))
        }
        "MARKETPLACE" => {
            if !properties.has_all(&["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME", "CONNECTION_URL"]) {
                return Err(missing(kind, "CONNECTOR_TYPE, CONNECTOR_URL, CONNECTOR_CLASS_NAME and CONNECTION_URL"));
            }
            if properties.property("CONNECTOR_TYPE").is_some_and(|kind| kind.eq_ignore_ascii_case("JDBC")) {
                return properties.credentials(kind);
            }
            Ok(())
        }
        "SALESFORCE" => Err(AwsError::invalid("A SALESFORCE connection needs an AuthenticationConfiguration.")),
        _ => Ok(()),
    }
}

struct Properties<'a>(&'a Map<String, Value>);

impl<'a> Properties<'a> {
    fn property(&self, name: &str) -> Option<&'a str> {
        self.0.get("ConnectionProperties")?.get(name)?.as_str()
    }

    fn has(&self, name: &str) -> bool {
        self.property(name).is_some()
    }

    fn has_all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.has(name))
    }

    fn credentials(&self, kind: &str) -> Result<(), AwsError> {
        if self.has("SECRET_ID")
            || self.has_all(&["USERNAME", "PASSWORD"])
            || self.has_all(&["USERNAME", "ENCRYPTED_PASSWORD"])
        {
            return Ok(());
        }
        Err(missing(kind, "USERNAME and PASSWORD, or SECRET_ID"))
    }
}

fn missing(kind: &str, what: &str) -> AwsError {
    AwsError::invalid(format!("A {kind} connection needs {what}."))
}
