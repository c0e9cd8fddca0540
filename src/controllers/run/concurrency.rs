//! The turn of an object at a crawler, which crawls once at a time and gives its starts no key.
//!
//! What tells a crawl is that it was not there before. So before the intent the plan asks what is there
//! ([`Call::ReadBaseline`]), and the intent carries the newest crawl that was seen: whatever is newer covers the
//! object, whoever started it. A crawl that was there before may have missed what the object is about: its end
//! is waited for, in a line, and `after` is recorded at once, so that the object need not start a crawl of its
//! own when another one begins meanwhile.

use std::time::Duration;

use super::attempts::with_attempt;
use super::facts::{BaselineRead, ConcurrencyPolicy, CrawlerActivity, Facts, ObservedRun};
use super::status::{blocked, end, rest, status};
use super::step::{Call, Plan, Step};
use crate::api::crawler_run::OnAlreadyRunning;
use crate::api::run::{Attempt, Phase};

/// The reason of those who wait for a crawler.
pub const CRAWLER_RUNNING: &str = "CrawlerRunning";
/// How often a crawl is looked for that is under way and not listed.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);

/// Whether `attempt` waits for its turn.
#[must_use]
pub fn is_waiting(attempt: &Attempt) -> bool {
    attempt.id.is_none() && attempt.ended_at.is_none() && attempt.rejected_reason.as_deref() == Some(CRAWLER_RUNNING)
}

/// The attempt that may be intended now, since it is the object's concurrency; else what happens in place of it.
/// `wait` is what is left until the start must have happened.
pub(super) fn take(
    facts: &Facts<'_>,
    concurrency: ConcurrencyPolicy,
    next: Attempt,
    wait: Option<Duration>,
) -> Result<Attempt, Box<Plan>> {
    let waiting = facts.status.attempt().filter(|attempt| is_waiting(attempt));
    // Who would not wait for a crawl that is under way need not wait to see it either.
    let waits = concurrency.on_already_running == OnAlreadyRunning::Wait;
    let rests = match facts.activity {
        CrawlerActivity::Unchanged => waits,
        CrawlerActivity::Idle => facts.behind,
        // It may serve all who wait, wherever they stand.
        CrawlerActivity::NewCrawl => facts.behind && waits && !concurrency.coalesce,
    };
    if let Some(waiting) = waiting.filter(|_| rests) {
        return Err(Box::new(match &facts.poll_problem {
            // The poller comes back by itself, and wakes the object when it gets through.
            Some(problem) => Plan { step: Step::requeue(wait), ..blocked(facts, Phase::Waiting, problem) },
            None => wait_in_line(facts, waiting.clone(), wait),
        }));
    }
    if facts.behind && waits && !concurrency.coalesce {
        return Err(Box::new(wait_in_line(facts, waiting.cloned().unwrap_or_else(|| record(next)), wait)));
    }
    let (busy, newest, live, following) = match &facts.state.read_baseline {
        None => {
            let step = Step::Call(Call::ReadBaseline { baseline: next.baseline });
            return Err(Box::new(Plan { status: facts.status.clone(), step }));
        }
        Some(BaselineRead::Failed(problem)) => {
            return Err(Box::new(blocked(facts, facts.status.phase.unwrap_or_default(), problem)));
        }
        Some(BaselineRead::Read { busy, newest, live, next }) => (*busy, newest, live.as_ref(), next.as_ref()),
    };
    // An open intent's own crawl may show late; that of another object serves only those who share.
    let open = facts.status.attempt().is_some_and(Attempt::is_open);
    if let Some(crawl) = following.filter(|_| concurrency.coalesce || open) {
        return Err(Box::new(covered(facts, Attempt { adopted: !open, ..next }, crawl)));
    }
    let after = if concurrency.coalesce { next.baseline.clone() } else { None }.unwrap_or_else(|| newest.clone());
    let next = Attempt { baseline: Some(after), ..next };
    if busy {
        match (concurrency.on_already_running, live) {
            (OnAlreadyRunning::Fail, _) => {
                let message = "the crawler was running already (onAlreadyRunning: Fail)";
                return Err(Box::new(end(facts, Phase::Failed, CRAWLER_RUNNING, message)));
            }
            (OnAlreadyRunning::Attach, Some(crawl)) => return Err(Box::new(attach(facts, next, crawl))),
            _ => {}
        }
    }
    if busy && live.is_none() {
        // When it began is not known: what is recorded now could make it pass for a newer one.
        let message = "the crawler is busy with a crawl that Glue does not list yet";
        let again = wait.map_or(LOOK_UP_AGAIN, |left| left.min(LOOK_UP_AGAIN));
        return Err(Box::new(rest(facts, Phase::Waiting, CRAWLER_RUNNING, message, Some(again))));
    }
    if busy || facts.behind {
        return Err(Box::new(wait_in_line(facts, record(next), wait)));
    }
    Ok(next)
}

