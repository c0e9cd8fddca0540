//! Whether an object may start a crawl now. A crawler runs one crawl at a time, and its starts carry no key.
//!
//! A crawl is identified by what existed before it. So the plan reads the crawler first ([`Call::ReadBaseline`]), and the
//! intent records the newest crawl as its *baseline*: a newer crawl covers the object, whatever started it. A crawl that
//! was running before may have missed the object's data: the object waits for its end in a queue, and records its
//! baseline at once, so that it needs no crawl of its own when another one begins meanwhile.

use std::time::Duration;

use super::attempts::with_attempt;
use super::calls::{Call, Plan, Step};
use super::facts::{ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, Facts, ObservedRun};
use super::status::{blocked, end, follow_run, status, unchanged, wait};
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Phase};
use crate::controllers::runtime::reason::Reason;

/// How often a running crawl is looked up that the history does not list.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);

/// Whether `attempt` waits for the crawler.
#[must_use]
pub fn is_waiting(attempt: &Attempt) -> bool {
    let rejected = attempt.rejected_reason.as_deref();
    attempt.id.is_none() && attempt.ended_at.is_none() && rejected == Some(Reason::CrawlerRunning.as_str())
}

/// The attempt as the record of a wait.
pub(super) fn waiting(attempt: Attempt) -> Attempt {
    Attempt { rejected_reason: Some(Reason::CrawlerRunning.as_str().to_owned()), ..attempt }
}

/// The attempt to intend now, with its baseline; else what happens instead. `deadline` is what is left of
/// `startDeadlineSeconds`.
pub(super) fn admit(
    facts: &Facts<'_>,
    policy: ConcurrencyPolicy,
    next: Attempt,
    deadline: Option<Duration>,
) -> Result<Attempt, Box<Plan>> {
    let behind = facts.is_behind();
    let recorded = facts.status.attempt().filter(|attempt| is_waiting(attempt));
    // An object that does not wait for a running crawl need not wait to see it either.
    let waits = policy.on_already_running == OnAlreadyRunning::Wait;
    let waits_on = match facts.activity {
        CrawlerActivity::Unchanged => waits,
        CrawlerActivity::Idle => behind,
        // It may cover every waiting object, wherever it is in the queue.
        CrawlerActivity::NewCrawl => behind && waits && !policy.coalesce,
    };
    if let Some(recorded) = recorded.filter(|_| waits_on) {
        return Err(Box::new(match &facts.common.poll_problem {
            // The poller tries again by itself, and requeues the object when it succeeds.
            Some(problem) => Plan { step: Step::requeue(deadline), ..blocked(facts, Phase::Waiting, problem) },
            None => wait_in_queue(facts, recorded.clone(), deadline),
        }));
    }
    if behind && waits && !policy.coalesce {
        let record = recorded.cloned().unwrap_or_else(|| waiting(next));
        return Err(Box::new(wait_in_queue(facts, record, deadline)));
    }
    let snapshot = match &facts.state.snapshot {
        None => {
            let call = Call::ReadBaseline { recorded: next.baseline };
            return Err(Box::new(unchanged(facts, Step::Call(call))));
        }
        Some(Err(problem)) => {
            return Err(Box::new(blocked(facts, facts.status.phase.unwrap_or_default(), problem)));
        }
        Some(Ok(snapshot)) => snapshot,
    };
    // The crawl of an open intent may show late; that of another object serves only those that share.
    let open = facts.status.attempt().is_some_and(Attempt::is_open);
    if let Some(crawl) = snapshot.next.as_ref().filter(|_| policy.coalesce || open) {
        return Err(Box::new(covered(facts, Attempt { adopted: !open, ..next }, crawl)));
    }
    let earlier = if policy.coalesce { next.baseline.clone() } else { None };
    let next = Attempt { baseline: Some(earlier.unwrap_or_else(|| snapshot.newest.clone())), ..next };
    match busy_plan(facts, policy, snapshot, &next, deadline) {
        Some(plan) => Err(Box::new(plan)),
        None if behind => Err(Box::new(wait_in_queue(facts, waiting(next), deadline))),
        None => Ok(next),
    }
}

