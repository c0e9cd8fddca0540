//! `DescribeConnectionType` and `ListConnectionTypes`, for some types.
//!
//! Source: both operations, `Property` and `Capabilities`, AWS Glue API reference; that connections with these properties
//! work is from the integration tests of awslabs/aws-athena-query-federation. What Glue's own descriptions say has been
//! published by nobody: which properties they call required is assumed.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
    DescribeConnectionType("/ConnectionType") => describe,
    ListConnectionTypes("") => list,
};

/// A type of connection: its name, the properties that it requires, and those that it reads beside them.
struct ConnectionType {
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

/// Sorted by name.
const TYPES: [ConnectionType; 3] = [
    ConnectionType { name: "MYSQL", required: &["HOST", "PORT", "DATABASE"], optional: &["JDBC_PARAMS"] },
    ConnectionType { name: "POSTGRESQL", required: &["HOST", "PORT", "DATABASE"], optional: &["JDBC_PARAMS"] },
    ConnectionType { name: "SNOWFLAKE", required: &["HOST", "PORT", "WAREHOUSE"], optional: &["DATABASE", "SCHEMA"] },
];

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Brief {
    connection_type: &'static str,
    description: String,
    capabilities: Value,
}

impl ConnectionType {
    fn description(&self) -> String {
        format!("A connection to {}", self.name)
    }

    fn properties(&self) -> Value {
        let property = |name: &str, required: bool| {
            let value = json!({
                "Name": name, "Description": name, "Required": required, "PropertyTypes": ["USER_INPUT"],
            });
            (name.to_owned(), value)
        };
        let required = self.required.iter().map(|name| property(name, true));
        required.chain(self.optional.iter().map(|name| property(name, false))).collect()
    }

    fn brief(&self) -> Brief {
        Brief { connection_type: self.name, description: self.description(), capabilities: capabilities() }
    }
}

fn capabilities() -> Value {
    json!({
        "SupportedAuthenticationTypes": ["BASIC"],
        "SupportedDataOperations": ["READ"],
        "SupportedComputeEnvironments": ["SPARK", "ATHENA"],
    })
}

fn describe(_: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        connection_type: String,
    }
    let Request { connection_type } = input.read()?;
    let found = TYPES.iter().find(|type_| type_.name == connection_type);
    // Which error it is, is not documented.
    let Some(type_) = found else {
        return Err(AwsError::invalid(format!("Connection type {connection_type} is not supported.")));
    };
    reply(&json!({
        "ConnectionType": type_.name, "Description": type_.description(), "Capabilities": capabilities(),
        "ConnectionProperties": type_.properties(),
    }))
}

fn list(_: &mut Region, input: &Input<'_>) -> Reply {
    let paging: Paging = input.read()?;
    let types = TYPES.iter().map(|type_| (type_.name, type_.brief()));
    paging.by_name("ListConnectionTypes", types, DEFAULT_PAGE)?.reply("ConnectionTypes")
}
