//! Which watches of the API server stand: for the probe that says what this replica still waits for.
//!
//! A watch that was never allowed to list what it is to watch keeps its objects waiting without a word in
//! their status, so the words have to be here. Once it stands, what breaks it is taken up again by itself.

use std::collections::BTreeMap;

use kube::runtime::watcher;
use tokio::sync::watch;
use tracing::warn;

/// What each watch says. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CacheSync {
    by_name: watch::Sender<BTreeMap<String, State>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    NotYet,
    Fails(String),
    Stands,
}

impl Default for CacheSync {
    fn default() -> Self {
        Self { by_name: watch::Sender::new(BTreeMap::new()) }
    }
}

/// One of the watches.
#[derive(Clone, Debug)]
pub struct Watch {
    watches: CacheSync,
    name: String,
    remedy: &'static str,
}

impl CacheSync {
    /// There will be a watch of `what` in this namespace, or in all of them; `remedy`: what lets it stand.
    #[must_use]
    pub fn expect(&self, what: &str, namespace: Option<&str>, remedy: &'static str) -> Watch {
        let name = namespace.map_or_else(|| what.to_owned(), |namespace| format!("{what} in namespace {namespace}"));
        self.by_name.send_modify(|by_name| {
            by_name.insert(name.clone(), State::NotYet);
        });
        Watch { watches: self.clone(), name, remedy }
    }

    /// Told of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<impl Sized + use<>> {
        self.by_name.subscribe()
    }

    /// `Err` with what is waited for, and why.
    pub fn stand(&self) -> Result<(), String> {
        let by_name = self.by_name.borrow();
        let (mut waiting, mut failing) = (Vec::new(), Vec::new());
        for (name, state) in by_name.iter() {
            match state {
                State::Stands => {}
                State::NotYet => waiting.push(format!("{name} not listed yet")),
                State::Fails(why) => failing.push(format!("{name} cannot be listed: {why}")),
            }
        }
        // Others may be waiting for what fails.
        match if failing.is_empty() { waiting } else { failing } {
            _ if by_name.is_empty() => Err("none begun yet".to_owned()),
            none if none.is_empty() => Ok(()),
            some => Err(some.join("; ")),
        }
    }
}

impl Watch {
    /// The first list is in.
    pub fn stands(&self) {
        self.is(State::Stands);
    }

    /// The watch broke off, or could not begin. It is taken up again by itself.
    pub fn broke(&self, error: &watcher::Error) {
        warn!(watch = self.name, error = error as &dyn std::error::Error, "the watch broke off; it is taken up again");
        let (words, is_denied) = match error {
            watcher::Error::InitialListFailed(kube::Error::Api(status)) => (status.message.clone(), status.code == 403),
            other => (other.to_string(), false),
        };
        let why = if is_denied { format!("{words} ({})", self.remedy) } else { words };
        self.is(State::Fails(why));
    }

    fn is(&self, new: State) {
        self.watches.by_name.send_if_modified(|by_name| {
            let is_new = by_name.get(&self.name).is_some_and(|old| *old != State::Stands && *old != new);
            if is_new {
                by_name.insert(self.name.clone(), new);
            }
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    #[test]
    fn what_was_never_listed_is_named_with_the_remedy_and_what_stood_once_stands() {
        let watches = CacheSync::default();
        assert_eq!(watches.stand(), Err("none begun yet".to_owned()));
        let secrets = watches.expect("secrets", Some("a"), "allow it");
        let runs = watches.expect("GlueJobRun", None, "allow it");
        assert_eq!(watches.stand(), Err("GlueJobRun not listed yet; secrets in namespace a not listed yet".to_owned()));
        let denied = || {
            let status = Status::failure("User x cannot list", "Forbidden").with_code(403);
            watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
        };
        secrets.broke(&denied());
        let words = "secrets in namespace a cannot be listed: User x cannot list (allow it)";
        assert_eq!(watches.stand(), Err(words.to_owned()));
        secrets.stands();
        runs.stands();
        runs.broke(&denied());
        assert_eq!(watches.stand(), Ok(()));
    }
}
