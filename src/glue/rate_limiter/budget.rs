//! Who gets the next token: a token bucket, and the callers that wait for it. Pure.
//!
//! Callers wait in one queue per [`Priority`]. A token goes to the first queue that has somebody in it, but no queue
//! starves: each has a share of the tokens that it gets while it waits. Within a queue, the clients take turns,
//! and the callers of one client come first in, first out. A token is given at the rate of now, so that a recovery
//! helps those that already wait.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::Priority;
use super::rate::Rate;

/// How many seconds of the rate an idle bucket saves; it saves at least one token.
const BURST_SECONDS: f64 = 0.25;
/// The rate is read again after this time, since it changes.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Of how many tokens a queue gets one at least while it waits, by priority. All shares together are half of the tokens.
const SHARES: [u32; Priority::COUNT] = [1, 5, 10, 5];

/// A client, for taking turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(u64);

impl ClientId {
    /// An id that no other client of this process has.
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// A caller that waits or has waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ticket(u64);

/// What follows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This caller has a token.
    Granted(Ticket),
    /// Nobody gets a token before this time.
    At(Instant),
    /// Nobody waits.
    Idle,
}

/// The tokens of one account and region, and who waits for them.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) rate: Rate,
    tokens: f64,
    refilled_at: Instant,
    queues: [Queue; Priority::COUNT],
    waiting: HashMap<Ticket, (Priority, ClientId)>,
    last_ticket: u64,
}

impl Budget {
    pub(crate) fn new(now: Instant) -> Self {
        let rate = Rate::new(now);
        let tokens = burst(rate.at(now));
        Self { rate, tokens, refilled_at: now, queues: Default::default(), waiting: HashMap::new(), last_ticket: 0 }
    }

    /// Adds a caller.
    pub(crate) fn enqueue(&mut self, priority: Priority, client: ClientId) -> Ticket {
        self.last_ticket += 1;
        let ticket = Ticket(self.last_ticket);
        self.waiting.insert(ticket, (priority, client));
        self.queues[priority as usize].push(client, ticket);
        ticket
    }

    /// Whether the caller has no token yet.
    pub(crate) fn is_waiting(&self, ticket: Ticket) -> bool {
        self.waiting.contains_key(&ticket)
    }

    /// Whether nobody waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The caller does not want its token any more: it gives up its place, or returns the token.
    pub(crate) fn cancel(&mut self, ticket: Ticket, now: Instant) {
        if let Some((priority, client)) = self.waiting.remove(&ticket) {
            self.queues[priority as usize].remove(client, ticket);
        } else {
            self.refill(now);
            self.tokens = (self.tokens + 1.0).min(burst(self.rate.at(now)));
        }
    }

    /// Gives the next token, if there is one now.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        let Some(index) = self.next_queue() else { return Next::Idle };
        self.refill(now);
        if self.tokens < 1.0 {
            let missing = Duration::from_secs_f64((1.0 - self.tokens) / self.rate.at(now)) + Duration::from_nanos(1);
            return Next::At(now + missing.min(LONGEST_PAUSE));
        }
        self.tokens -= 1.0;
        for (other, queue) in self.queues.iter_mut().enumerate() {
            queue.passed_over = if other == index || queue.is_empty() { 0 } else { queue.passed_over + 1 };
        }
        let Some(ticket) = self.queues[index].pop() else { return Next::Idle };
        self.waiting.remove(&ticket);
        Next::Granted(ticket)
    }

    /// AWS throttled a call.
    pub(crate) fn record_throttle(&mut self, now: Instant) {
        self.refill(now);
        if self.rate.record_throttle(now) {
            // Glue's own bucket is empty.
            self.tokens = self.tokens.min(0.0);
        }
    }

    fn refill(&mut self, now: Instant) {
        let rate = self.rate.at(now);
        let elapsed = now.saturating_duration_since(self.refilled_at).as_secs_f64();
        self.tokens = (self.tokens + rate * elapsed).min(burst(rate));
        self.refilled_at = self.refilled_at.max(now);
    }

    /// The queue whose turn it is: the one that has waited longest beyond its share, else the first.
    fn next_queue(&self) -> Option<usize> {
        let waiting = || (0..Priority::COUNT).filter(|index| !self.queues[*index].is_empty());
        let lateness = |index: &usize| (self.queues[*index].passed_over + 1).checked_sub(SHARES[*index]);
        let late = waiting().skip(1).filter(|index| lateness(index).is_some());
        late.max_by_key(lateness).or_else(|| waiting().next())
    }
}