/// The attempt as the record of a wait.
pub(super) fn record(attempt: Attempt) -> Attempt {
    Attempt { rejected_reason: Some(CRAWLER_RUNNING.to_owned()), ..attempt }
}

/// The record of the wait, and its words.
pub(super) fn wait_in_line(facts: &Facts<'_>, record: Attempt, wait: Option<Duration>) -> Plan {
    let known = facts.status.attempt().filter(|known| is_waiting(known) && known.baseline == record.baseline);
    let record = known.cloned().unwrap_or(record);
    let message = if facts.behind {
        "older objects wait for the crawler before this one"
    } else {
        "the crawler is busy; it is started when that crawl is over"
    };
    let attempts = with_attempt(facts.status, record);
    Plan { status: status(facts, Phase::Waiting, CRAWLER_RUNNING, message, attempts), step: Step::requeue(wait) }
}

/// The attempts without what the last one has on record of a wait. Who is held back waits for something to happen
/// first: what is crawled meanwhile does not cover it.
pub(super) fn forgotten(facts: &Facts<'_>) -> Vec<Attempt> {
    let mut attempts = facts.status.attempts.clone();
    if let Some(last) = attempts.last_mut().filter(|last| last.id.is_none() && last.baseline.is_some()) {
        last.baseline = None;
        last.rejected_reason = Some("Suspended".to_owned());
    }
    attempts
}

/// A crawl that began after the object began to wait, or was intended, is its own.
pub(super) fn covered(facts: &Facts<'_>, attempt: Attempt, crawl: &ObservedRun) -> Plan {
    let message = format!("crawl {} began after this object was there to be crawled for, and covers it", crawl.id);
    follow_on(facts, attempt, crawl, "Adopted", &message)
}

fn attach(facts: &Facts<'_>, attempt: Attempt, crawl: &ObservedRun) -> Plan {
    let message = format!("following crawl {}, which was there before (onAlreadyRunning: Attach)", crawl.id);
    follow_on(facts, Attempt { adopted: true, ..attempt }, crawl, "Following", &message)
}

fn follow_on(facts: &Facts<'_>, attempt: Attempt, crawl: &ObservedRun, reason: &str, message: &str) -> Plan {
    let attempt = Attempt { id: Some(crawl.id.clone()), rejected_reason: None, ..attempt };
    let phase = if crawl.phase.is_final() { Phase::Starting } else { crawl.phase };
    let attempts = with_attempt(facts.status, attempt);
    Plan { status: status(facts, phase, reason, message, attempts), step: Step::AwaitChange }
}

/// The crawler was started, and the crawl is not known yet: it is looked for until it shows, and nothing is
/// started meanwhile.
pub(super) fn accepted(facts: &Facts<'_>, attempt: &Attempt) -> Plan {
    let attempts = with_attempt(facts.status, Attempt { accepted: true, ..attempt.clone() });
    let message = "the crawler was started; looking for its crawl";
    Plan { status: status(facts, Phase::Starting, "Starting", message, attempts), step: Step::Backoff }
}
