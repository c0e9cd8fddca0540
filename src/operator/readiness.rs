//! What this replica still waits for, as `/readyz` tells it.
//!
//! A standby is ready: it does all that a standby should, and rollouts and disruption budgets count
//! on it. The text says that it is one.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// The parts that make a replica ready, in the order in which they come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The Kubernetes API answers.
    ApiServer,
    /// Our custom resources are installed.
    CustomResources,
    /// The lease can be read: held by this replica or by another one.
    Lease,
    /// Everything that the controllers watch has been listed. A standby watches nothing.
    CacheSync,
}

const PARTS: [Part; 4] = [Part::ApiServer, Part::CustomResources, Part::Lease, Part::CacheSync];

#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    ready: bool,
    text: String,
}

/// What the parts say. Clones share it.
#[derive(Clone, Debug)]
pub struct Readiness {
    parts: Arc<Mutex<[State; PARTS.len()]>>,
}

impl Default for Readiness {
    fn default() -> Self {
        let waiting = || State { ready: false, text: "not asked yet".to_owned() };
        let idle = State { ready: true, text: "none before this replica acts".to_owned() };
        Self { parts: Arc::new(Mutex::new([waiting(), waiting(), waiting(), idle])) }
    }
}

impl Readiness {
    /// `part` is there; `text` says how.
    pub fn is_there(&self, part: Part, text: impl Into<String>) {
        self.set(part, true, text.into());
    }

    /// `part` is waited for; `text` says what is wrong and what to do. A new text is logged.
    pub fn waits_for(&self, part: Part, text: impl Into<String>) {
        self.set(part, false, text.into());
    }

    /// Whether every part is there, and the parts one a line, as the API server's own `/readyz`
    /// writes them.
    #[must_use]
    pub fn report(&self) -> (bool, String) {
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
    fn it_is_ready_when_every_part_is_there_and_says_what_is_not() {
        let readiness = Readiness::default();
        readiness.is_there(Part::ApiServer, "answers");
        readiness.is_there(Part::Lease, "standby; kube-glue-1 holds it");
        readiness.waits_for(Part::CustomResources, "gluejobruns are not installed");
        assert_eq!(
            readiness.report(),
            (
                false,
                "[+] api server: answers\n\
                 [-] custom resources: gluejobruns are not installed\n\
                 [+] lease: standby; kube-glue-1 holds it\n\
                 [+] watches: none before this replica acts\n\
                 not ready\n"
                    .to_owned()
            )
        );
        readiness.is_there(Part::CustomResources, "installed");
        assert!(readiness.report().0);
    }
}
