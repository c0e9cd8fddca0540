//! The connections of one catalog as a source of the poller: one list shows all of them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Connection;
use crate::glue::Glue;
use crate::glue::poller::calls::Calls;
use crate::glue::poller::{Extras, Observation, PollRequest, PollResult, Polled, Source};
use crate::glue::rate_limiter::{ClientId, RateLimiter};

/// All connections of one catalog, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionSource {
    pub client: Glue,
    /// The id of the catalog; `None` for the account's own.
    pub catalog: Option<String>,
}

impl Source for ConnectionSource {
    type Item = Connection;

    fn limiter(&self) -> Arc<RateLimiter> {
        self.client.rate_limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client.client_id()
    }

    /// A connection may change at any time.
    fn is_finished(_: &Connection) -> bool {
        false
    }

    async fn poll(&self, requests: Vec<PollRequest<Connection>>, _: Extras) -> Polled<Connection> {
        let names: HashSet<&str> = requests.iter().map(|request| request.id.as_str()).collect();
        let mut found: HashMap<&str, (Connection, usize)> = HashMap::with_capacity(requests.len());
        let (mut calls, mut token, mut page) = (Calls::default(), None, 0);
        let error = loop {
            let (connections, next) = match calls.make(self.client.connections(self.catalog.as_deref(), token)).await {
                Ok(list) => list,
                // What the pages before showed counts.
                Err(error) => break Some(error),
            };
            for connection in connections {
                if let Some(name) = names.get(connection.name.as_str()) {
                    found.insert(name, (connection, page));
                }
            }
            token = next;
            page += 1;
            // Only the whole list shows that a connection does not exist.
            if token.is_none() || found.len() == names.len() {
                break None;
            }
        };
        let results = requests.iter().map(|request| {
            let (answer, page) = match (found.remove(request.id.as_str()), &error) {
                (Some((connection, page)), _) => (Ok(Observation::Present(connection)), Some(page)),
                (None, Some(error)) => (Err(Arc::clone(error)), None),
                (None, None) => (Ok(Observation::NotFound), None),
            };
            PollResult { id: request.id.clone(), answer, page }
        });
        Polled { results: results.collect(), calls: calls.made(), usual: None, seen: HashMap::new() }
    }
}
