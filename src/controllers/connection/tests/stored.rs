//! A connection as Glue stores it, and as it shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::controllers::connection::drift;
use crate::glue::connections::{Connection, ConnectionInput};

/// A connection in Glue, secrets included.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub input: ConnectionInput,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub by: String,
    pub status: String,
}

impl Stored {
    /// The response of `GetConnection`: no passwords or credentials, but the secret that Glue creates for them.
    pub fn observed(&self) -> Connection {
        let input = &self.input;
        let mut authentication = input.authentication.as_ref().map(|authentication| authentication.shown.clone());
        if let (Some(shown), true) = (&mut authentication, drift::hides(input)) {
            shown.secret_arn.get_or_insert_with(|| "arn:aws:secretsmanager:made-by-glue".to_owned());
        }
        Connection {
            name: input.name.clone(),
            arn: Some("arn:aws:glue:eu-west-1:123456789012:connection/orders".to_owned()),
            type_: input.type_.clone(),
            description: input.description.clone(),
            match_criteria: input.match_criteria.clone(),
            properties: input
                .properties
                .iter()
                .filter(|(name, _)| !name.ends_with("PASSWORD"))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            // AWS does not say whether it hides values in these.
            spark: input
                .spark
                .iter()
                .filter(|(name, _)| !input.from_secrets.contains(&format!("sparkProperties {name}")))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            athena: input.athena.clone(),
            python: input.python.clone(),
            physical: input.physical.clone(),
            authentication,
            status: Some(self.status.clone()),
            status_reason: None,
            created_at: Some(self.created),
            updated_at: Some(self.updated),
            updated_by: Some(self.by.clone()),
            validated_at: None,
            schema_version: Some(1),
            compute_environments: Vec::new(),
        }
    }
}
