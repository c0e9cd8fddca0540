//! Writes and calls.

use super::bounds::{self, DEAR_POLLS};
use super::{Checks, Property};
use crate::api::run::RunStatus;
use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;
use crate::glue::poller::{PollRequest, PollResult};
use crate::simulation::calls::{Answer, CallTo, GlueCall};
use crate::simulation::cluster::Object;
use crate::simulation::glue::Caller;
use crate::simulation::glue::Glue;
use crate::simulation::glue::episode::{Operation, Refusal};
use crate::simulation::glue::job::{Job, PAGE};
use crate::simulation::polls::Source;
use crate::simulation::time::Ms;

/// What is counted for one object.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub writes: u64,
    /// Intents that it has recorded, which start a run.
    pub runs: u64,
    /// Its own calls and writes that were lost.
    pub losses: u64,
    /// When the last of them was.
    pub lost_at: Option<Ms>,
    /// Starts that it has sent. Each takes an intent before and an outcome after it.
    pub tries: u64,
    lookups: Lookups,
}

/// The tries of one client for one target during an episode.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tries {
    /// Those that the episode refused.
    refused: u64,
    throttled: u64,
}

/// The lookups of one object.
#[derive(Clone, Debug, Default)]
struct Lookups {
    /// Why the last one failed; `None` when it did not.
    problem: Option<Reason>,
    /// How often that changed. The status says it.
    changes: u64,
    /// How many in a row failed, when the last but one of them ended, and when the last.
    failed: Option<(u32, Ms, Ms)>,
}

impl Checks {
    /// The controller wrote an object.
    pub fn written(&mut self, now: Ms, object: &Object) {
        self.now = now;
        let account = self.accounts.entry(object.uid().to_owned()).or_default();
        account.writes += 1;
        self.worst_writes = self.worst_writes.max(account.writes);
        if self.settled.is_some() {
            self.flag(
                Property::Quiet,
                std::slice::from_ref(&object.name),
                "everybody had settled, and the object is written",
            );
        }
    }

    /// Something that the object sent or wrote was lost: it may cost a write or two.
    pub fn lost(&mut self, now: Ms, uid: &str) {
        let account = self.accounts.entry(uid.to_owned()).or_default();
        account.losses += 1;
        account.lost_at = Some(now);
    }

    /// The object sends a start.
    pub fn tried(&mut self, uid: &str) {
        self.accounts.entry(uid.to_owned()).or_default().tries += 1;
    }

    /// The object begins to look for its run: not before the pause after a lookup that failed is over.
    pub fn looks_up(&mut self, now: Ms, object: &Object) {
        self.now = now;
        let Some(account) = self.accounts.get(object.uid()) else { return };
        let Some((failures, before, last)) = account.lookups.failed else { return };
        let pause = bounds::looks_again_after(failures);
        // A write that took longer than the pause has begun the next one, and a lost write one of its own. When the lookup
        // fails then, that pause goes on; so it may have begun any time after the lookup before.
        let just_lost = account.lost_at.is_some_and(|lost| lost + bounds::OBSTACLE_LINGERS > last);
        if failures > 1
            && now < before + pause
            && !self.pauses_end(before, object)
            && !just_lost
            && !object.is_deleting()
        {
            let what = format!(
                "it looks again {} ms after {failures} lookups in a row failed; {pause} ms are due",
                now - before
            );
            self.flag(Property::FewTries, std::slice::from_ref(&object.name), what);
        }
    }

    /// A lookup of the object has ended, with this problem where it failed.
    pub fn looked_up(&mut self, now: Ms, object: &Object, problem: Option<Reason>) {
        let lookups = self.accounts.get(object.uid()).map(|account| account.lookups.clone()).unwrap_or_default();
        let (in_a_row, before) = match lookups.failed {
            Some((failures, _, last)) if !self.pauses_end(last, object) => (failures, last),
            _ => (0, now),
        };
        let changes = lookups.changes + u64::from(lookups.problem != problem);
        let failed = problem.filter(|problem| *problem != Reason::KeyInUse).map(|_| (in_a_row + 1, before, now));
        self.accounts.entry(object.uid().to_owned()).or_default().lookups = Lookups { problem, changes, failed };
    }

    /// Whether something has ended the pauses of the object since then: a restart, or a change of a Secret.
    fn pauses_end(&self, since: Ms, object: &Object) -> bool {
        self.downs.iter().any(|(_, until)| *until > since)
            || self
                .secrets
                .iter()
                .any(|(at, (namespace, _))| *namespace == object.name.0 && *at + bounds::NOTICED_AFTER > since)
    }

