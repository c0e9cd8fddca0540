//! The polls, as the source of job runs makes them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Name;
use super::calls::{Answer, CallTo, GlueCall, Reader};
use super::glue::ClientId;
use super::mutations::Mutation;
use super::time::millis;
use super::world::{Event, World};
use crate::glue::job_runs::JobRun;
use crate::glue::job_runs::source::JobRunItem;
use crate::glue::poller::{self, Observation, PollRequest, PollResult, Report};
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind, poll_plan};

/// `--poll-interval`.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The runs of one job, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    pub client: ClientId,
    pub job: String,
}

impl poller::Source for Source {
    type Item = JobRunItem;
    type Client = ClientId;

    fn client(&self) -> &ClientId {
        &self.client
    }

    /// The world polls.
    async fn poll(&self, _: Vec<PollRequest<JobRunItem>>) -> Result<Vec<PollResult<JobRunItem>>, Error> {
        Ok(Vec::new())
    }

    fn is_finished(item: &JobRunItem) -> bool {
        item.run.state.is_final() && !item.retry_expected
    }
}

/// A poll under way.
pub struct Group {
    polled_at: Instant,
    requests: Vec<PollRequest<JobRunItem>>,
    pages: usize,
    listed: BTreeMap<String, (JobRun, usize)>,
    by_id: VecDeque<String>,
    results: Vec<PollResult<JobRunItem>>,
    /// How many calls it has made.
    calls: usize,
}

impl World {
    /// Subscribes an object to a run.
    pub fn watch(&mut self, source: &Source, id: &str, name: &Name) -> Report<JobRunItem> {
        let mut is_new = false;
        let poller = &mut self.process.poller;
        poller.replace_subscriptions(&[(source.clone(), id.to_owned())], name);
        let report = poller.subscribe(source, id, name, |_, _| is_new = true);
        if is_new {
            self.poll_later(source);
        }
        report
    }

    fn poll_later(&mut self, source: &Source) {
        let (groups, youngest) = self.process.poller.load(source);
        let jitter = 0.9 + f64::from(u32::try_from(self.network.between(0, 200)).unwrap_or_default()) / 1000.0;
        let pause = poll_plan::interval(POLL_INTERVAL, groups, youngest).mul_f64(jitter);
        self.at(self.now + millis(pause), Event::Poll(self.process.number, source.clone()));
    }

    /// A poll is due.
    pub fn poll(&mut self, source: &Source) {
        let Some(mut requests) = self.process.poller.poll_requests(source) else { return };
        requests.sort_by(|one, other| one.id.cmp(&other.id));
        let runs: Vec<_> = requests.iter().map(|request| (request.id.clone(), request.page)).collect();
        let plan = poll_plan::cheapest_calls(&runs);
        let group = Group {
            polled_at: Instant::now(),
            requests,
            pages: plan.pages,
            listed: BTreeMap::new(),
            by_id: VecDeque::new(),
            results: Vec::new(),
            calls: 0,
        };
        self.process.groups.insert(source.clone(), group);
        if plan.pages > 0 {
            self.poll_call(source, CallTo::List { page: 0 });
        } else {
            self.listed(source);
        }
    }

    fn poll_call(&mut self, source: &Source, call: CallTo) {
        if let Some(group) = self.process.groups.get_mut(source) {
            group.calls += 1;
        }
        let call = GlueCall { client: source.client, plan: None, target: source.job.clone(), call };
        let at = self.reserve(source.client, Priority::Poll);
        self.at(at, Event::PollCall(self.process.number, source.clone(), call));
    }

    pub fn send_poll(&mut self, source: &Source, call: &GlueCall) {
        self.send(call, Reader::Poll(source.clone()));
    }

    /// All pages are read: what they do not show is asked for by id.
    fn listed(&mut self, source: &Source) {
        let Some(group) = self.process.groups.get_mut(source) else { return };
        let shown = |request: &&PollRequest<JobRunItem>| !group.listed.contains_key(&request.id);
        group.by_id = group.requests.iter().filter(shown).map(|request| request.id.clone()).collect();
        group.results = group.listed.iter().map(|(id, (run, page))| present(id, run.clone(), Some(*page))).collect();
        self.next_by_id(source);
    }

    fn next_by_id(&mut self, source: &Source) {
        let next = self.process.groups.get(source).and_then(|group| group.by_id.front().cloned());
        match next {
            Some(id) => self.poll_call(source, CallTo::Get { id }),
            None => self.polled(source, None),
        }
    }

    pub fn poll_answered(&mut self, source: &Source, call: &GlueCall, result: Result<Answer, Error>) {
        let Some(group) = self.process.groups.get_mut(source) else { return };
        match (&call.call, result) {
            (CallTo::List { page }, Ok(Answer::Page(runs, more))) => {
                let requested: Vec<_> = group.requests.iter().map(|request| request.id.clone()).collect();
                let runs = runs.into_iter().map(|(run, _)| run).filter(|run| requested.contains(&run.id));
                group.listed.extend(runs.map(|run| (run.id.clone(), (run, *page))));
                let next = page + 1;
                if more && next < group.pages {
                    self.poll_call(source, CallTo::List { page: next });
                } else {
                    self.listed(source);
                }
            }
            (CallTo::Get { id }, Ok(Answer::Run(run))) => {
                group.results.push(present(id, *run, None));
                group.by_id.pop_front();
                self.next_by_id(source);
            }
            (CallTo::Get { id }, Err(error)) if error.kind == ErrorKind::NotFound => {
                let observation = Observation::NotFound;
                group.results.push(PollResult { id: id.clone(), observation, page: None });
                group.by_id.pop_front();
                self.next_by_id(source);
            }
            (_, Err(error)) => self.polled(source, Some(error)),
            _ => self.polled(source, None),
        }
    }

    /// The poll is over.
    fn polled(&mut self, source: &Source, error: Option<Error>) {
        let Some(group) = self.process.groups.remove(source) else { return };
        let job = self.glue.jobs.get(&source.job);
        self.checks.polled(self.now, source, group.calls, &group.requests, job, &self.glue);
        let is_error = error.is_some();
        let results = error.map_or(Ok(group.results), Err);
        let mut changed: Vec<_> = self.process.poller.apply(source, group.polled_at, results).into_iter().collect();
        if is_error && self.is(Mutation::FailedPollsWakeTheGroup) {
            changed.extend(
                self.process
                    .cache
                    .values()
                    .filter(|object| object.target == source.job)
                    .map(|object| object.name.clone()),
            );
        }
        changed.sort();
        for name in changed {
            self.requeue(&name);
        }
        self.poll_later(source);
    }
}

fn present(id: &str, run: JobRun, page: Option<usize>) -> PollResult<JobRunItem> {
    PollResult { id: id.to_owned(), observation: Observation::Present(JobRunItem { run, retry_expected: false }), page }
}
