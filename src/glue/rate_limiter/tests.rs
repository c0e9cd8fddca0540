//! What the queues of a budget promise, and how fast they drain at an account with a limit that nobody knows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::rate::{MAX_RATE, UNPROVEN_RATE};
use super::*;

const PRIORITIES: [Priority; Priority::COUNT] = [Priority::Stop, Priority::Start, Priority::Search, Priority::Poll];

/// A token bucket as AWS keeps one, whose rate the limiter does not know.
struct Account {
    rate: f64,
    tokens: f64,
    refilled_at: Duration,
}

impl Account {
    fn new(rate: f64) -> Self {
        Self { rate, tokens: rate, refilled_at: Duration::ZERO }
    }

    fn accepts(&mut self, now: Duration) -> bool {
        self.tokens = (self.tokens + self.rate * now.saturating_sub(self.refilled_at).as_secs_f64()).min(self.rate);
        self.refilled_at = now;
        let accepts = self.tokens >= 1.0;
        self.tokens -= f64::from(u8::from(accepts));
        accepts
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Answer { accepted: bool },
    Ask,
    Look,
}

/// How long `calls` take when each that is throttled is made again a second later, and how many were refused. Before
/// them, `throttles` calls of somebody else were refused, a second apart.
fn drain(calls: u32, rate: f64, throttles: u32) -> (f64, u32) {
    let start = Instant::now();
    let (mut account, mut budget) = (Account::new(rate), Budget::new(start));
    for throttle in 0..throttles {
        budget.record_throttle(start + Duration::from_secs(1) * throttle);
    }
    let begin = Duration::from_secs(1) * throttles;
    let mut events: BinaryHeap<_> = (0..calls).map(|_| Reverse((begin, Event::Ask))).collect();
    let client = ClientId::next();
    let (mut done, mut refused, mut now) = (0, 0, begin);
    while done < calls {
        let Reverse((at, event)) = events.pop().expect("somebody waits");
        now = at;
        match event {
            Event::Ask => {
                budget.enqueue(Priority::Start, client);
            }
            Event::Look => {}
            Event::Answer { accepted: true } => {
                done += 1;
                budget.rate.record_response(start + now);
            }
            Event::Answer { accepted: false } => {
                refused += 1;
                budget.record_throttle(start + now);
                events.push(Reverse((now + Duration::from_secs(1), Event::Ask)));
            }
        }
        if matches!(event, Event::Ask) && events.peek().is_some_and(|Reverse((at, next))| *at == now && *next == event)
        {
            continue;
        }
        loop {
            match budget.next(start + now) {
                Next::Granted(_) => {
                    let accepted = account.accepts(now);
                    events.push(Reverse((now + Duration::from_millis(50), Event::Answer { accepted })));
                }
                Next::At(at) => {
                    let look = (at - start, Event::Look);
                    if events.peek().is_none_or(|Reverse(next)| look < *next) {
                        events.push(Reverse(look));
                    }
                    break;
                }
                Next::Idle => break,
            }
        }
    }
    (now.saturating_sub(begin).as_secs_f64(), refused)
}

#[test]
fn a_burst_drains_near_the_rate_that_the_account_allows_and_hammers_nobody() {
    for (calls, rate, throttles) in [(5000, 25.0, 0), (5000, 25.0, 6), (5000, 100.0, 0), (500, 2.0, 0), (5000, 1e6, 0)]
    {
        let (seconds, refused) = drain(calls, rate, throttles);
        let ideal = f64::from(calls) / rate.min(MAX_RATE);
        let ratio = ideal / seconds;
        println!(
            "{calls} calls at {rate}/s after {throttles} throttles: {seconds:.1} s, {:.0} % of the rate, {refused} refused",
            ratio * 100.0
        );
        assert!(ratio >= 0.85, "{ratio}");
        // The first burst finds the limit; then one call in three seconds tries whether there is more.
        assert!(f64::from(refused) <= UNPROVEN_RATE / 4.0 + seconds / 3.0, "{refused}");
    }
}

#[test]
fn a_recovery_helps_those_who_wait() {
    let start = Instant::now();
    let mut budget = Budget::new(start);
    for second in 0..10 {
        budget.record_throttle(start + Duration::from_secs(second));
    }
    let client = ClientId::next();
    let now = start + Duration::from_secs(10);
    for _ in 0..5000 {
        budget.enqueue(Priority::Start, client);
    }
    let slow = grants_until(&mut budget, now, now + Duration::from_secs(5));
    let later = now + Duration::from_mins(1);
    let fast = grants_until(&mut budget, later, later + Duration::from_secs(5));
    assert!(slow < 10 && fast > 500, "{slow} and {fast}");
}

/// How many tokens are given from `now` until `end`.
fn grants_until(budget: &mut Budget, mut now: Instant, end: Instant) -> u32 {
    let mut grants = 0;
    while now < end {
        match budget.next(now) {
            Next::Granted(_) => grants += 1,
            Next::At(at) => now = at,
            Next::Idle => break,
        }
    }
    grants
}

/// What happens to a budget.
#[derive(Clone, Debug)]
enum Step {
    Enqueue(usize, usize),
    Cancel(prop::sample::Index),
    Wait(u64),
    Throttle,
    Response,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..Priority::COUNT, 0..3_usize).prop_map(|(priority, client)| Step::Enqueue(priority, client)),
        1 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        4 => (1..400_u64).prop_map(Step::Wait),
        1 => Just(Step::Throttle),
        2 => Just(Step::Response),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn tokens_go_to_those_who_wait_in_order_and_never_faster_than_the_rate(steps in steps()) {
        let clients = [(); 3].map(|()| ClientId::next());
        let mut now = Instant::now();
        let mut budget = Budget::new(now);
        // Who waits, as a plain list: ticket, priority, client.
        let mut waiting: Vec<(Ticket, usize, usize)> = Vec::new();
        let mut most = UNPROVEN_RATE / 4.0;
        let mut granted = 0.0;
        let mut passed_over = [0_u32; Priority::COUNT];
        for step in steps {
            let before = budget.rate.at(now);
            match step {
                Step::Enqueue(priority, client) => {
                    let ticket = budget.enqueue(PRIORITIES[priority], clients[client]);
                    waiting.push((ticket, priority, client));
                }
                Step::Cancel(index) if !waiting.is_empty() => {
                    let (ticket, ..) = waiting.swap_remove(index.index(waiting.len()));
                    budget.cancel(ticket, now);
                }
                Step::Cancel(_) => {}
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Throttle => budget.record_throttle(now),
                Step::Response => budget.rate.record_response(now),
            }
            if let Step::Wait(millis) = step {
                most += before.max(budget.rate.at(now)) * Duration::from_millis(millis).as_secs_f64();
            }
            for (priority, passed_over) in passed_over.iter_mut().enumerate() {
                *passed_over *= u32::from(waiting.iter().any(|(_, of, _)| *of == priority));
            }
            loop {
                match budget.next(now) {
                    Next::Granted(ticket) => {
                        let index = waiting.iter().position(|(of, ..)| *of == ticket).expect("it waits");
                        let (_, priority, client) = waiting[index];
                        let first = waiting.iter().filter(|(_, of, by)| *of == priority && *by == client).map(|(of, ..)| *of).min();
                        prop_assert_eq!(first, Some(ticket), "first in, first out");
                        let before = waiting.iter().map(|(_, of, _)| *of).min().unwrap();
                        let due = [u32::MAX, 4, 9, 4];
                        prop_assert!(priority == before || passed_over[priority] >= due[priority], "{} before {}", priority, before);
                        waiting.remove(index);
                        for (other, passed_over) in passed_over.iter_mut().enumerate() {
                            let waits = waiting.iter().any(|(_, of, _)| *of == other);
                            *passed_over = if waits && other != priority { *passed_over + 1 } else { 0 };
                        }
                        prop_assert!(passed_over.iter().skip(1).zip([5, 10, 5]).all(|(over, share)| *over <= share + 1), "{:?}", passed_over);
                        granted += 1.0;
                    }
                    Next::At(at) => {
                        prop_assert!(at > now && at <= now + Duration::from_millis(250));
                        prop_assert!(!waiting.is_empty(), "somebody waits");
                        break;
                    }
                    Next::Idle => {
                        prop_assert!(waiting.is_empty(), "a token that is there is given");
                        break;
                    }
                }
            }
            prop_assert!(granted <= most + 1.0, "{} of {}", granted, most);
        }
        // Everybody gets a token in the end.
        let count = u32::try_from(waiting.len()).unwrap();
        prop_assert_eq!(grants_until(&mut budget, now, now + Duration::from_mins(10)), count);
        prop_assert!(budget.is_idle());
    }