/// The most tokens that are saved.
fn burst(rate: f64) -> f64 {
    (rate * BURST_SECONDS).max(1.0)
}

/// The callers of one priority.
#[derive(Debug, Default)]
struct Queue {
    by_client: HashMap<ClientId, BTreeSet<Ticket>>,
    /// The clients in the order of their turns; each that has a caller once.
    turns: VecDeque<ClientId>,
    /// How many tokens in a row went to other queues.
    passed_over: u32,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    fn push(&mut self, client: ClientId, ticket: Ticket) {
        let tickets = self.by_client.entry(client).or_default();
        if tickets.is_empty() {
            self.turns.push_back(client);
        }
        tickets.insert(ticket);
    }

    fn remove(&mut self, client: ClientId, ticket: Ticket) {
        let Some(tickets) = self.by_client.get_mut(&client) else { return };
        tickets.remove(&ticket);
        if tickets.is_empty() {
            self.by_client.remove(&client);
            self.turns.retain(|other| *other != client);
        }
        self.passed_over *= u32::from(!self.is_empty());
    }

    fn pop(&mut self) -> Option<Ticket> {
        let client = self.turns.pop_front()?;
        let tickets = self.by_client.get_mut(&client)?;
        let ticket = tickets.pop_first();
        if tickets.is_empty() {
            self.by_client.remove(&client);
        } else {
            self.turns.push_back(client);
        }
        ticket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A budget at the rate of an account without evidence, 200 calls a second, whose burst of 50 tokens is spent.
    fn spent() -> (Budget, ClientId, Instant) {
        let (start, client) = (Instant::now(), ClientId::next());
        let mut budget = Budget::new(start);
        for token in 0..50 {
            let ticket = budget.enqueue(Priority::Start, client);
            assert_eq!(budget.next(start), Next::Granted(ticket), "token {token}");
        }
        (budget, client, start)
    }

    fn after(start: Instant, micros: u64) -> Instant {
        start + Duration::from_micros(micros)
    }

    /// Asserts that nobody gets a token before this time, to the microsecond.
    fn assert_next_at(budget: &mut Budget, now: Instant, expected: Instant) {
        let Next::At(at) = budget.next(now) else { panic!("a token, or nobody waits") };
        let micros = at.saturating_duration_since(expected).max(expected.saturating_duration_since(at)).as_micros();
        assert!(micros <= 1, "{micros} µs beside it");
    }

    #[test]
    fn the_next_token_comes_when_it_is_whole() {
        let (mut budget, client, start) = spent();
        assert_eq!(budget.next(start), Next::Idle);
        let ticket = budget.enqueue(Priority::Start, client);
        let Next::At(at) = budget.next(start) else { panic!("a token, or nobody waits") };
        assert_eq!(budget.next(at), Next::Granted(ticket), "at the time that `next` answered");
        budget.enqueue(Priority::Start, client);
        assert_next_at(&mut budget, after(start, 7_000), after(start, 10_000));
    }

    /// The rate may rise meanwhile.
    #[test]
    fn nobody_is_told_to_wait_longer_than_a_quarter_of_a_second() {
        let (mut budget, client, start) = spent();
        for second in 1..20 {
            budget.record_throttle(start + Duration::from_secs(second));
        }
        let now = start + Duration::from_secs(19);
        budget.enqueue(Priority::Start, client);
        assert_next_at(&mut budget, now, after(now, 250_000));
    }

    #[test]
    fn a_caller_that_gives_up_leaves_its_place_or_its_token() {
        let (mut budget, client, start) = spent();
        assert!(budget.is_idle());
        let waiting = budget.enqueue(Priority::Start, client);
        assert!(!budget.is_idle() && budget.is_waiting(waiting));
        budget.cancel(waiting, start);
        assert!(budget.is_idle() && !budget.is_waiting(waiting));
        assert_eq!(budget.next(start), Next::Idle);
        budget.cancel(waiting, start);
        let next = budget.enqueue(Priority::Start, client);
        assert_eq!(budget.next(start), Next::Granted(next), "the token that came back");
        budget.enqueue(Priority::Start, client);
        assert_next_at(&mut budget, start, after(start, 5_000));
    }

    #[test]
    fn no_more_than_a_burst_is_saved() {
        let (mut budget, client, start) = spent();
        let later = start + Duration::from_secs(9);
        let [a, b] = [0, 1].map(|_| budget.enqueue(Priority::Start, client));
        assert_eq!([budget.next(later), budget.next(later)], [Next::Granted(a), Next::Granted(b)]);
        for _ in 0..9 {
            budget.cancel(a, later);
        }
        for token in 0..50 {
            let ticket = budget.enqueue(Priority::Start, client);
            assert_eq!(budget.next(later), Next::Granted(ticket), "token {token}");
        }
        budget.enqueue(Priority::Start, client);
        assert_next_at(&mut budget, later, after(later, 5_000));
    }

    #[test]
    fn a_throttle_takes_the_saved_tokens_and_no_more() {
        let (start, client) = (Instant::now(), ClientId::next());
        let mut budget = Budget::new(start);
        budget.record_throttle(start);
        let ticket = budget.enqueue(Priority::Start, client);
        // Seven calls a second are left of the ten that a throttle without evidence shows, and grow.
        assert_next_at(&mut budget, start, after(start, 142_857));
        budget.record_throttle(start);
        assert_eq!(budget.next(after(start, 143_000)), Next::Granted(ticket));
    }

    /// A queue that was left by its last caller has been passed over by nobody.
    #[test]
    fn a_queue_is_late_while_somebody_waits_in_it() {
        let late = |leaving: usize| {
            let (mut budget, client, start) = spent();
            let later = start + Duration::from_secs(1);
            let polls = [0, 1].map(|_| budget.enqueue(Priority::Poll, client));
            for _ in 0..4 {
                let stop = budget.enqueue(Priority::Stop, client);
                assert_eq!(budget.next(later), Next::Granted(stop));
            }
            for ticket in &polls[..leaving] {
                budget.cancel(*ticket, later);
            }
            budget.enqueue(Priority::Poll, client);
            let stop = budget.enqueue(Priority::Stop, client);
            budget.next(later) != Next::Granted(stop)
        };
        assert!(late(1), "one still waits");
        assert!(!late(2), "all have left");
    }

    /// The first token of a queue comes with its share, or one or two tokens later where other queues are late, too.
    #[test]
    fn each_queue_has_its_share() {
        let (mut budget, client, start) = spent();
        let mut of = HashMap::new();
        for priority in [Priority::Stop, Priority::Start, Priority::Search, Priority::Poll] {
            for _ in 0..60 {
                of.insert(budget.enqueue(priority, client), priority as usize);
            }
        }
        let mut order = Vec::new();
        for token in 1..=60 {
            let Next::Granted(ticket) = budget.next(start + Duration::from_millis(6) * token) else {
                panic!("token {token}")
            };
            order.push(of[&ticket]);
        }
        for (queue, share) in SHARES.iter().enumerate().skip(1) {
            let numbers: Vec<_> =
                (1_u32..).zip(&order).filter(|(_, of)| **of == queue).map(|(token, _)| token).collect();
            let gaps: Vec<_> = std::iter::once(0).chain(numbers.clone()).zip(numbers).map(|(a, b)| b - a).collect();
            assert!(gaps.iter().all(|gap| (*share..=share + 2).contains(gap)), "queue {queue}: {gaps:?}");
            assert!(gaps.contains(share), "queue {queue}: {gaps:?}");
        }
        assert!(order.iter().filter(|queue| **queue == 0).count() >= 30, "stops have the rest: {order:?}");
    }
}
