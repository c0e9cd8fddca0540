//! Fault injection: which calls fail, and how.
//!
//! A rule matches calls ([`Fault::on`] and the methods that narrow it) and has an effect ([`Fault::then`]). Rules
//! are tried in the order they were added, and the first that hits decides. A rule that matches a call need not hit
//! it: the call may not be the nth, or the probability may decide against it. Then the next rule is tried.

pub mod lies;
pub mod rewrite;
#[cfg(test)]
mod tests;
mod then;

use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use self::{rewrite::Rewrite, then::Then};
use crate::requests::Call;

/// A rule: the calls it matches, and its effect.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The operation's name; none matches every operation.
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    name: Option<String>,
    /// Hits only the nth call it matches, counted from 1.
    #[serde(default)]
    nth: Option<u64>,
    /// The most hits.
    #[serde(default)]
    times: Option<u64>,
    /// The probability of a hit, from 0 to 1.
    #[serde(default)]
    probability: Option<f64>,
    then: Then,
}

impl Fault {
    /// A rule for an operation, such as `StartJobRun`. Its effect is [`Then::Throttle`] until [`Fault::then`] sets it.
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

    /// Matches only calls from this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Matches only calls to this region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Matches only calls that name this resource (job, crawler, trigger, connection) or role ARN.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Hits only the nth call it matches, counted from 1 since the rule was added.
    #[must_use]
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// Limits the number of hits.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits with this probability, from 0 (never) to 1 (always); see [`Faults::seed`].
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability);
        self
    }

    /// Sets the effect on the calls it hits.
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

/// An active rule, as [`Faults::list`] shows it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultState {
    /// Its number, for [`Faults::remove`].
    pub id: u64,
    /// The number of calls it matched.
    pub matched: u64,
    /// The number of calls it hit.
    pub hits: u64,
    /// The rule.
    pub fault: Fault,
}

#[derive(Debug)]
struct Rules {
    list: Vec<FaultState>,
    added: u64,
    random: fastrand::Rng,
}

#[derive(Debug)]
struct Shared {
    rules: Mutex<Rules>,
    /// The number of releases so far. A held call waits for a change.
    released: watch::Sender<u64>,
}

/// A handle on the faults of one double.
#[derive(Clone, Debug)]
pub struct Faults(Arc<Shared>);

impl Default for Faults {
    fn default() -> Self {
        let (released, _) = watch::channel(0);
        let rules = Rules { list: Vec::new(), added: 0, random: fastrand::Rng::with_seed(0) };
        Self(Arc::new(Shared { rules: Mutex::new(rules), released }))
    }
}

impl Faults {
    /// Adds a rule after the existing ones; returns its id.
    #[allow(clippy::must_use_candidate)]
    pub fn add(&self, fault: Fault) -> u64 {
        let mut rules = self.0.rules.lock();
        rules.added += 1;
        let id = rules.added;
        rules.list.push(FaultState { id, matched: 0, hits: 0, fault });
        id
    }

    /// Removes a rule. Calls that it holds stay held until [`Faults::release`].
    pub fn remove(&self, id: u64) {
        self.0.rules.lock().list.retain(|rule| rule.id != id);
    }

    /// Removes all rules and releases all held calls.
    pub fn clear(&self) {
        self.0.rules.lock().list.clear();
        self.release();
    }

    /// Releases all calls that are held now.
    pub fn release(&self) {
        self.0.released.send_modify(|n| *n += 1);
    }

    /// The number of calls a rule hit; zero for a removed rule.
    #[must_use]
    pub fn hits(&self, id: u64) -> u64 {
        self.0.rules.lock().list.iter().find(|rule| rule.id == id).map_or(0, |rule| rule.hits)
    }

    /// The active rules, in order.
    #[must_use]
    pub fn list(&self) -> Vec<FaultState> {
        self.0.rules.lock().list.clone()
    }

    /// Seeds the random numbers of [`Fault::probability`], so that a test can be repeated. The seed is 0 at the start.
    pub fn seed(&self, seed: u64) {
        self.0.rules.lock().random = fastrand::Rng::with_seed(seed);
    }

    pub(crate) fn effect_on(&self, call: &Call) -> Option<Then> {
        let mut rules = self.0.rules.lock();
        let Rules { list, random, .. } = &mut *rules;
        for rule in list {
            if !rule.fault.matches(call) {
                continue;
            }
            rule.matched += 1;
            let hit = rule.fault.nth.is_none_or(|nth| nth == rule.matched)
                && rule.fault.times.is_none_or(|times| rule.hits < times)
                && rule.fault.probability.is_none_or(|probability| random.f64() < probability);
            if hit {
                rule.hits += 1;
                return Some(rule.fault.then.clone());
            }
        }
        None
    }

    pub(crate) async fn wait_for_release(&self) {
        let mut released = self.0.released.subscribe();
        // An error means that the double was dropped, and the connection with it.
        let _ = released.changed().await;
    }
}
