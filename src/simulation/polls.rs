//! The polls: those of the product, with a reader whose calls go to the model.

use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use super::Name;
use super::calls::{Answer, GlueCall};
use super::cluster::Object;
use super::glue::ClientId;
use super::kind::Simulated;
use super::mailbox::Mailbox;
use super::mutations::Mutation;
use super::time::{millis, timestamp};
use super::tokens::{Tokens, Waiter};
use super::world::{Event, World};
use crate::glue::Error;
use crate::glue::poller::client::PollClient;
use crate::glue::poller::{PollRequest, PollResult, Polled, Report, Source as _};
use crate::glue::rate_limiter::poll_schedule::{GroupId, NextPoll};
use crate::glue::rate_limiter::{Priority, RateLimiter, budget};

/// `--poll-interval`.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The runs of one job or workflow, for one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    pub client: ClientId,
    pub target: String,
}

/// What a poll reads the runs with.
#[derive(Clone, Debug)]
pub struct Reads {
    client: ClientId,
    account: usize,
    pub mailbox: Mailbox,
}

impl PartialEq for Reads {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client
    }
}

impl Eq for Reads {}

impl Hash for Reads {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.client.hash(state);
    }
}

impl PollClient for Reads {
    fn limiter(&self) -> Arc<RateLimiter> {
        Arc::default()
    }

    fn client_id(&self) -> budget::ClientId {
        budget::ClientId::next()
    }

    fn is_of_same_account(&self, other: &Self) -> bool {
        self.account == other.account
    }
}

/// A poll under way.
pub struct Group<T> {
    polled_at: Instant,
    requests: Vec<PollRequest<T>>,
    reads: Reads,
    poll: Pin<Box<dyn Future<Output = Polled<T>>>>,
}

/// A group as the schedule of its account knows it.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub id: GroupId,
    /// How many turns it has had.
    turns: u64,
}

impl<K: Simulated> World<K> {
    /// Subscribes an object to a run.
    pub fn watch(&mut self, source: &Source, id: &str, name: &Name) -> Report<K::Item> {
        let mut is_new = false;
        let (watched, poller) = (self.key_of(source), &mut self.process.poller);
        poller.replace_subscriptions(&[(watched.clone(), id.to_owned())], name);
        let report = poller.subscribe(&watched, id, name, |_, _| is_new = true);
        if is_new {
            let tokens = self.account_of(source);
            let client = tokens.client(source.client);
            let id = tokens.polls.join(client, Instant::now());
            tokens.members.insert(source.clone(), Member { id, turns: 0 });
            self.wait_for_turn(source);
        } else {
            self.wait(source);
            self.give_poll_turns(self.glue.clients[source.client]);
        }
        report
    }

    fn key_of(&self, source: &Source) -> K::Source {
        let (client, account) = (source.client, self.glue.clients[source.client]);
        K::source(Reads { client, account, mailbox: Mailbox::default() }, source.target.clone())
    }

    fn account_of(&mut self, source: &Source) -> &mut Tokens {
        self.process.tokens.entry(self.glue.clients[source.client]).or_default()
    }

    /// As `Poller::turn`: the pace of a group that waits is computed again now and then.
    pub fn wait_for_turn(&mut self, source: &Source) {
        let again_after = self.wait(source);
        let (process, account) = (self.process.number, self.glue.clients[source.client]);
        if let Some(member) = self.account_of(source).members.get(source).copied() {
            self.at(self.now + millis(again_after), Event::Pace(process, source.clone(), member.turns));
        }
        self.give_poll_turns(account);
    }

    /// The group waits with its pace of now. After what time that is to be computed again.
    fn wait(&mut self, source: &Source) -> Duration {
        let watched = self.key_of(source);
        let (pace, again_after) = self.process.poller.pace(&watched);
        let tokens = self.account_of(source);
        if let Some(member) = tokens.members.get(source) {
            tokens.polls.wait(member.id, pace);
        }
        again_after
    }

    /// Some time has passed since the group began to wait for this turn.
    pub fn look_at_pace(&mut self, source: &Source, turn: u64) {
        if self.account_of(source).members.get(source).is_some_and(|member| member.turns == turn) {
            self.wait_for_turn(source);
        }
    }

    /// Gives all turns of now.
    pub fn give_poll_turns(&mut self, account: usize) {
        let (now, process) = (Instant::now(), self.process.number);
        loop {
            let Some(tokens) = self.process.tokens.get_mut(&account) else { return };
            match tokens.polls.next(now, tokens.budget.rate.at(now)) {
                NextPoll::Idle => return,
                NextPoll::At(at) => {
                    let at = self.now + millis(at.saturating_duration_since(now)).max(1);
                    if tokens.next_turn.is_none_or(|next| next <= self.now || next > at) {
                        tokens.next_turn = Some(at);
                        self.at(at, Event::Turns(process, account));
                    }
                    return;
                }
                NextPoll::Turn(id) => {
                    if let Some((source, member)) = tokens.members.iter_mut().find(|(_, member)| member.id == id) {
                        member.turns += 1;
                        let source = source.clone();
                        self.at(self.now, Event::Poll(process, source));
                    }
                }
            }
        }
    }

