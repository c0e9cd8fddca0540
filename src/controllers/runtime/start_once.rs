//! The start protocol: how a run, a crawl, a firing or a connection is started at most once.
//!
//! StartJobRun, StartCrawler and StartTrigger take no client token, so the answer to a start that is lost must not lead
//! to a second start. The order is:
//!
//! 1. **Record the intent.** The status gets an intent before anything is sent. The patch carries the resource version
//!    that it was decided on: of two controllers, or of a controller and its own stale cache, one patch fails, and that
//!    one sends nothing.
//! 2. **Send once.** Only the pass that wrote the intent sends the call, once, while it holds the lease and within
//!    [`Settings::send_within`](super::Settings::send_within). The SDK retries nothing.
//! 3. **Record the outcome** in the status at once, a definite failure included.
//! 4. **Look up.** An intent that another pass wrote, or whose outcome is not known, leads to a lookup: by the key that
//!    the run carries, or, where Glue takes no key, for what is newer than the *baseline* that the intent recorded. What
//!    is found is adopted. When the lookup fails, nothing is started.
//! 5. **Settle.** When nothing is found, a *new* intent is recorded, but only once this process has known of the old one
//!    for longer than a sent call can take effect. No decision compares the clocks of two machines.
//!
//! [`decide`] is that order as a pure function. A kind supplies [`Intent`], its lookup, and what it records for each
//! [`Decision`]; the [`reconciler`](super::reconciler) keeps rules 1 and 2 for all kinds. The model in
//! `tests/start_once` explores every interleaving of crashes, lost answers, stale caches, failed lookups and a second
//! controller over the plans of all kinds.

#[cfg(test)]
mod tests;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use tokio::time::Instant;

use super::problem::Problem;
use crate::failpoints::without;
use crate::glue::{Error, ErrorKind};

/// The intent that a status records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its identity.
    pub id: IntentId,
    /// Whether its outcome is not recorded yet.
    pub open: bool,
}

/// What tells one intent of an object from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IntentId {
    /// The number of the attempt or firing.
    pub number: u32,
    /// The key that names the attempt to Glue, or what is to be created; empty where there is none.
    pub key: String,
    /// When it was recorded, in seconds since 1970 by the controller's clock. It is compared for equality only.
    pub intended_at: i64,
}

impl IntentId {
    /// An id from the fields of a status.
    #[must_use]
    pub fn new(number: u32, key: &str, intended_at: &Time) -> Self {
        Self { number, key: key.to_owned(), intended_at: intended_at.0.as_second() }
    }
}

/// Whether a status with `after` over one with `before` records a new intent to start.
#[must_use]
pub fn records_intent(before: Option<&Intent>, after: Option<&Intent>) -> bool {
    let open = |intent: Option<&Intent>| intent.filter(|intent| intent.open).map(|intent| intent.id.clone());
    open(after).is_some_and(|id| open(before) != Some(id))
}

/// What AWS answered to a start.
#[derive(Clone, Debug, PartialEq)]
pub enum StartOutcome {
    /// It started a run with this id.
    Started(String),
    /// It accepted the start, without an id.
    Accepted,
    /// It definitely started nothing.
    Rejected(Problem),
    /// There was no answer, or one that does not say.
    Unconfirmed(Problem),
}

impl StartOutcome {
    /// The outcome of a call that answers with an id, or with none.
    #[must_use]
    pub fn of(answer: Result<Option<String>, Error>, explain: impl FnOnce(&Error) -> Problem) -> Self {
        match answer {
            Ok(Some(id)) => Self::Started(id),
            Ok(None) => Self::Accepted,
            Err(error) if error.kind.is_definite_failure() || without("unclear-answers") => {
                Self::Rejected(explain(&error))
            }
            Err(error) => Self::Unconfirmed(explain(&error)),
        }
    }
}

/// What came of looking for what an intent started.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup<T> {
    /// It was found.
    Found(T),
    /// AWS answered, back to before the intent, and has nothing of it.
    NotFound {
        /// For how long this process had known of the intent when AWS was asked. A lookup from before the settle time
        /// says nothing about a start that was still on its way.
        intent_age: Duration,
    },
    /// AWS could not be asked.
    Failed(Problem),
}

/// The state of the protocol in one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct StartState<T> {
    /// What AWS answered to the intent; from an earlier pass, when that could not write it.
    pub outcome: Option<StartOutcome>,
    /// What the last lookup found.
    pub lookup: Option<Lookup<T>>,
}

impl<T> Default for StartState<T> {
    fn default() -> Self {
        Self { outcome: None, lookup: None }
    }
}

impl<T> StartState<T> {
    /// A state that begins with the outcome that an earlier pass could not write.
    #[must_use]
    pub fn resume(outcome: Option<&StartOutcome>) -> Self {
        Self { outcome: outcome.cloned(), lookup: None }
    }

