//! What this replica waits for, as `/readyz` shows it.
//!
//! A standby is ready, because rollouts and disruption budgets count ready replicas. The text says that it is one.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The parts of a ready replica, in the order of the startup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The API server answers.
    ApiServer,
    /// The custom resources are installed.
    CustomResources,
    /// The lease can be read: held by this replica or by another one.
    Lease,
    /// Every watch has listed its objects. A standby has no watches.
    CacheSync,
}

const PARTS: [Part; 4] = [Part::ApiServer, Part::CustomResources, Part::Lease, Part::CacheSync];

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    ready: bool,
    text: String,
}

/// The state of all parts. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Readiness {
    parts: Arc<Mutex<[State; PARTS.len()]>>,
}

impl Default for Readiness {
    fn default() -> Self {
        let waiting = || State { ready: false, text: "not checked yet".to_owned() };
        let idle = State { ready: true, text: "none while on standby".to_owned() };
        Self { parts: Arc::new(Mutex::new([waiting(), waiting(), waiting(), idle])) }
    }
}

impl Readiness {
    /// `part` is ready; `text` describes its state.
    pub(super) fn set_ready(&self, part: Part, text: impl Into<String>) {
        self.set(part, true, text.into());
    }

    /// `part` is not ready; `text` names the cause and the remedy. A new text is logged.
    pub(super) fn set_waiting(&self, part: Part, text: impl Into<String>) {
        self.set(part, false, text.into());
    }

    /// Whether every part is ready, and one line per part in the format of the API server's `/readyz?verbose`.
    #[must_use]
    pub(super) fn report(&self) -> (bool, String) {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = parts.iter().all(|state| state.ready);
        let mut report = String::new();
        for (part, State { ready, text }) in PARTS.iter().zip(parts.iter()) {
            let mark = if *ready { '+' } else { '-' };
            // Writing to a String does not fail.
            let _: fmt::Result = writeln!(report, "[{mark}] {part}: {text}");
        }
        report.push_str(if ready { "ready\n" } else { "not ready\n" });
        (ready, report)
    }

    fn set(&self, part: Part, ready: bool, text: String) {
        let new = State { ready, text };
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let old = &mut parts[part as usize];
        if *old == new {
            return;
        }
        if ready {
            tracing::info!("{part}: {}", new.text);
        } else {
            tracing::warn!("{part}: {}", new.text);
        }
        *old = new;
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApiServer => "api server",
            Self::CustomResources => "custom resources",
            Self::Lease => "lease",
            Self::CacheSync => "watches",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_ready_when_every_part_is_and_the_report_names_the_others() {
        let readiness = Readiness::default();
        readiness.set_ready(Part::ApiServer, "answers");
        readiness.set_ready(Part::Lease, "standby; held by kube-glue-1");
        readiness.set_waiting(Part::CustomResources, "gluejobruns are not installed");
        assert_eq!(
            readiness.report(),
            (
                false,
                "[+] api server: answers\n\
                 [-] custom resources: gluejobruns are not installed\n\
                 [+] lease: standby; held by kube-glue-1\n\
                 [+] watches: none while on standby\n\
                 not ready\n"
                    .to_owned()
            )
        );
        readiness.set_ready(Part::CustomResources, "installed");
        assert!(readiness.report().0);
    }
}
