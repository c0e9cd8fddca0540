//! When which group polls an account: one allowance of calls for all of its groups, whichever client asks. Pure.
//!
//! - Polls take so many calls a minute as the operator allows, or else [`USUAL`] and what it takes to show everything every
//!   [`LONGEST_ROUND`]; and at most a fifth of the rate that AWS's answers show. A token bucket holds them to it: no minute
//!   has more calls, except for what the last poll in it takes beyond one call. Where the operator has not set a limit,
//!   polls that follow from a start or from news cost less than a token a call.
//! - A group is due when its pause is over: the base interval where it may change soon, up to three times as long where
//!   that is unlikely.
//! - When more groups are due than calls are allowed, the clients share the calls equally, by fair queueing, and a
//!   client's turn goes to the group that has waited longest. What may change soon comes up to three times as often as the
//!   rest, unless all are polled within three base intervals anyway.
//! - A group for which the poll of another one has shown that nothing has changed counts as polled. One with news comes
//!   first, but every tenth turn goes to the others.
//! - A poll that an object has asked for needs no token, since the object waits for it. It counts, and the others wait.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::budget::ClientId;
use super::pace::{News, Pace};

/// The calls of a minute where the operator does not say, and few groups poll.
const USUAL: f64 = 100.0;
/// How long one poll of all groups takes at most, unless the operator or AWS allow too few calls for that.
pub(crate) const LONGEST_ROUND: Duration = Duration::from_secs(75);
/// Polls get this part of the calls that AWS's answers show to be allowed.
const SHARE: f64 = 0.2;
/// This part of a minute's calls is saved while nothing is due.
const SAVED: f64 = 0.05;
/// What a call costs, in tokens, of a group for which another one has shown news, unless the operator has set a limit.
const NEWS_PRICE: f64 = 0.5;
/// The same for the first poll of a group, which follows from a start.
const FIRST_PRICE: f64 = 0.1;
/// After so many turns of groups with news, another group has its turn.
const NEWS_TURNS: u32 = 9;
/// The allowed rate is read again after this time, since it changes.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(u64);

/// What follows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextPoll {
    /// It is this group's turn.
    Turn(GroupId),
    /// It is nobody's turn before this time.
    At(Instant),
    /// No group waits.
    Idle,
}

/// The groups that poll one account and region.
#[derive(Debug)]
pub(crate) struct PollSchedule {
    /// The calls a minute that the operator allows.
    allowed: Option<f64>,
    tokens: f64,
    refilled_at: Instant,
    groups: BTreeMap<GroupId, Group>,
    /// How many calls one poll of all groups takes.
    calls: f64,
    clients: HashMap<ClientId, Client>,
    /// The virtual time of fair queueing, in calls of each client.
    virtual_time: f64,
    /// How many turns in a row went to groups with news.
    news_turns: u32,
    /// It is nobody's turn before; `None` where that is not known.
    next_at: Option<Instant>,
    last_group: u64,
}

#[derive(Debug)]
struct Group {
    client: ClientId,
    /// The end of the last poll, or when the group joined.
    polled_at: Instant,
    /// The calls of the last poll.
    calls: f64,
    /// How many groups one of its polls informs, with itself.
    informs: f64,
    has_polled: bool,
    state: GroupState,
}

impl Group {
    /// Its part of the calls of one poll of everything.
    fn share(&self) -> f64 {
        self.calls / self.informs
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum GroupState {
    Idle,
    Waiting(Pace),
    /// It polls. So many calls were expected, at a price in tokens, and whether an object has asked for the poll.
    Polling {
        calls: f64,
        price: f64,
        is_requested: bool,
    },
}

/// The groups of one client.
#[derive(Debug)]
struct Client {
    groups: usize,
    /// The virtual time at which its last poll began.
    start: f64,
    /// The calls of its last poll.
    calls: f64,
}

impl Client {
    /// The virtual time at which its last poll ends, if its turns are worth `weight`.
    fn finish(&self, weight: f64) -> f64 {
        self.start + self.calls / weight
    }
}

/// What is allowed now.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    /// The most tokens that are saved.
    capacity: f64,
    /// Tokens per second.
    refill: f64,
}

impl PollSchedule {
    /// Without groups. The operator may have said how many calls a minute are allowed.
    pub(crate) fn new(allowed_per_minute: Option<u32>, now: Instant) -> Self {
        let allowed = allowed_per_minute.map(f64::from);
        let tokens = (allowed.unwrap_or(USUAL) * SAVED).max(1.0);
        let (groups, clients) = (BTreeMap::new(), HashMap::new());
        Self {
            allowed,
            tokens,
            refilled_at: now,
            groups,
            calls: 0.0,
            clients,
            virtual_time: 0.0,
            news_turns: 0,
            next_at: None,
            last_group: 0,
        }
    }