    /// The group's poll is over.
    fn poll_is_over(&mut self, source: &Source, calls: usize) {
        let now = Instant::now();
        let tokens = self.account_of(source);
        if let Some(member) = tokens.members.get(source) {
            tokens.polls.record(member.id, calls, now, tokens.budget.rate.at(now));
        }
        self.wait_for_turn(source);
    }

    /// It is the group's turn.
    pub fn poll(&mut self, source: &Source) {
        let watched = self.key_of(source);
        let Some((mut requests, extras)) = self.process.poller.poll_requests(&watched) else {
            let now = Instant::now();
            let tokens = self.account_of(source);
            if let Some(member) = tokens.members.remove(source) {
                tokens.polls.leave(member.id, now, tokens.budget.rate.at(now));
            }
            return self.give_poll_turns(self.glue.clients[source.client]);
        };
        if requests.is_empty() {
            return self.poll_is_over(source, 0);
        }
        requests.sort_by(|one, other| (one.failures, &one.id).cmp(&(other.failures, &other.id)));
        let (reads, asked) = (K::parts(&watched).0.clone(), requests.clone());
        let poll = Box::pin(async move { watched.poll(asked, extras).await });
        self.process.groups.insert(source.clone(), Group { polled_at: Instant::now(), requests, reads, poll });
        self.go_on_polling(source);
    }

    /// Goes on with a poll until it waits for an answer, or ends.
    fn go_on_polling(&mut self, source: &Source) {
        let Some(mut group) = self.process.groups.remove(source) else { return };
        let mut context = Context::from_waker(std::task::Waker::noop());
        if let Poll::Ready(polled) = group.poll.as_mut().poll(&mut context) {
            return self.polled(source, &group, polled);
        }
        let call = group.reads.mailbox.take_call();
        self.process.groups.insert(source.clone(), group);
        if let Some(call) = call {
            let call = GlueCall { client: source.client, plan: None, target: source.target.clone(), call };
            self.queue(source.client, Priority::Poll, Some(Waiter::Poll(source.clone(), call)));
        }
    }

    pub fn poll_answered(&mut self, source: &Source, mut result: Result<Answer, Error>) {
        if let Ok(Answer::Page(_, more)) = &mut result
            && self.is(Mutation::DeepRunsAreReadOneByOne)
        {
            *more = false;
        }
        if let Some(group) = self.process.groups.get(source) {
            group.reads.mailbox.answer(result);
            self.go_on_polling(source);
        }
    }

    /// The poll is over.
    fn polled(&mut self, source: &Source, group: &Group<K::Item>, polled: Polled<K::Item>) {
        let calls = polled.calls;
        self.checks.poll_ended(self.now, source, &polled.results);
        let for_changes = K::CALLS_FOR_CHANGE * group.requests.len();
        self.checks.polled(self.now, source, calls.saturating_sub(for_changes), &group.requests, &self.glue);
        self.log(None, || format!("a poll of {} for client {} takes {calls} calls", source.target, source.client));
        self.report_at_once(source, &polled.results);
        let watched = self.key_of(source);
        let applied = self.process.poller.apply(&watched, group.polled_at, timestamp(self.now), polled);
        let mut changed: Vec<_> = applied.changed.into_iter().collect();
        changed.sort();
        for name in changed {
            self.requeue(&name);
        }
        let informed = applied.informed.iter().map(|group| {
            let (reads, target) = K::parts(group);
            Source { client: reads.client, target: target.to_owned() }
        });
        let mut informed: Vec<_> = informed.collect();
        informed.sort();
        for sibling in informed {
            self.wait(&sibling);
        }
        self.poll_is_over(source, calls);
    }

    /// Under a mutation, a poll that failed is written into every object, and its end again.
    fn report_at_once(&mut self, source: &Source, results: &[PollResult<K::Item>]) {
        if self.is(Mutation::FailedPollsAreReportedAtOnce) {
            let error = results.iter().find_map(|result| result.answer.as_ref().err()).cloned();
            let before = match &error {
                Some(error) => self.failed_polls.insert(source.clone(), Arc::clone(error)),
                None => self.failed_polls.remove(source),
            };
            if before != error {
                let watches = |object: &&Arc<Object>| object.target == source.target && !object.is_finished();
                let all: Vec<_> =
                    self.process.cache.values().filter(watches).map(|object| object.name.clone()).collect();
                for name in &all {
                    self.requeue(name);
                }
            }
        }
    }
}
