//! What is known when the next step about a declared thing is decided, and nothing else: no client, no clock, no lock.

use std::time::Duration;

use jiff::Timestamp;

use crate::controllers::runtime::context::Name;
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::patch;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::poller::Observation;

/// Everything a decision rests on.
pub struct Facts<'a, K: Kind> {
    /// The controller's time.
    pub now: Timestamp,
    /// The object, as the cache or the last write showed it.
    pub object: &'a K,
    /// What it needs from elsewhere in the namespace, when that could be read.
    pub inputs: Option<&'a K::Inputs>,
    /// Whether this replica holds the lease at this moment.
    pub leading: bool,
    /// Why AWS cannot be asked at all: no credentials, say.
    pub blocked: Option<Problem>,
    /// Why the inputs could not be read.
    pub unprepared: Option<Problem>,
    /// Whether the thing is this object's; by namespace and name whose else.
    pub ownership: Ownership<Name>,
    /// The thing as Glue shows it, seen after whatever we did to it last; `None` before that.
    pub observation: Option<Observation<Item<K>>>,
    /// What else the object waits for as Glue shows it, by id; without what was not seen yet.
    pub related: Vec<(String, Observation<Item<K>>)>,
    /// Why the poller knows nothing newer.
    pub poll_problem: Option<Problem>,
    /// What the last step of this pass was refused for.
    pub problem: Option<Problem>,
    /// What this pass has state so far.
    pub state: &'a K::PassState,
    /// The intent that stands in the status was written by this pass, and nothing was sent since.
    pub fresh_intent: bool,
    /// Whether others have to go first.
    pub behind: bool,
    /// For how long a step that was refused should still rest.
    pub rest: Option<Duration>,
    /// How long a sent call can take to show its effect.
    pub settle: Duration,
    /// After this long a deletion that cannot reach AWS lets the object go.
    pub deletion_timeout: Duration,
}

impl<K: Kind> Facts<'_, K> {
    /// Whether the object is being deleted.
    #[must_use]
    pub fn deleting(&self) -> bool {
        self.object.meta().deletion_timestamp.is_some()
    }

    /// Whether our finalizer is on the object.
    #[must_use]
    pub fn has_finalizer(&self) -> bool {
        patch::has_finalizer(self.object.meta())
    }

    /// Why nothing can be decided about the thing. What passes by itself leaves what was seen before as good as it
    /// was, and is not worth a word.
    #[must_use]
    pub fn unseen(&self) -> Option<&Problem> {
        let passes = |kind| {
            matches!(
                kind,
                Some(ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Ambiguous | ErrorKind::Conflict)
            )
        };
        self.poll_problem.as_ref().filter(|problem| self.observation.is_none() || !passes(problem.kind))
    }

    /// For how long the object has been waiting to be deleted.
    #[must_use]
    pub fn deleted_for(&self) -> Duration {
        let deleted = self.object.meta().deletion_timestamp.as_ref();
        deleted.map_or(Duration::ZERO, |deleted| time::since(self.now, deleted.0))
    }
}