    /// Adds a group of `client`. It counts as one call until it has polled.
    pub(crate) fn join(&mut self, client: ClientId, now: Instant) -> GroupId {
        self.last_group += 1;
        let id = GroupId(self.last_group);
        self.calls += 1.0;
        let state = GroupState::Idle;
        self.groups.insert(id, Group { client, polled_at: now, calls: 1.0, informs: 1.0, has_polled: false, state });
        self.clients.entry(client).or_insert(Client { groups: 0, start: self.virtual_time, calls: 1.0 }).groups += 1;
        id
    }

    /// The group does not poll any more.
    pub(crate) fn leave(&mut self, id: GroupId, now: Instant, rate: f64) {
        self.record(id, 0, now, rate);
        let Some(group) = self.groups.remove(&id) else { return };
        self.calls = (self.calls - group.share()).max(0.0);
        if let Some(client) = self.clients.get_mut(&group.client) {
            client.groups -= 1;
            if client.groups == 0 {
                self.clients.remove(&group.client);
            }
        }
    }

    /// The group waits for its turn, or waits with another pace than before. Without an effect while it is its turn.
    pub(crate) fn wait(&mut self, id: GroupId, pace: Pace) {
        if let Some(group) = self.groups.get_mut(&id)
            && !matches!(group.state, GroupState::Polling { .. })
        {
            let share = group.share();
            #[allow(clippy::cast_precision_loss)]
            let informs = pace.informs as f64;
            group.informs = informs.max(1.0);
            self.calls = (self.calls + group.share() - share).max(0.0);
            group.state = GroupState::Waiting(pace);
            let due = pace.due(group.polled_at);
            let due = pace.requested_at.map_or(due, |at| at.min(due));
            self.next_at = self.next_at.filter(|at| *at <= due);
        }
    }

    /// Whether it is the group's turn.
    pub(crate) fn is_turn(&self, id: GroupId) -> bool {
        self.groups.get(&id).is_some_and(|group| matches!(group.state, GroupState::Polling { .. }))
    }

    /// Whether no group waits.
    pub(crate) fn is_idle(&self) -> bool {
        !self.groups.values().any(|group| matches!(group.state, GroupState::Waiting(_)))
    }

    /// Gives the next turn, if there is one now. AWS's answers show that the account allows `rate` calls a second.
    pub(crate) fn next(&mut self, now: Instant, rate: f64) -> NextPoll {
        if let Some(at) = self.next_at.filter(|at| now < *at) {
            return NextPoll::At(at);
        }
        self.next_at = None;
        let allowance = self.refill(now, rate);
        let (mut due_at, mut requested) = (None::<Instant>, None::<(Instant, GroupId)>);
        for (id, group) in &self.groups {
            let GroupState::Waiting(pace) = &group.state else { continue };
            let due = pace.due(group.polled_at);
            due_at = Some(due_at.map_or(due, |at| at.min(due)));
            if let Some(at) = pace.requested_at {
                requested = Some(requested.map_or((at, *id), |first| first.min((at, *id))));
            }
        }
        if let Some((_, id)) = requested.filter(|(at, _)| *at <= now) {
            return self.give_turn(id, 1.0, now, allowance);
        }
        let Some(due_at) = due_at else { return NextPoll::Idle };
        let mut at = due_at;
        if self.tokens < 1.0 {
            let missing = Duration::from_secs_f64((1.0 - self.tokens) / allowance.refill) + Duration::from_nanos(1);
            at = at.max(now + missing.min(LOOK_AGAIN));
        } else if let Some((id, weight)) = self.first_due(now, allowance) {
            return self.give_turn(id, weight, now, allowance);
        }
        let at = requested.map_or(at, |(requested, _)| at.min(requested));
        self.next_at = Some(at);
        NextPoll::At(at)
    }

    /// The group's poll is over, and took so many calls.
    pub(crate) fn record(&mut self, id: GroupId, calls: usize, now: Instant, rate: f64) {
        let allowance = self.refill(now, rate);
        let Some(group) = self.groups.get_mut(&id) else { return };
        let GroupState::Polling { calls: expected, price, is_requested } = group.state else { return };
        #[allow(clippy::cast_precision_loss)]
        let (calls, share) = (calls as f64, group.share());
        (group.state, group.polled_at, group.calls) = (GroupState::Idle, now, calls);
        group.has_polled |= calls > 0.0;
        self.calls = (self.calls + group.share() - share).max(0.0);
        // Tokens may have come back.
        self.next_at = None;
        if let Some(client) = self.clients.get_mut(&group.client) {
            client.calls = calls.max(1.0);
        }
        self.take((calls - expected) * price, is_requested, allowance);
    }

