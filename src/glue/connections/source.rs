//! The connections of one catalog as a source of the poller: one list shows all of them.

use std::collections::{HashMap, HashSet};

use super::Connection;
use crate::glue::poller::{Observation, PollRequest, PollResult, Source};
use crate::glue::{Error, Glue};

/// All connections of one catalog, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionSource {
    pub client: Glue,
    /// The id of the catalog; `None` for the account's own.
    pub catalog: Option<String>,
}

impl Source for ConnectionSource {
    type Item = Connection;
    type Client = Glue;

    fn client(&self) -> &Glue {
        &self.client
    }

    /// A connection may change at any time.
    fn is_finished(_: &Connection) -> bool {
        false
    }

    async fn poll(&self, requests: Vec<PollRequest<Connection>>) -> Result<Vec<PollResult<Connection>>, Error> {
        let names: HashSet<&str> = requests.iter().map(|request| request.id.as_str()).collect();
        let mut found: HashMap<&str, (Connection, usize)> = HashMap::with_capacity(requests.len());
        let (mut token, mut page) = (None, 0);
        loop {
            let (connections, next) = self.client.connections(self.catalog.as_deref(), token).await?;
            for connection in connections {
                if let Some(name) = names.get(connection.name.as_str()) {
                    found.insert(name, (connection, page));
                }
            }
            token = next;
            page += 1;
            // Only the whole list shows that a connection does not exist.
            if token.is_none() || found.len() == names.len() {
                break;
            }
        }
        let results = requests.iter().map(|request| match found.remove(request.id.as_str()) {
            Some((connection, page)) => {
                PollResult { id: request.id.clone(), observation: Observation::Present(connection), page: Some(page) }
            }
            None => PollResult { id: request.id.clone(), observation: Observation::NotFound, page: None },
        });
        Ok(results.collect())
    }
}