    #[test]
    fn clients_take_turns(callers in prop::collection::vec((0..5_usize, 1..4_usize), 1..40)) {
        let clients = [(); 5].map(|()| ClientId::next());
        let now = Instant::now();
        let mut budget = Budget::new(now);
        let (mut of, mut left) = (HashMap::new(), BTreeMap::new());
        for (client, count) in callers {
            for _ in 0..count {
                of.insert(budget.enqueue(Priority::Start, clients[client]), client);
                *left.entry(client).or_insert(0) += 1;
            }
        }
        let mut got = BTreeMap::new();
        let mut later = now;
        loop {
            match budget.next(later) {
                Next::Granted(ticket) => {
                    *got.entry(of[&ticket]).or_insert(0) += 1;
                    *left.entry(of[&ticket]).or_insert(0) -= 1;
                    let waiting: Vec<i32> = left.iter().filter(|(_, left)| **left > 0).map(|(client, _)| got.get(client).copied().unwrap_or(0)).collect();
                    let most = got.values().max().copied().unwrap_or(0);
                    prop_assert!(waiting.iter().all(|count| most - count <= 1), "{:?} of {:?}", got, left);
                }
                Next::At(at) => later = at,
                Next::Idle => break,
            }
        }
    }
}

/// A limiter whose tokens are used up.
fn exhausted() -> Arc<RateLimiter> {
    let limiter = Arc::<RateLimiter>::default();
    limiter.record_throttle();
    limiter
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_dropped_gives_up_its_place() {
    let (limiter, client) = (exhausted(), ClientId::next());
    for _ in 0..100 {
        let waits = limiter.acquire(Priority::Start, client);
        assert!(tokio::time::timeout(Duration::ZERO, waits).await.is_err());
    }
    let start = Instant::now();
    limiter.acquire(Priority::Start, client).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_place_calls_when_its_token_is_there_and_returns_one_that_is_not_taken() {
    let (limiter, client, calls) = (exhausted(), ClientId::next(), Arc::new(AtomicU32::new(0)));
    let count = || {
        let calls = Arc::clone(&calls);
        move || {
            calls.fetch_add(1, Ordering::SeqCst);
        }
    };
    let place = limiter.queue(Priority::Start, client);
    assert!(!place.is_granted());
    place.on_granted(count());
    let start = Instant::now();
    limiter.acquire(Priority::Start, client).await;
    assert!(place.is_granted() && calls.load(Ordering::SeqCst) == 1);
    place.on_granted(count());
    assert_eq!(calls.load(Ordering::SeqCst), 2, "it was there already");
    drop(place);
    let next = limiter.queue(Priority::Start, client);
    assert!(next.is_granted(), "the token was returned");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_behind_starts() {
    let (limiter, client) = (exhausted(), ClientId::next());
    let starts: Vec<_> = (0..1000).map(|_| limiter.queue(Priority::Start, client)).collect();
    let start = Instant::now();
    limiter.acquire(Priority::Stop, client).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert!(starts.iter().filter(|place| place.is_granted()).count() <= 1);
    let (from, mut polls) = (Instant::now(), 0);
    while from.elapsed() < Duration::from_secs(5) {
        limiter.acquire(Priority::Poll, client).await;
        polls += 1;
    }
    assert!(polls >= 5, "polls have a share: {polls}");
}