    /// The status was written.
    pub fn status_written(&mut self, now: Ms, object: &Object, before: &RunStatus, after: &RunStatus, obstacles: u64) {
        self.status_is_right(now, object, before, after);
        let acts = self.acts.get(&object.plan).copied().unwrap_or_default();
        let secrets = self.secrets.iter().filter(|(_, (namespace, _))| *namespace == object.name.0).count() as u64;
        let restarts = self.downs.len() as u64;
        let attempts = after.attempts.last().map_or(0, |last| u64::from(last.number) + 1);
        let account = self.accounts.entry(object.uid().to_owned()).or_default();
        account.runs = account.runs.max(attempts);
        // The finalizer comes and goes. Each attempt may wait for a place, run, and end as a retry; each try takes an
        // intent and an outcome. An obstacle is reported, and its end.
        // What comes of its lookups is reported when it changes: an account may throttle some calls and not others.
        let own = 2 + 5 * account.runs + 2 * account.tries + account.lookups.changes;
        let bound = own + 3 * obstacles + 3 * acts + 2 * secrets + restarts + 3 * account.losses;
        if account.writes > bound {
            let what = format!(
                "{} writes; {bound} would do for {} attempts, {} tries, {} answers to lookups, {obstacles} obstacles, {acts} \
                 changes by users, {secrets} changes of Secrets, {restarts} restarts and {} losses",
                account.writes, account.runs, account.tries, account.lookups.changes, account.losses
            );
            self.flag(Property::FewWrites, std::slice::from_ref(&object.name), what);
        }
    }

    /// A call reached Glue, which answers this.
    pub fn called(&mut self, now: Ms, call: &GlueCall, answer: &Result<Answer, ErrorKind>, glue: &Glue) {
        self.now = now;
        if self.settled.is_some() {
            self.flag(Property::Quiet, &[], format!("everybody had settled, and {call:?} is sent"));
        }
        let CallTo::Start { .. } = call.call else { return };
        let who = Caller { client: call.client, plan: call.plan };
        let account = glue.clients[call.client];
        for (number, episode) in glue.episodes.iter().enumerate() {
            if episode.plan.is_some() || !episode.refuses(now, account, &who, Operation::Start, &call.target) {
                continue;
            }
            let Tries { refused, throttled } =
                self.tries.entry((number, call.client, call.target.clone())).or_default();
            if matches!(answer, Err(ErrorKind::Throttled)) {
                *throttled += 1;
                continue;
            }
            *refused += 1;
            let restarts = self.downs.iter().filter(|(_, until)| (episode.from..now).contains(until)).count() as u64;
            let bound = bounds::tries(episode.until - episode.from, restarts + *throttled);
            if *refused > bound {
                let what = format!(
                    "try {refused} of client {} for {} during {episode}, beside {throttled} that were throttled and \
                     {restarts} restarts; {bound} would do",
                    call.client, call.target
                );
                let about = call.plan.map(|plan| self.names[plan].clone());
                return self.flag(Property::FewTries, about.as_slice(), what);
            }
        }
    }

    /// A call of a poll was lost.
    pub fn poll_lost(&mut self, source: &Source) {
        self.losing_polls.insert(source.clone());
    }

    /// A poll is over.
    pub fn poll_ended<T>(&mut self, now: Ms, source: &Source, results: &[PollResult<T>]) {
        let has_lost = self.losing_polls.remove(source);
        for result in results {
            let run = (source.clone(), result.id.clone());
            if result.answer.is_ok() {
                self.lost_polls.remove(&run);
            } else if has_lost {
                self.lost_polls.insert(run, now);
            }
        }
    }

    /// A poll has made this many calls, beside those for runs that have changed.
    pub fn polled<T>(&mut self, now: Ms, source: &Source, calls: usize, requests: &[PollRequest<T>], glue: &Glue) {
        self.now = now;
        let account = glue.clients[source.client];
        let is_refused = glue.episodes.iter().any(|episode| {
            let is_of_reads = !matches!(episode.refusal, Refusal::Quota | Refusal::Invalid);
            is_of_reads && episode.is_on(now) && episode.account == account
        });
        // Where a list is refused, its runs are read one by one.
        // Known: a run that the list shows late is remembered as deeper than it is.
        let is_exact = |job: &&Job| !is_refused && job.course.shown_late == 0;
        let Some(job) = glue.jobs.get(&source.target).filter(is_exact) else { return };
        let depth = |id: &str| job.runs.iter().rev().position(|run| glue.runs[*run].id == id);
        let (shown, hidden): (Vec<_>, Vec<_>) =
            requests.iter().map(|request| depth(&request.id)).partition(Option::is_some);
        let pages = shown.into_iter().flatten().max().map_or(0, |depth| depth / PAGE + 1);
        let needed = pages.min(requests.len()) + hidden.len();
        let dear = self.dear_polls.entry(source.clone()).or_default();
        *dear = if calls > 2 * needed + 3 { *dear + 1 } else { 0 };
        if *dear > DEAR_POLLS {
            let what = format!(
                "{dear} polls in a row of {} for client {} cost too much: {calls} calls for {} runs, which {needed} calls show",
                source.target,
                source.client,
                requests.len()
            );
            self.flag(Property::FewPolls, &[], what);
        }
    }
}
