//! Connections of the Data Catalog.
//!
//! `UpdateConnection` replaces the whole input, including secrets; members that the new input does not have are
//! removed. With `HidePassword` a read has no passwords. Credentials in `AuthenticationConfiguration` are never read
//! back. A [`ConnectionScript`] defines how creation, updates and tests end.

mod operations;
mod requirements;
mod script;
#[cfg(test)]
mod tests;
mod types;
mod view;

use std::{collections::BTreeMap, sync::Arc};

pub use script::{ConnectionScript, Failure};
use serde::Serialize;
use serde_json::{Map, Value};

use self::script::Scripts;
use super::{Region, operation::Operation, region::Event};
use crate::{clock::Time, error::AwsError};

/// The operations on connections and their types.
pub const OPERATIONS: &[&[Operation]] = &[operations::OPERATIONS, types::OPERATIONS];

/// Glue's `ConnectionStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum ConnectionStatus {
    Ready,
    InProgress,
    Failed,
}

/// A catalog's id and a connection's name.
type Key = (Arc<str>, Arc<str>);

#[derive(Debug)]
struct Connection {
    input: Map<String, Value>,
    created: Time,
    updated: Time,
    updated_by: String,
    status: ConnectionStatus,
    reason: Option<String>,
    validated: Option<Time>,
    /// The secret that Glue made of the credentials in the input.
    secret_arn: Option<String>,
    /// Differs for each change. The outcome of an earlier change is ignored.
    generation: u64,
}

/// The connections of a region by catalog and name.
#[derive(Debug, Default)]
pub struct Connections {
    by_key: BTreeMap<Key, Connection>,
    changes: u64,
    scripts: Scripts,
}

/// An event of a connection.
#[derive(Clone, Debug)]
pub(super) enum ConnectionEvent {
    /// The change of this generation is done: READY, or FAILED with a reason.
    Settle(Key, u64, Option<String>),
}

impl Region {
    /// Sets how a connection's creation, updates and tests end from now on. The name `*` stands for every connection
    /// without a script of its own, and for tests by `TestConnectionInput`.
    pub fn script_connection(&mut self, name: &str, script: ConnectionScript) {
        self.connections.scripts.set(name, script);
    }

    /// The last input of a connection, with its secrets.
    #[must_use]
    pub fn connection_input(&self, catalog: &str, name: &str) -> Option<Value> {
        let connection = self.connections.by_key.get(&(catalog.into(), name.into()))?;
        Some(Value::Object(connection.input.clone()))
    }

    fn connection(&self, key: &Key) -> Result<&Connection, AwsError> {
        self.connections.by_key.get(key).ok_or_else(|| connection_not_found(&key.1))
    }

    /// Creates or replaces a connection. Its script decides the status.
    fn put_connection(&mut self, key: &Key, input: Map<String, Value>, caller: &str) -> ConnectionStatus {
        let now = self.now();
        let (duration, failure) = self.connections.scripts.outcome(&key.1, &input);
        self.connections.changes += 1;
        let generation = self.connections.changes;
        let created = self.connections.by_key.get(key).map_or(now, |connection| connection.created);
        // "The secret manager ARN to store credentials" (AuthenticationConfiguration, AWS Glue API reference). The form of
        // its name is not documented.
        let has_credentials = view::has_credentials(&input);
        let secret = format!("arn:aws:secretsmanager:{}:{}:secret:glue!{}", self.name, self.account, key.1);
        let connection = Connection {
            secret_arn: has_credentials.then_some(secret),
            input,
            created,
            updated: now,
            updated_by: caller.to_owned(),
            status: ConnectionStatus::InProgress,
            reason: None,
            validated: None,
            generation,
        };
        self.connections.by_key.insert(key.clone(), connection);
        if duration.is_zero() {
            self.connection_event(ConnectionEvent::Settle(key.clone(), generation, failure));
        } else {
            let event = ConnectionEvent::Settle(key.clone(), generation, failure);
            self.events.push(now + duration, Event::Connection(event));
        }
        self.connection(key).map_or(ConnectionStatus::Failed, |connection| connection.status)
    }

    pub(super) fn connection_event(&mut self, event: ConnectionEvent) {
        let ConnectionEvent::Settle(key, generation, failure) = event;
        if let Some(connection) = self.connections.by_key.get_mut(&key).filter(|now| now.generation == generation) {
            connection.status = if failure.is_some() { ConnectionStatus::Failed } else { ConnectionStatus::Ready };
            connection.reason = failure;
        }
    }
}

fn connection_not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Connection {name} not found."))
}
