//! Faults by rule: which calls go wrong, and how.
//!
//! A rule says which calls it means ([`Fault::on`] and the narrowing methods) and what happens to them
//! ([`Fault::then`]). Rules are asked in the order they were added and the first that applies wins; a call
//! that a rule means but does not hit (not the nth, not that probable) goes on to the next.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::requests::Call;

/// What happens to a call that a fault hits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum Then {
    /// `ThrottlingException`, nothing done.
    Throttle,
    /// This error, nothing done.
    Error {
        /// The AWS error code.
        code: String,
        /// The HTTP status.
        status: u16,
        /// The message.
        message: String,
    },
    /// `InternalServiceException` with HTTP 500, nothing done.
    Http500,
    /// HTTP 500 after the work was done: the client cannot know.
    Http500AfterWork,
    /// `ExpiredTokenException`, nothing done.
    ExpiredToken,
    /// Waits so long before the work, in real time.
    Delay {
        /// How long, in seconds.
        #[serde(with = "crate::seconds")]
        time: Duration,
    },
    /// Does the work, then waits so long with the answer, in real time.
    DelayAnswer {
        /// How long, in seconds.
        #[serde(with = "crate::seconds")]
        time: Duration,
    },
    /// Waits before the work until [`Faults::release`] or [`Faults::clear`].
    Hold,
    /// Does the work, then keeps the answer back until [`Faults::release`] or [`Faults::clear`].
    HoldAnswer,
    /// Does the work, then closes the connection without an answer.
    DropAnswerAfterWork,
    /// Closes the connection, nothing done.
    DropConnectionBefore,
    /// Reads answer what was true so long ago on the double's clock: runs and crawls in their states of then,
    /// and neither runs, crawls nor connections that came later. Writes are not affected, and triggers and
    /// definitions are read as they are.
    StaleRead {
        /// How long ago, in seconds.
        #[serde(with = "crate::seconds")]
        age: Duration,
    },
}

impl Then {
    /// An error by code, with HTTP status 400.
    #[must_use]
    pub fn error(code: &str, message: &str) -> Self {
        Self::Error { code: code.to_owned(), status: 400, message: message.to_owned() }
    }
}

/// A rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation's name; none is every operation.
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    name: Option<String>,
    /// Only the nth call it means, from 1.
    #[serde(default)]
    nth: Option<u64>,
    /// At most so many hits.
    #[serde(default)]
    times: Option<u64>,
    /// How likely a call is hit, 0 to 1.
    #[serde(default)]
    probability: Option<f64>,
    then: Then,
}

impl Fault {
    /// A rule for an operation, such as `StartJobRun`. Without [`Fault::then`] it throttles.
    #[must_use]
    pub fn on(operation: &str) -> Self {
        Self { operation: Some(operation.to_owned()), ..Self::on_any() }
    }

    /// A rule for every operation of Glue and STS.
    #[must_use]
    pub fn on_any() -> Self {
        Self {
            operation: None,
            account: None,
            region: None,
            name: None,
            nth: None,
            times: None,
            probability: None,
            then: Then::Throttle,
        }
    }

    /// Only calls from this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Only calls to this region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Only calls about the thing with this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Only the nth of the calls matched, counted from 1 since the rule was added.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// At most so many hits.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits so likely, from 0 (never) to 1 (always), by the double's own seeded dice.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// What happens to a call that is hit.
    #[must_use]
    pub fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    fn matches(&self, call: &Call) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        fits(&self.operation, &call.operation)
            && fits(&self.account, &call.account)
            && fits(&self.region, &call.region)
            && self.name.as_deref().is_none_or(|wanted| call.name.as_deref() == Some(wanted))
    }
}

/// A rule in force, as [`Faults::list`] shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultState {
    /// Its number, for [`Faults::remove`].
    pub id: u64,
    /// How many calls it matched.
    pub matched: u64,
    /// How many of them it hit.
    pub hits: u64,
    /// The rule.
    pub fault: Fault,
}

#[derive(Debug)]
struct Rules {
    list: Vec<FaultState>,
    added: u64,
    dice: fastrand::Rng,
}

#[derive(Debug)]
struct Shared {
    rules: Mutex<Rules>,
    /// Counts releases: whoever is held waits for it to move on.
    released: watch::Sender<u64>,
}

/// A handle on the faults of one double.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Shared>);

impl Default for Faults {
    fn default() -> Self {
        let (released, _) = watch::channel(0);
        let rules = Rules { list: Vec::new(), added: 0, dice: fastrand::Rng::with_seed(0) };
        Self(Arc::new(Shared { rules: Mutex::new(rules), released }))
    }
}

impl Faults {
    /// Puts a rule in force, after those that are; returns its number.
    #[allow(clippy::must_use_candidate)]
    pub fn add(&self, fault: Fault) -> u64 {
        let mut rules = self.0.rules.lock();
        rules.added += 1;
        let id = rules.added;
        rules.list.push(FaultState { id, matched: 0, hits: 0, fault });
        id
    }

    /// Takes a rule out of force. Calls it holds stay held until [`Faults::release`].
    pub fn remove(&self, id: u64) {
        self.0.rules.lock().list.retain(|rule| rule.id != id);
    }

    /// Takes all rules out of force and releases all held calls.
    pub fn clear(&self) {
        self.0.rules.lock().list.clear();
        self.release();
    }

    /// Lets all calls that are held now go on.
    pub fn release(&self) {
        self.0.released.send_modify(|n| *n += 1);
    }

    /// How many calls a rule hit; zero when it is not in force.
    #[must_use]
    pub fn hits(&self, id: u64) -> u64 {
        self.0.rules.lock().list.iter().find(|rule| rule.id == id).map_or(0, |rule| rule.hits)
    }

    /// The rules in force.
    #[must_use]
    pub fn list(&self) -> Vec<FaultState> {
        self.0.rules.lock().list.clone()
    }

    /// Sets the dice for [`Fault::probability`], so that a test can be repeated.
    pub fn seed(&self, seed: u64) {
        self.0.rules.lock().dice = fastrand::Rng::with_seed(seed);
    }

    pub(crate) fn effect_on(&self, call: &Call) -> Option<Then> {
        let mut rules = self.0.rules.lock();
        let Rules { list, dice, .. } = &mut *rules;
        for rule in list {
            if !rule.fault.matches(call) {
                continue;
            }
            rule.matched += 1;
            let hit = rule.fault.nth.is_none_or(|nth| nth == rule.matched)
                && rule.fault.times.is_none_or(|times| rule.hits < times)
                && rule.fault.probability.is_none_or(|probability| dice.f64() < probability);
            if hit {
                rule.hits += 1;
                return Some(rule.fault.then.clone());
            }
        }
        None
    }

    pub(crate) async fn wait_for_release(&self) {
        let mut released = self.0.released.subscribe();
        // An error means that the double is gone, and the connection with it.
        let _ = released.changed().await;
    }
}