    /// How many calls one poll of all groups takes.
    pub(crate) fn calls(&self) -> f64 {
        self.calls
    }

    /// How long one poll of all groups takes, if the account allows `rate` calls a second.
    pub(crate) fn round(&self, rate: f64) -> Duration {
        self.round_at(self.allowance(rate))
    }

    fn round_at(&self, allowance: Allowance) -> Duration {
        Duration::from_secs_f64(self.calls / allowance.refill)
    }

    fn allowance(&self, rate: f64) -> Allowance {
        let needed = || self.calls * 60.0 / LONGEST_ROUND.as_secs_f64() / (1.0 - SAVED);
        let allowed = self.allowed.unwrap_or_else(|| needed().max(USUAL));
        let a_minute = allowed.min(rate * SHARE * 60.0);
        let capacity = (a_minute * SAVED).max(1.0);
        // What is saved and what comes in a minute are a minute's calls together.
        Allowance { capacity, refill: (a_minute - capacity).max(a_minute / 2.0) / 60.0 }
    }

    fn refill(&mut self, now: Instant, rate: f64) -> Allowance {
        let allowance = self.allowance(rate);
        let elapsed = now.saturating_duration_since(self.refilled_at).as_secs_f64();
        self.tokens = (self.tokens + allowance.refill * elapsed).min(allowance.capacity);
        self.refilled_at = self.refilled_at.max(now);
        allowance
    }

    /// Takes tokens. Requested polls do not keep the others waiting for longer than it takes to save tokens twice.
    fn take(&mut self, tokens: f64, is_requested: bool, allowance: Allowance) {
        let least = if is_requested { self.tokens.min(-allowance.capacity) } else { f64::NEG_INFINITY };
        self.tokens = (self.tokens - tokens).max(least).min(allowance.capacity);
    }

    fn give_turn(&mut self, id: GroupId, weight: f64, now: Instant, allowance: Allowance) -> NextPoll {
        let Some(group) = self.groups.get_mut(&id) else { return NextPoll::Idle };
        let GroupState::Waiting(pace) = group.state else { return NextPoll::Idle };
        let calls = group.calls.max(1.0);
        let price = match self.allowed {
            None if !group.has_polled => FIRST_PRICE,
            None if pace.has_news() => NEWS_PRICE,
            _ => 1.0,
        };
        let is_requested = pace.requested_at.is_some_and(|at| at <= now);
        self.news_turns = if pace.has_news() { self.news_turns + 1 } else { 0 };
        group.state = GroupState::Polling { calls, price, is_requested };
        if let Some(client) = self.clients.get_mut(&group.client) {
            // A client that has asked for little has saved nothing. What was requested is out of turn.
            (client.start, client.calls) = (client.finish(weight).max(self.virtual_time), calls);
            if !is_requested {
                self.virtual_time = client.start;
            }
        }
        self.take(calls * price, is_requested, allowance);
        NextPoll::Turn(id)
    }

    /// The group that is due and whose turn it is, and the weight of its client.
    fn first_due(&self, now: Instant, allowance: Allowance) -> Option<(GroupId, f64)> {
        let mut order = [News::Changed, News::Unseen, News::Nothing];
        if self.news_turns >= NEWS_TURNS {
            order.rotate_right(1);
        }
        order.into_iter().find_map(|news| self.first_with(news, now, allowance))
    }

    /// The same among the groups with such news.
    fn first_with(&self, news: News, now: Instant, allowance: Allowance) -> Option<(GroupId, f64)> {
        let round = self.round_at(allowance);
        // The first group of each client, how late it is, and the weight of the client's most urgent group.
        let mut clients: BTreeMap<ClientId, (GroupId, f64, f64)> = BTreeMap::new();
        for (id, group) in &self.groups {
            let GroupState::Waiting(pace) = &group.state else { continue };
            if pace.news != news || now < pace.due(group.polled_at) {
                continue;
            }
            let waited = now.saturating_duration_since(pace.known_at(group.polled_at));
            let weight = pace.weight(round);
            let lateness = waited.as_secs_f64() * weight;
            let (first, latest, heaviest) = clients.entry(group.client).or_insert((*id, lateness, weight));
            if lateness > *latest {
                (*first, *latest) = (*id, lateness);
            }
            *heaviest = heaviest.max(weight);
        }
        let finish = |(id, (_, _, weight)): &(ClientId, (GroupId, f64, f64))| {
            self.clients.get(id).map_or(0.0, |client| client.finish(*weight))
        };
        let first = clients.into_iter().min_by(|one, other| finish(one).total_cmp(&finish(other)));
        first.map(|(_, (group, _, weight))| (group, weight))
    }
}

#[cfg(test)]
mod tests;
