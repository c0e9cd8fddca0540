//! Which watches have listed their objects (client-go's `HasSynced`), for the readiness probe.
//!
//! A watch that may not list keeps its objects waiting without a word in their status, so the probe has to say why. A
//! watch that has synced once is restarted by itself when it breaks.

use std::collections::BTreeMap;

use kube::runtime::watcher;
use tokio::sync::watch;
use tracing::warn;

/// The state of every watch. Cheap to clone.
#[derive(Clone, Debug)]
pub struct CacheSync {
    by_name: watch::Sender<BTreeMap<String, State>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Failing(String),
    Synced,
}

impl Default for CacheSync {
    fn default() -> Self {
        Self { by_name: watch::Sender::new(BTreeMap::new()) }
    }
}

/// The handle by which one watch reports its state.
#[derive(Clone, Debug)]
pub struct WatchHandle {
    sync: CacheSync,
    name: String,
    remedy: &'static str,
}

impl CacheSync {
    /// Registers a watch of `resource` in this namespace, or in all; `remedy` is added to the error when it is denied.
    #[must_use]
    pub fn register(&self, resource: &str, namespace: Option<&str>, remedy: &'static str) -> WatchHandle {
        let name =
            namespace.map_or_else(|| resource.to_owned(), |namespace| format!("{resource} in namespace {namespace}"));
        self.by_name.send_modify(|by_name| {
            by_name.insert(name.clone(), State::Pending);
        });
        WatchHandle { sync: self.clone(), name, remedy }
    }

    /// Notified of every change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<impl Sized + use<>> {
        self.by_name.subscribe()
    }

    /// `Err` with the watches that have not synced, and why.
    pub fn has_synced(&self) -> Result<(), String> {
        let by_name = self.by_name.borrow();
        let (mut pending, mut failing) = (Vec::new(), Vec::new());
        for (name, state) in by_name.iter() {
            match state {
                State::Synced => {}
                State::Pending => pending.push(format!("{name} not listed yet")),
                State::Failing(why) => failing.push(format!("{name} cannot be listed: {why}")),
            }
        }
        // Other watches may be pending because of the one that fails.
        match if failing.is_empty() { pending } else { failing } {
            _ if by_name.is_empty() => Err("no watch has begun yet".to_owned()),
            none if none.is_empty() => Ok(()),
            some => Err(some.join("; ")),
        }
    }
}

impl WatchHandle {
    /// The first list is complete.
    pub fn synced(&self) {
        self.set(State::Synced);
    }

    /// The watch failed; it is restarted by itself.
    pub fn failed(&self, error: &watcher::Error) {
        warn!(watch = self.name, error = error as &dyn std::error::Error, "the watch failed; restarting it");
        let (message, is_denied) = match error {
            // A list that is streamed begins with a watch.
            watcher::Error::InitialListFailed(kube::Error::Api(status))
            | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => {
                (status.message.clone(), status.code == 403)
            }
            other => (other.to_string(), false),
        };
        let why = if is_denied { format!("{message} ({})", self.remedy) } else { message };
        self.set(State::Failing(why));
    }

    fn set(&self, new: State) {
        self.sync.by_name.send_if_modified(|by_name| {
            let is_new = by_name.get(&self.name).is_some_and(|old| *old != State::Synced && *old != new);
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
    fn the_probe_names_each_pending_watch_and_a_denied_one_with_its_remedy() {
        let sync = CacheSync::default();
        assert_eq!(sync.has_synced(), Err("no watch has begun yet".to_owned()));
        let secrets = sync.register("secrets", Some("a"), "allow it");
        let runs = sync.register("GlueJobRun", None, "allow it");
        assert_eq!(
            sync.has_synced(),
            Err("GlueJobRun not listed yet; secrets in namespace a not listed yet".to_owned())
        );
        let denied = || {
            let status = Status::failure("User x cannot list", "Forbidden").with_code(403);
            watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
        };
        let streamed = Status::failure("User x cannot watch", "Forbidden").with_code(403);
        secrets.failed(&watcher::Error::WatchStartFailed(kube::Error::Api(Box::new(streamed))));
        let why = "secrets in namespace a cannot be listed: User x cannot watch (allow it)";
        assert_eq!(sync.has_synced(), Err(why.to_owned()));
        secrets.failed(&denied());
        let why = "secrets in namespace a cannot be listed: User x cannot list (allow it)";
        assert_eq!(sync.has_synced(), Err(why.to_owned()));
        secrets.synced();
        runs.synced();
        runs.failed(&denied());
        assert_eq!(sync.has_synced(), Ok(()));
    }
}
