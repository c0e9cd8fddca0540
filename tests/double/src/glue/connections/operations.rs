//! The operations on connections.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Connection, Key, connection_not_found, requirements};
use crate::{
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations, reply},
        page::Paging,
    },
};

const DEFAULT_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = operations! { "connection":
    CreateConnection("/ConnectionInput/Name") => create,
    GetConnection("/Name") => get,
    GetConnections("") => get_all,
    UpdateConnection("/Name") => update,
    DeleteConnection("/ConnectionName") => delete,
    BatchDeleteConnection("") => batch_delete,
    TestConnection("/ConnectionName") => test,
};

fn key(region: &Region, catalog: Option<&str>, name: &str) -> Key {
    (catalog.map_or_else(|| region.account.clone(), Arc::from), name.into())
}

/// The input without null members.
fn without_nulls(input: Map<String, Value>) -> Map<String, Value> {
    input.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn create(region: &mut Region, input: &Input<'_>) -> Reply {
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
    region.start_tags_of(region.arn_in(&key.0, "connection", &name), tags);
    reply(&json!({ "CreateConnectionStatus": status }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
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
        view.apply_override(&environment);
    }
    reply(&json!({ "Connection": view }))
}

fn visible(connection: &Connection, input: &Input<'_>) -> bool {
    input.as_of.is_none_or(|as_of| connection.created <= as_of)
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Reply {
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
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { catalog_id, filter, hide_password, paging } = input.read()?;
    let (catalog, _) = key(region, catalog_id.as_deref(), "");
    let filter = filter.unwrap_or_default();
    let list = format!("GetConnections {catalog} {}", serde_json::to_string(&filter).unwrap_or_default());
    let matches = |connection: &Connection| {
        let criteria = connection.input.get("MatchCriteria").and_then(Value::as_array);
        let has_criterion = |wanted: &String| criteria.is_some_and(|all| all.iter().any(|one| one == wanted));
        filter.match_criteria.iter().all(has_criterion)
            && filter.connection_type.as_deref().is_none_or(|wanted| connection.text("ConnectionType") == wanted)
            && filter.connection_schema_version.is_none_or(|wanted| connection.schema_version() == wanted)
            && visible(connection, input)
    };
    let matching = region
        .connections
        .by_key
        .iter()
        .filter(|((of, _), connection)| *of == catalog && matches(connection))
        .map(|((_, name), connection)| (&**name, connection.view(hide_password.unwrap_or(false))));
    paging.by_name(&list, matching, DEFAULT_PAGE)?.reply("ConnectionList")
}

fn update(region: &mut Region, input: &Input<'_>) -> Reply {
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
    region.forget_tags_of(&region.arn_in(&key.0, "connection", &key.1));
    Ok(())
}

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn batch_delete(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn test(region: &mut Region, input: &Input<'_>) -> Reply {
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
            let placement = requirements::check_placement(&region.connection(&key)?.input);
            let outcome = placement.and_then(|()| region.connections.scripts.test(&name));
            if let Some(connection) = region.connections.by_key.get_mut(&key) {
                connection.validated = Some(now);
            }
            outcome?;
        }
        (None, Some(input)) => {
            let input = without_nulls(input);
            requirements::check(&input)?;
            requirements::check_placement(&input)?;
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
