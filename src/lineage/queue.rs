//! The events that wait for a receiver. Pure: times and outcomes in, what to send next out.
//!
//! - The events of one run are delivered in their order. Several runs are sent at once.
//! - A receiver that is down, overloaded (429) or broken (5xx) is tried again, with pauses that double; meanwhile one event
//!   at a time probes it. Nothing is lost within the bounds.
//! - An event that the receiver refuses (400, 409, 413, 422) is dropped, and so is one that it answers with errors while it takes others:
//!   one event never holds up the rest.
//! - The queue is bounded, in events and bytes. When it is full, events that only say that a run is known are dropped first,
//!   then new ones. Every event that is dropped is counted with its reason.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use uuid::Uuid;

/// How many events of different runs are sent at once.
pub const MAX_IN_FLIGHT: usize = 4;
/// The pause after the first failure. It doubles with each further one.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that is not the receiver's own wish.
const MAX_PAUSE: Duration = Duration::from_mins(1);
/// The longest pause that the receiver may wish for.
const MAX_WISH: Duration = Duration::from_mins(10);
/// After how many errors an event is dropped that others are not answered with.
const MAX_ATTEMPTS: u32 = 8;

/// A time on a clock that only goes forward.
pub type Time = Duration;

/// The bounds of a queue.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The most events.
    pub events: usize,
    /// The most bytes of all events.
    pub bytes: usize,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The run that it is about.
    pub run: Uuid,
    /// The event in JSON.
    pub body: String,
    /// Whether it only says that the run is known: the first to be dropped.
    pub is_minor: bool,
    /// When it was enqueued.
    pub since: Time,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// The receiver was not reached, is overloaded or broken; with the pause that it wishes for.
    Retry(Option<Duration>),
    /// The receiver will never take it.
    Refused,
}

/// Why an event was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dropped {
    /// The queue was full.
    QueueFull,
    /// The receiver refused it.
    Refused,
    /// The receiver answered it with errors again and again, while it took others.
    FailedAlone,
}

impl Dropped {
    /// The label in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::Refused => "refused",
            Self::FailedAlone => "failed_alone",
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send the event of this ticket.
    Send(Ticket),
    /// Nothing before this time, unless something is enqueued or an answer comes.
    WaitUntil(Time),
    /// Nothing before something is enqueued or an answer comes.
    Wait,
}

/// An event that is being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The run that it is about.
    pub run: Uuid,
    /// The event in JSON.
    pub body: String,
}

#[derive(Debug, Default)]
struct Lane {
    entries: VecDeque<(u64, Entry)>,
    in_flight: bool,
    /// How often its first event was answered with an error.
    attempts: u32,
    /// How many events had been delivered when that happened first.
    delivered_then: u64,
}

