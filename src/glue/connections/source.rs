//! The connections of one catalog as a source of the poller: one list shows them all.

use std::collections::HashMap;

use super::Connection;
use crate::glue::poller::{Observation, Observed, Source, Wanted};
use crate::glue::{Error, Glue};

/// The connections of one catalog, as one client sees them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionSource {
    /// Who asks.
    pub client: Glue,
    /// The catalog's id; none is the account's own.
    pub catalog: Option<String>,
}

impl Source for ConnectionSource {
    type Item = Connection;
    type Client = Glue;

    fn client(&self) -> &Glue {
        &self.client
    }

    /// What is kept in line is watched for as long as somebody declares it.
    fn is_finished(_: &Connection) -> bool {
        false
    }

    async fn ask(&self, wanted: Vec<Wanted<Connection>>) -> Result<Vec<Observed<Connection>>, Error> {
        let mut found: HashMap<&str, (Connection, usize)> = HashMap::with_capacity(wanted.len());
        let names: HashMap<&str, ()> = wanted.iter().map(|one| (one.id.as_str(), ())).collect();
        let (mut token, mut page) = (None, 0);
        loop {
            let (connections, next) = self.client.connections(self.catalog.as_deref(), token).await?;
            for connection in connections {
                if let Some((name, ())) = names.get_key_value(connection.name.as_str()) {
                    found.insert(name, (connection, page));
                }
            }
            token = next;
            page += 1;
            // What is not there is known only from the whole list.
            if token.is_none() || found.len() == names.len() {
                break;
            }
        }
        let seen = wanted.iter().map(|one| match found.remove(one.id.as_str()) {
            Some((connection, page)) => {
                Observed { id: one.id.clone(), observation: Observation::Present(connection), page: Some(page) }
            }
            None => Observed { id: one.id.clone(), observation: Observation::NotFound, page: None },
        });
        Ok(seen.collect())
    }
}
