//! A model of Glue: accounts that count calls, jobs and workflows with places that get free late, lists that show runs
//! late, stops that lie, runs that stay in STOPPING, and jobs that are deleted under their runs.
//!
//! | module | what it is |
//! |---|---|
//! | [`job`] | jobs and their runs |
//! | [`episode`] | what Glue refuses, to which callers and for how long |
//! | [`network`] | what becomes of a call on its way |

pub mod episode;
pub mod job;
pub mod network;

use std::collections::BTreeMap;

use self::episode::{Episode, Operation, Refusal};
use self::job::{Job, Run};
use super::time::{Ms, SECOND};
use crate::glue::ErrorKind;

/// A set of credentials: one client of the controller. A tenant has one.
pub type ClientId = usize;

/// An account, which counts calls.
#[derive(Clone, Debug)]
pub struct Account {
    /// Calls per second.
    pub rate: f64,
    tokens: f64,
    filled: Ms,
}

impl Account {
    pub fn new(rate: f64) -> Self {
        Self { rate, tokens: rate, filled: 0 }
    }

    #[allow(clippy::cast_precision_loss, reason = "a virtual day has few milliseconds")]
    fn takes(&mut self, now: Ms) -> bool {
        let passed = now.saturating_sub(self.filled) as f64 / SECOND as f64;
        self.tokens = (self.tokens + passed * self.rate).min(self.rate);
        self.filled = now;
        let takes = self.tokens >= 1.0;
        if takes {
            self.tokens -= 1.0;
        }
        takes
    }
}

/// Who calls, and what about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub client: ClientId,
    /// The object of a start or stop, by the number of its plan.
    pub plan: Option<usize>,
}

/// Glue, as it is.
#[derive(Debug, Default)]
pub struct Glue {
    pub accounts: Vec<Account>,
    /// The account of each client.
    pub clients: Vec<usize>,
    pub jobs: BTreeMap<String, Job>,
    pub runs: Vec<Run>,
    pub episodes: Vec<Episode>,
    /// Calls by operation.
    pub calls: BTreeMap<Operation, u64>,
    /// When each account last throttled a call.
    pub throttled: BTreeMap<usize, Ms>,
}

impl Glue {
    /// Whether Glue takes the call at all.
    fn admit(&mut self, now: Ms, who: &Caller, operation: Operation, target: &str) -> Result<(), ErrorKind> {
        *self.calls.entry(operation).or_default() += 1;
        let account = self.clients[who.client];
        if !self.accounts[account].takes(now) {
            self.throttled.insert(account, now);
            return Err(ErrorKind::Throttled);
        }
        match self.refusal(now, who, operation, target) {
            Some(Refusal::Denied(_)) => Err(ErrorKind::Denied),
            Some(Refusal::Unreadable) => Err(ErrorKind::Ambiguous),
            _ => Ok(()),
        }
    }

    /// The refusal that an episode has for this call.
    pub fn refusal(&self, now: Ms, who: &Caller, operation: Operation, target: &str) -> Option<&Refusal> {
        let account = self.clients[who.client];
        let episode = self.episodes.iter().find(|episode| episode.refuses(now, account, who, operation, target));
        episode.map(|episode| &episode.refusal)
    }
}