    /// The start was sent with this outcome. An earlier lookup says nothing about it.
    pub fn on_sent(&mut self, outcome: StartOutcome) {
        self.lookup = None;
        self.outcome = Some(outcome);
    }
}

/// What Glue's answers to a start mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerRules {
    /// An accepted start is complete only when what it started was found: the answer has no id.
    pub accepted_needs_lookup: bool,
    /// The run that makes Glue answer "busy" may be the one that this intent started.
    pub busy_needs_lookup: bool,
}

/// Everything that [`decide`] needs about an open intent.
#[derive(Clone, Debug)]
pub struct OpenIntent<'a, T> {
    /// Whether this pass wrote the intent and has sent nothing since.
    pub fresh: bool,
    /// What AWS answered.
    pub outcome: Option<&'a StartOutcome>,
    /// What was found.
    pub lookup: Option<&'a Lookup<T>>,
    /// Whether the status records that AWS accepted the start.
    pub accepted: bool,
    /// What Glue's answers mean for this kind.
    pub answers: AnswerRules,
    /// For how long this process has known of the intent.
    pub age: Duration,
    /// How long a sent call can take to show its effect.
    pub settle: Duration,
}

/// What follows from an open intent.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision<'a, T> {
    /// Send the start.
    Send,
    /// Look for what it started.
    LookUp,
    /// Record the id that AWS answered with.
    Started(&'a str),
    /// Record that AWS accepted the start.
    Accepted,
    /// Record what was found.
    Found(&'a T),
    /// Record the definite failure.
    Rejected(&'a Problem),
    /// Report that AWS could not be asked, and look again later.
    LookupFailed(&'a Problem),
    /// Nothing was found yet. Look again; the intent settles after this time.
    Settling(Duration),
    /// The start had no effect and can have none any more: record a new intent.
    StartAgain,
}

/// Decides what follows from an open intent.
#[must_use]
pub fn decide<'a, T>(intent: &OpenIntent<'a, T>) -> Decision<'a, T> {
    let accepted = match intent.outcome {
        Some(StartOutcome::Started(id)) => return Decision::Started(id),
        Some(StartOutcome::Accepted) if !intent.answers.accepted_needs_lookup => return Decision::Accepted,
        Some(StartOutcome::Rejected(problem)) => {
            let may_be_ours = problem.kind == Some(ErrorKind::Busy) && intent.answers.busy_needs_lookup;
            return match intent.lookup {
                None if may_be_ours => Decision::LookUp,
                Some(Lookup::Found(found)) if may_be_ours => Decision::Found(found),
                _ => Decision::Rejected(problem),
            };
        }
        None if intent.fresh => return Decision::Send,
        Some(StartOutcome::Accepted) => true,
        Some(StartOutcome::Unconfirmed(_)) | None => intent.accepted,
    };
    match intent.lookup {
        None if is_lookup_left_out(accepted) => Decision::StartAgain,
        None => Decision::LookUp,
        Some(Lookup::Found(found)) => Decision::Found(found),
        // The acceptance must not be lost, whatever the lookup says.
        Some(_) if accepted && !intent.accepted => Decision::Accepted,
        Some(Lookup::Failed(problem)) => Decision::LookupFailed(problem),
        Some(Lookup::NotFound { .. }) if accepted => Decision::Accepted,
        Some(Lookup::NotFound { intent_age }) if *intent_age >= intent.settle || without("settle-time") => {
            Decision::StartAgain
        }
        Some(Lookup::NotFound { .. }) => Decision::Settling(intent.settle.saturating_sub(intent.age)),
    }
}

/// Never, but where a proof takes this guard away.
fn is_lookup_left_out(accepted: bool) -> bool {
    !accepted && without("lookup")
}

/// What this process knows of an object's intent beyond the status. A restart loses it, and waits for the settle time
/// again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntentTracker {
    known: Option<(IntentId, Instant)>,
    outcome: Option<StartOutcome>,
}

impl IntentTracker {
    /// Notes the intent of the status as the object has it. Returns for how long this process has known of it. The
    /// outcome of another intent is forgotten.
    pub fn observe(&mut self, intent: Option<&Intent>, now: Instant) -> Duration {
        match (intent, &self.known) {
            (Some(intent), Some((known, since))) if intent.id == *known => now.saturating_duration_since(*since),
            (intent, _) => {
                self.known = intent.map(|intent| (intent.id.clone(), now));
                self.outcome = None;
                Duration::ZERO
            }
        }
    }

    /// Keeps the outcome of the intent until the status records it. One that is unconfirmed is no outcome.
    pub fn record(&mut self, outcome: &StartOutcome) {
        self.outcome = (!matches!(outcome, StartOutcome::Unconfirmed(_))).then(|| outcome.clone());
    }

    /// The outcome that no status records yet.
    #[must_use]
    pub fn outcome(&self) -> Option<&StartOutcome> {
        self.outcome.as_ref()
    }
}
