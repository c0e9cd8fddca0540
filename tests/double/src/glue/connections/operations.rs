//! The operations on connections.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Connection, ConnectionStatus, Key, connection_not_found, requirements};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, reply},
        page,
    },
};

const DEFAULT_PAGE: usize = 100;

/// The operations of this room.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateConnection", resource: "connection", subject: "/ConnectionInput/Name", run: create },
    Operation { name: "GetConnection", resource: "connection", subject: "/Name", run: get },
    Operation { name: "GetConnections", resource: "connection", subject: "", run: get_all },
    Operation { name: "UpdateConnection", resource: "connection", subject: "/Name", run: update },
    Operation { name: "DeleteConnection", resource: "connection", subject: "/ConnectionName", run: delete },
    Operation { name: "BatchDeleteConnection", resource: "connection", subject: "", run: batch_delete },
    Operation { name: "TestConnection", resource: "connection", subject: "/ConnectionName", run: test },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConnectionView {
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
    /// The connection as it is read. Passwords are left out altogether when they shall be hidden, and what
    /// `AuthenticationConfiguration` took in as credentials is left out in any case.
    fn view(&self, hide_password: bool) -> ConnectionView {
        let mut input = self.input.clone();
        input.remove("ValidateCredentials");
        let validated_for = input.remove("ValidateForComputeEnvironments");
        if let Some(environments) = validated_for {
            input.insert("CompatibleComputeEnvironments".to_owned(), environments);
        }
        if let Some(Value::Object(properties)) = input.get_mut("ConnectionProperties")
            && hide_password
        {
            properties.retain(|name, _| !name.ends_with("PASSWORD"));
        }
        if let Some(Value::Object(authentication)) = input.get_mut("AuthenticationConfiguration") {
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
    fn schema_version(&self) -> u8 {
        let newer = ["AuthenticationConfiguration", "SparkProperties", "AthenaProperties", "PythonProperties"];
        if newer.iter().any(|name| self.input.contains_key(*name)) { 2 } else { 1 }
    }

    fn text(&self, name: &str) -> &str {
        self.input.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn key(region: &Region, catalog: Option<&str>, name: &str) -> Key {
    (catalog.map_or_else(|| region.account.clone(), Arc::from), name.into())
}

/// The input without members that are null.
fn without_nulls(input: Map<String, Value>) -> Map<String, Value> {
    input.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn create(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        connection_input: Map<String, Value>,
        tags: Option<BTreeMap<String, String>>,
    }
    let Request { catalog_id, connection_input, tags } = input.read()?;
    let connection_input = without_nulls(connection_input);
    let name = connection_input.get("Name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let key = key(region, catalog_id.as_deref(), &name);
    requirements::check(&connection_input)?;
    if region.connection(&key).is_ok() {
        return Err(AwsError::exists("Connection already exists."));
    }
    let status = region.put_connection(&key, connection_input, input.caller);
    let arn = region.arn("connection", &name);
    region.tags.start(arn, tags);
    reply(&json!({ "CreateConnectionStatus": status }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        name: String,
        #[serde(default)]
        hide_password: Option<bool>,
        apply_override_for_compute_environment: Option<String>,
    }
    let Request { catalog_id, name, hide_password, apply_override_for_compute_environment } = input.read()?;
    let key = key(region, catalog_id.as_deref(), &name);
    let connection = region.connection(&key).ok().filter(|connection| visible(connection, input));
    let connection = connection.ok_or_else(|| connection_not_found(&name))?;
    let mut view = connection.view(hide_password.unwrap_or(false));
    if let Some(environment) = apply_override_for_compute_environment {
        apply_override(&mut view.input, &environment);
    }
    reply(&json!({ "Connection": view }))
}

/// Puts a compute environment's own properties over the general ones.
fn apply_override(input: &mut Map<String, Value>, environment: &str) {
    let of = match environment {
        "ATHENA" => "AthenaProperties",
        "PYTHON" => "PythonProperties",
        _ => "SparkProperties",
    };
    let Some(Value::Object(own)) = input.get(of).cloned() else { return };
    if let Some(Value::Object(properties)) = input.get_mut("ConnectionProperties") {
        properties.extend(own);
    }
}

fn visible(connection: &Connection, input: &Input<'_>) -> bool {
    input.as_of.is_none_or(|as_of| connection.created <= as_of)
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Default, Deserialize, Serialize)]
    #[serde(rename_all = "PascalCase", default)]
    struct Filter {
        match_criteria: Vec<String>,
        connection_type: Option<String>,
        connection_schema_version: Option<u8>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        filter: Option<Filter>,
        hide_password: Option<bool>,
        next_token: Option<String>,
        max_results: Option<usize>,
    }
    let Request { catalog_id, filter, hide_password, next_token, max_results } = input.read()?;
    let (catalog, _) = key(region, catalog_id.as_deref(), "");
    let filter = filter.unwrap_or_default();
    let list = format!("GetConnections {catalog} {}", serde_json::to_string(&filter).unwrap_or_default());
    let fits = |connection: &Connection| {
        let criteria = connection.input.get("MatchCriteria").and_then(Value::as_array);
        let matches = |wanted: &String| criteria.is_some_and(|all| all.iter().any(|one| one == wanted));
        filter.match_criteria.iter().all(matches)
            && filter.connection_type.as_deref().is_none_or(|wanted| connection.text("ConnectionType") == wanted)
            && filter.connection_schema_version.is_none_or(|wanted| connection.schema_version() == wanted)
            && visible(connection, input)
    };
    let fitting = region
        .connections
        .by_key
        .iter()
        .filter(|((of, _), connection)| *of == catalog && fits(connection))
        .map(|((_, name), connection)| (&**name, connection.view(hide_password.unwrap_or(false))));
    let size = max_results.unwrap_or(DEFAULT_PAGE);
    let (page, next) = page::by_name(&list, fitting, next_token.as_deref(), size)?;
    reply(&page::answer("ConnectionList", &page, next))
}

fn update(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        name: String,
        connection_input: Map<String, Value>,
    }
    let Request { catalog_id, name, connection_input } = input.read()?;
    let connection_input = without_nulls(connection_input);
    let key = key(region, catalog_id.as_deref(), &name);
    region.connection(&key)?;
    if connection_input.get("Name").and_then(Value::as_str) != Some(&name) {
        return Err(AwsError::invalid("A connection cannot be renamed."));
    }
    requirements::check(&connection_input)?;
    region.put_connection(&key, connection_input, input.caller);
    reply(&json!({}))
}

fn remove(region: &mut Region, key: &Key) -> Result<(), AwsError> {
    region.connections.by_key.remove(key).ok_or_else(|| connection_not_found(&key.1))?;
    let arn = region.arn("connection", &key.1);
    region.tags.forget(&arn);
    Ok(())
}

fn delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        connection_name: String,
    }
    let Request { catalog_id, connection_name } = input.read()?;
    let key = key(region, catalog_id.as_deref(), &connection_name);
    remove(region, &key)?;
    reply(&json!({}))
}

fn batch_delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        connection_name_list: Vec<String>,
    }
    let Request { catalog_id, connection_name_list } = input.read()?;
    let mut succeeded = Vec::new();
    let mut errors = Map::new();
    for name in connection_name_list {
        let key = key(region, catalog_id.as_deref(), &name);
        match remove(region, &key) {
            Ok(()) => succeeded.push(name),
            Err(error) => {
                errors.insert(name, json!({ "ErrorCode": error.code, "ErrorMessage": error.message }));
            }
        }
    }
    reply(&json!({ "Succeeded": succeeded, "Errors": errors }))
}

fn test(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        catalog_id: Option<String>,
        connection_name: Option<String>,
        test_connection_input: Option<Map<String, Value>>,
    }
    let Request { catalog_id, connection_name, test_connection_input } = input.read()?;
    let now = region.now();
    match (connection_name, test_connection_input) {
        (Some(name), None) => {
            let key = key(region, catalog_id.as_deref(), &name);
            region.connection(&key)?;
            let outcome = region.connections.scripts.test(&name);
            if let Some(connection) = region.connections.by_key.get_mut(&key) {
                connection.validated = Some(now);
            }
            outcome?;
        }
        (None, Some(input)) => {
            requirements::check(&without_nulls(input))?;
            region.connections.scripts.test("*")?;
        }
        // "Providing both at the same time will cause an error" (TestConnection, AWS Glue API reference).
        (Some(_), Some(_)) => {
            return Err(AwsError::invalid("ConnectionName and TestConnectionInput cannot be given together."));
        }
        (None, None) => {
            return Err(AwsError::invalid("Either ConnectionName or TestConnectionInput must be given."));
        }
    }
    reply(&json!({}))
}