/// What happens while the crawler runs a crawl that does not cover the object; `None` when it runs none.
fn busy_plan(
    facts: &Facts<'_>,
    policy: ConcurrencyPolicy,
    snapshot: &CrawlerSnapshot<ObservedRun>,
    next: &Attempt,
    deadline: Option<Duration>,
) -> Option<Plan> {
    if !snapshot.busy {
        return None;
    }
    Some(match (policy.on_already_running, &snapshot.live) {
        (OnAlreadyRunning::Fail, _) => {
            let message = "the crawler was running already (onAlreadyRunning: Fail)";
            end(facts, Phase::Failed, Reason::CrawlerRunning, message)
        }
        (OnAlreadyRunning::Attach, Some(crawl)) => attach(facts, next.clone(), crawl),
        (_, None) => {
            // It is not known when it began: with the baseline of now, it could pass for a newer one.
            let message = "the crawler runs a crawl that Glue does not list yet";
            let again = deadline.map_or(LOOK_UP_AGAIN, |left| left.min(LOOK_UP_AGAIN));
            wait(facts, Phase::Waiting, Reason::CrawlerRunning, message, Some(again))
        }
        (OnAlreadyRunning::Wait, Some(_)) => wait_in_queue(facts, waiting(next.clone()), deadline),
    })
}

/// Records the wait, and reports it.
pub(super) fn wait_in_queue(facts: &Facts<'_>, record: Attempt, deadline: Option<Duration>) -> Plan {
    let known = facts.status.attempt().filter(|known| is_waiting(known) && known.baseline == record.baseline);
    let record = known.cloned().unwrap_or(record);
    let message = if facts.is_behind() {
        "older objects wait for the crawler before this one"
    } else {
        "the crawler is busy; it is started when its crawl has ended"
    };
    let attempts = with_attempt(facts.status, record);
    Plan {
        status: status(facts, Phase::Waiting, Reason::CrawlerRunning, message, attempts),
        step: Step::requeue(deadline),
    }
}

/// The attempts, the last one without the baseline of a wait. A suspended object waits for something to happen first:
/// a crawl that runs meanwhile does not cover it.
pub(super) fn without_baseline(facts: &Facts<'_>) -> Vec<Attempt> {
    let mut attempts = facts.status.attempts.clone();
    if let Some(last) = attempts.last_mut().filter(|last| last.id.is_none() && last.baseline.is_some()) {
        last.baseline = None;
        last.rejected_reason = Some(Reason::Suspended.as_str().to_owned());
    }
    attempts
}

/// Takes a crawl that began after the object asked for one.
pub(super) fn covered(facts: &Facts<'_>, attempt: Attempt, crawl: &ObservedRun) -> Plan {
    let message = format!("crawl {} began after this object asked for one, and covers it", crawl.id);
    follow_run(facts, attempt, crawl, Reason::Adopted, &message)
}

fn attach(facts: &Facts<'_>, attempt: Attempt, crawl: &ObservedRun) -> Plan {
    let message = format!("following crawl {}, which was running before (onAlreadyRunning: Attach)", crawl.id);
    follow_run(facts, Attempt { adopted: true, ..attempt }, crawl, Reason::Following, &message)
}

/// Records that Glue accepted the start. The crawl is looked up until Glue lists it, and nothing is started meanwhile.
pub(super) fn accepted(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    let attempts = with_attempt(facts.status, Attempt { accepted: true, ..attempt.clone() });
    let is_late = attempt.accepted && facts.common.intent_age >= facts.common.settle;
    let (reason, message) = if is_late {
        (Reason::AnswerUnclear, "Glue accepted the start of the crawler, but does not list its crawl; looking on")
    } else {
        (Reason::Starting, "the crawler was started; looking for its crawl")
    };
    Plan { status: status(facts, Phase::Starting, reason, message, attempts), step: Step::Backoff }
}
