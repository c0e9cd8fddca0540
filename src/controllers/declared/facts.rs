//! What the plan of a declared resource rests on, and nothing else: no client, no clock, no lock.

use std::time::Duration;

use crate::controllers::runtime::context::Name;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::problem::Problem;
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;

/// Everything that the plan rests on.
pub struct Facts<'a, K: Kind> {
    /// What every plan needs.
    pub common: CommonFacts<'a>,
    /// The object, from the cache or from the last write.
    pub object: &'a K,
    /// What the spec takes from Secrets, when that could be read.
    pub inputs: Option<&'a K::Inputs>,
    /// Whether the object manages its resource.
    pub ownership: Ownership<Name>,
    /// The poller's last observation of the resource, made after the controller's last change; `None` before that.
    pub observation: Option<Observation<Item<K>>>,
    /// The observed items of [`DeclaredKind::related`](super::DeclaredKind::related), by id.
    pub related: Vec<(String, Observation<Item<K>>)>,
    /// Why polls of a related item fail, once that has lasted.
    pub related_problem: Option<Problem>,
    /// For how long this process has known that the object is being deleted; zero when it is not.
    pub deleting_for: Duration,
    /// Whether another object changes a trigger of the same workflow now, and this one waits until it has finished.
    pub behind: bool,
    /// Why AWS refused the last call of this pass.
    pub problem: Option<Problem>,
    /// What this pass has observed so far.
    pub state: &'a K::PassState,
}

impl<K: Kind> Facts<'_, K> {
    /// Why nothing can be decided about the resource. Polls that fail for a passing reason leave the last observation
    /// valid: the object goes on with it, and says so when there is nothing to do.
    #[must_use]
    pub fn unobservable(&self) -> Option<&Problem> {
        let passes = |kind| {
            use ErrorKind::{Ambiguous, Conflict, Throttled, Transient};
            matches!(kind, Some(Throttled | Transient | Ambiguous | Conflict))
        };
        let problem = self.common.poll_problem.as_ref();
        problem.filter(|problem| self.observation.is_none() || !passes(problem.kind))
    }
}