/// The queue in front of one receiver.
#[derive(Debug)]
pub struct Queue {
    bounds: Bounds,
    lanes: HashMap<Uuid, Lane>,
    /// The runs whose first event may be sent: those with fewer errors first, then the older.
    ready: BTreeSet<(u32, u64, Uuid)>,
    next_number: u64,
    /// When each event that waits or is being sent was enqueued, by its number.
    since: BTreeMap<u64, Time>,
    bytes: usize,
    in_flight: usize,
    /// How often in a row the receiver failed.
    failures: u32,
    not_before: Time,
    delivered: u64,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            lanes: HashMap::new(),
            ready: BTreeSet::new(),
            next_number: 0,
            since: BTreeMap::new(),
            bytes: 0,
            in_flight: 0,
            failures: 0,
            not_before: Time::ZERO,
            delivered: 0,
        }
    }

    /// How many events wait or are being sent.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.since.len()
    }

    /// How many events were added so far; each has the number that this was before.
    #[must_use]
    pub fn added(&self) -> u64 {
        self.next_number
    }

    /// The smallest number of an event that waits or is being sent; `None` when there is none.
    #[must_use]
    pub fn oldest(&self) -> Option<u64> {
        self.since.first_key_value().map(|(number, _)| *number)
    }

    /// How long the oldest event has been waiting.
    #[must_use]
    pub fn lag(&self, now: Time) -> Duration {
        self.since.first_key_value().map_or(Duration::ZERO, |(_, since)| now.saturating_sub(*since))
    }

    /// Whether the receiver failed last.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// How often in a row the receiver failed.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Adds an event. Returns what was dropped for it, or instead of it.
    #[must_use]
    pub fn enqueue(&mut self, entry: Entry) -> Vec<Dropped> {
        let mut dropped = Vec::new();
        let is_full =
            |queue: &Self| queue.depth() >= queue.bounds.events || queue.bytes + entry.body.len() > queue.bounds.bytes;
        while is_full(self) && !entry.is_minor && self.drop_minor() {
            dropped.push(Dropped::QueueFull);
        }
        if is_full(self) {
            dropped.push(Dropped::QueueFull);
            return dropped;
        }
        self.bytes += entry.body.len();
        let number = self.next_number;
        self.since.insert(number, entry.since);
        self.next_number += 1;
        let run = entry.run;
        let lane = self.lanes.entry(run).or_default();
        lane.entries.push_back((number, entry));
        if lane.entries.len() == 1 && !lane.in_flight {
            self.ready.insert((0, number, run));
        }
        dropped
    }

    /// Drops one event that only says that its run is known.
    fn drop_minor(&mut self) -> bool {
        let is_candidate =
            |lane: &Lane| !lane.in_flight && lane.entries.front().is_some_and(|(_, entry)| entry.is_minor);
        // The scan is over the runs that wait, and only while the queue is full.
        let oldest = self.lanes.iter().filter(|(_, lane)| is_candidate(lane));
        let oldest = oldest.filter_map(|(run, lane)| Some((lane.entries.front()?.0, *run))).min();
        let Some((_, run)) = oldest else { return false };
        self.leave(run);
        self.remove_first(run);
        true
    }

    /// What to do at `now`.
    #[must_use]
    pub fn next(&mut self, now: Time) -> Next {
        let most = if self.is_failing() { 1 } else { MAX_IN_FLIGHT };
        if self.in_flight >= most {
            return Next::Wait;
        }
        let Some(first) = self.ready.first().copied() else { return Next::Wait };
        if now < self.not_before {
            return Next::WaitUntil(self.not_before);
        }
        self.ready.remove(&first);
        let (_, _, run) = first;
        let Some(lane) = self.lanes.get_mut(&run) else { return Next::Wait };
        let Some((_, entry)) = lane.entries.front() else { return Next::Wait };
        lane.in_flight = true;
        self.in_flight += 1;
        Next::Send(Ticket { run, body: entry.body.clone() })
    }

    /// What came of the event that was being sent for this run. Returns why it was dropped, if it was. `jitter` is from 0
    /// to 1.
    pub fn answered(&mut self, run: Uuid, outcome: Outcome, now: Time, jitter: f64) -> Option<Dropped> {
        let lane = self.lanes.get_mut(&run).filter(|lane| lane.in_flight)?;
        lane.in_flight = false;
        self.in_flight -= 1;
        match outcome {
            Outcome::Delivered => {
                self.delivered += 1;
                self.failures = 0;
                self.not_before = Time::ZERO;
                self.remove_first(run);
                None
            }
            Outcome::Refused => {
                // The receiver is there, and answers.
                self.failures = 0;
                self.not_before = Time::ZERO;
                self.remove_first(run);
                Some(Dropped::Refused)
            }
            Outcome::Retry(wish) => {
                if lane.attempts == 0 {
                    lane.delivered_then = self.delivered;
                }
                lane.attempts += 1;
                let (attempts, delivered_then) = (lane.attempts, lane.delivered_then);
                let pause = MIN_PAUSE
                    .saturating_mul(1 << self.failures.min(10))
                    .min(MAX_PAUSE)
                    .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0);
                let pause = wish.map_or(pause, |wish| wish.min(MAX_WISH).max(pause));
                self.failures = self.failures.saturating_add(1);
                self.not_before = self.not_before.max(now.saturating_add(pause));
                if attempts >= MAX_ATTEMPTS && self.delivered > delivered_then {
                    self.remove_first(run);
                    return Some(Dropped::FailedAlone);
                }
                let number = lane.entries.front().map_or(0, |(number, _)| *number);
                self.ready.insert((attempts, number, run));
                None
            }
        }
    }

    /// Takes the run out of those that may be sent.
    fn leave(&mut self, run: Uuid) {
        if let Some(lane) = self.lanes.get(&run)
            && let Some((number, _)) = lane.entries.front()
        {
            self.ready.remove(&(lane.attempts, *number, run));
        }
    }

    /// Removes the first event of the run; the next one may be sent.
    fn remove_first(&mut self, run: Uuid) {
        let Some(lane) = self.lanes.get_mut(&run) else { return };
        if let Some((number, entry)) = lane.entries.pop_front() {
            self.since.remove(&number);
            self.bytes -= entry.body.len();
        }
        lane.attempts = 0;
        match lane.entries.front() {
            Some((number, _)) => drop(self.ready.insert((0, *number, run))),
            None => drop(self.lanes.remove(&run)),
        }
    }
}

#[cfg(test)]
mod tests;
