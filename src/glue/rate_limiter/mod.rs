//! The client-side rate limit per account and region: stops before starts before searches before polls, slower when AWS
//! throttles.
//!
//! | module | what it does |
//! |---|---|
//! | `rate` | the rate that AWS's answers show; pure |
//! | `budget` | who gets the next token; pure |
//! | `pace` | how soon a group wants to be polled; pure |
//! | `poll_schedule` | when which group polls the account; pure |
//! | `poll_group` | the shell around it |
//! | [`scope`] | the rate limiter of an account and region |
//!
//! This module is the shell around the first two: it gives the tokens to callers when they are due.

pub(crate) mod budget;
mod pace;
mod poll_group;
pub(crate) mod poll_schedule;
mod rate;
pub mod scope;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

pub use self::budget::ClientId;
use self::budget::{Budget, Next, Ticket};
pub use self::pace::{News, Pace};
pub use self::poll_group::PollGroup;
use self::poll_group::Polls;

/// The priority of a call: the first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// Stops and deletions, and the reads before them: what goes on costs money.
    Stop,
    /// Starts, changes, and the reads before them.
    Start,
    /// Searches through the history of a job.
    Search,
    /// Polls.
    Poll,
}

impl Priority {
    const COUNT: usize = 4;
}

/// Called once, when a caller gets its token.
type OnGranted = Box<dyn FnOnce() + Send>;

/// The rate limit of one account and region.
pub struct RateLimiter {
    state: Mutex<State>,
    /// The rate changed, or a token was returned.
    changed: Notify,
    polls: Polls,
}

struct State {
    budget: Budget,
    /// Those of the waiting callers that want to be called.
    on_granted: HashMap<Ticket, OnGranted>,
    /// Whether a task gives out the tokens. It exists while somebody waits.
    is_driven: bool,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new(None)
    }
}

impl RateLimiter {
    /// A rate limiter. The operator may have said how many calls polls take in a minute at most.
    #[must_use]
    pub fn new(poll_calls_per_minute: Option<u32>) -> Self {
        let budget = Budget::new(Instant::now());
        let state = State { budget, on_granted: HashMap::new(), is_driven: false };
        Self { state: Mutex::new(state), changed: Notify::new(), polls: Polls::new(poll_calls_per_minute) }
    }

    /// Waits for a token. A caller that is dropped gives up its place.
    pub async fn acquire(self: &Arc<Self>, priority: Priority, client: ClientId) {
        let place = self.queue(priority, client);
        if !place.is_granted() {
            let (sender, granted) = oneshot::channel();
            place.on_granted(move || sender.send(()).unwrap_or_default());
            // The sender is called before it is dropped.
            let _ = granted.await;
        }
        place.take();
    }

    /// A place in the queue, or a token if there is one.
    pub fn queue(self: &Arc<Self>, priority: Priority, client: ClientId) -> Place {
        let ticket = self.state().budget.enqueue(priority, client);
        if self.grant().is_some() {
            let is_driven = std::mem::replace(&mut self.state().is_driven, true);
            if !is_driven {
                tokio::spawn(Arc::clone(self).drive());
            }
        }
        Place { limiter: Arc::clone(self), client, ticket: Some(ticket) }
    }

    /// The calls per second that are allowed now.
    pub fn rate(&self) -> f64 {
        self.state().budget.rate.at(Instant::now())
    }

    /// Records that AWS throttled a call.
    pub fn record_throttle(&self) {
        self.state().budget.record_throttle(Instant::now());
    }

    /// Records any other response.
    pub fn record_response(&self) {
        self.state().budget.rate.record_response(Instant::now());
    }

    /// Takes over the rate of `other`, where that is lower.
    fn adopt_lower_rate(&self, other: &Self) {
        let other = other.state().budget.rate.clone();
        self.state().budget.rate.adopt_lower(&other, Instant::now());
    }

    /// Gives out tokens while somebody waits.
    async fn drive(self: Arc<Self>) {
        loop {
            if let Some(at) = self.grant() {
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.changed.notified() => {}
                }
                continue;
            }
            let mut state = self.state();
            if state.budget.is_idle() {
                state.is_driven = false;
                return;
            }
        }
    }

    /// Gives out all tokens of now. When the next is due, if somebody waits for it.
    fn grant(&self) -> Option<Instant> {
        loop {
            let mut state = self.state();
            match state.budget.next(Instant::now()) {
                Next::Granted(ticket) => {
                    let on_granted = state.on_granted.remove(&ticket);
                    drop(state);
                    if let Some(on_granted) = on_granted {
                        on_granted();
                    }
                }
                Next::At(at) => return Some(at),
                Next::Idle => return None,
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue of a rate limiter, and then the token. Dropping it gives up the place, or returns the token.
pub struct Place {
    limiter: Arc<RateLimiter>,
    client: ClientId,
    /// `None` once the token is taken.
    ticket: Option<Ticket>,
}

impl Place {
    /// Whether it is a place of `client`.
    #[must_use]
    pub fn is_of(&self, client: ClientId) -> bool {
        self.client == client
    }

    /// Whether the token is there.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        self.ticket.is_none_or(|ticket| !self.limiter.state().budget.is_waiting(ticket))
    }

    /// Has `call` called when the token is there; at once, when it is there already.
    pub fn on_granted(&self, call: impl FnOnce() + Send + 'static) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.limiter.state();
        if state.budget.is_waiting(ticket) {
            state.on_granted.insert(ticket, Box::new(call));
        } else {
            drop(state);
            call();
        }
    }

    /// Uses the token up.
    pub fn take(mut self) {
        self.ticket = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let on_granted = {
            let mut state = self.limiter.state();
            state.budget.cancel(ticket, Instant::now());
            state.on_granted.remove(&ticket)
        };
        drop(on_granted);
        self.limiter.changed.notify_one();
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("ticket", &self.ticket).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimiter").field("budget", &self.state().budget).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
