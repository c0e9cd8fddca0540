//! The rate limit: the product's budget for each account, and who waits for its tokens.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::Name;
use super::calls::{GlueCall, Reader};
use super::glue::ClientId;
use super::kind::Simulated;
use super::polls::{Member, Source};
use super::time::{Ms, millis};
use super::world::{Event, World};
use crate::glue::rate_limiter::Priority;
use crate::glue::rate_limiter::budget::{self, Budget, Next, Ticket};
use crate::glue::rate_limiter::poll_schedule::PollSchedule;

/// The tokens of one account in one process.
#[derive(Debug)]
pub struct Tokens {
    pub budget: Budget,
    waiting: BTreeMap<Ticket, Waiter>,
    /// The clients, as the budget knows them.
    clients: BTreeMap<ClientId, budget::ClientId>,
    /// When the budget gives the next token.
    next: Option<Ms>,
    /// When which group polls.
    pub polls: PollSchedule,
    pub members: BTreeMap<Source, Member>,
    /// When the schedule gives a group the next turn to poll.
    pub next_turn: Option<Ms>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            budget: Budget::new(Instant::now()),
            waiting: BTreeMap::new(),
            clients: BTreeMap::new(),
            next: None,
            polls: PollSchedule::new(None, Instant::now()),
            members: BTreeMap::new(),
            next_turn: None,
        }
    }
}

impl Tokens {
    /// The client, as the budget knows it.
    pub fn client(&mut self, client: ClientId) -> budget::ClientId {
        *self.clients.entry(client).or_insert_with(budget::ClientId::next)
    }
}

/// Who waits for a token.
#[derive(Debug)]
pub enum Waiter {
    /// An object that waits to start something. It is reconciled then.
    Start(Name),
    /// The call of a pass.
    Pass(Name, u64),
    /// The call of a search.
    Search(Name, u64, GlueCall),
    /// The call of a poll.
    Poll(Source, GlueCall),
}

impl<K: Simulated> World<K> {
    /// Queues for a token.
    pub fn queue(&mut self, client: ClientId, priority: Priority, waiter: Option<Waiter>) -> Ticket {
        let account = self.glue.clients[client];
        let tokens = self.process.tokens.entry(account).or_default();
        let client = tokens.client(client);
        let ticket = tokens.budget.enqueue(priority, client);
        if let Some(waiter) = waiter {
            tokens.waiting.insert(ticket, waiter);
        }
        self.grant(account);
        ticket
    }

    /// The object is reconciled when the token is there.
    pub fn on_granted(&mut self, client: ClientId, ticket: Ticket, name: &Name) {
        let account = self.glue.clients[client];
        if let Some(tokens) = self.process.tokens.get_mut(&account) {
            tokens.waiting.insert(ticket, Waiter::Start(name.clone()));
        }
    }

    /// The object starts nothing now: another one gets its token.
    pub fn leave_place(&mut self, uid: &str) {
        if let Some((client, ticket)) = self.process.places.remove(uid) {
            self.give_back(client, ticket);
        }
    }

    /// Whether the token is there.
    pub fn is_granted(&mut self, client: ClientId, ticket: Ticket) -> bool {
        let account = self.glue.clients[client];
        self.process.tokens.get(&account).is_none_or(|tokens| !tokens.budget.is_waiting(ticket))
    }

    /// Gives up a place, or returns a token.
    pub fn give_back(&mut self, client: ClientId, ticket: Ticket) {
        let account = self.glue.clients[client];
        if let Some(tokens) = self.process.tokens.get_mut(&account) {
            tokens.budget.cancel(ticket, Instant::now());
            tokens.waiting.remove(&ticket);
        }
        self.grant(account);
    }

    /// Records what Glue answered.
    pub fn record(&mut self, client: ClientId, throttled: bool) {
        let account = self.glue.clients[client];
        let budget = &mut self.process.tokens.entry(account).or_default().budget;
        if throttled {
            budget.record_throttle(Instant::now());
        } else {
            budget.rate.record_response(Instant::now());
        }
    }

    /// Gives out all tokens of now.
    pub fn grant(&mut self, account: usize) {
        loop {
            let Some(tokens) = self.process.tokens.get_mut(&account) else { return };
            match tokens.budget.next(Instant::now()) {
                Next::Idle => return,
                Next::At(at) => {
                    let at = self.now + millis(at.saturating_duration_since(Instant::now())).max(1);
                    if tokens.next.is_none_or(|next| next <= self.now || next > at) {
                        tokens.next = Some(at);
                        self.at(at, Event::Tokens(self.process.number, account));
                    }
                    return;
                }
                Next::Granted(ticket) => match tokens.waiting.remove(&ticket) {
                    Some(Waiter::Start(name)) => self.requeue(&name),
                    Some(Waiter::Pass(name, number)) => {
                        self.at(self.now, Event::Resume(self.process.number, name, number));
                    }
                    Some(Waiter::Search(name, search, call)) => self.send(&call, Reader::Search(name, search)),
                    Some(Waiter::Poll(source, call)) => self.send(&call, Reader::Poll(source)),
                    None => {}
                },
            }
        }
    }
}
