//! The record of every request that reached the double.
//!
//! A request is recorded when it arrives, and its answer when it is decided. A test reads which requests were sent
//! and how often, or waits for a request. Waits are woken by requests and answers; they do not poll.

mod request;
mod selection;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
pub use request::{Answer, Call, Request};
pub use selection::Selection;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::clock::Time;

/// Bodies longer than this many bytes are not kept.
const MAX_BODY: usize = 256 * 1024;
/// The most bytes of all kept bodies together. The oldest requests are dropped first.
const MAX_ALL_BODIES: usize = 256 * 1024 * 1024;
/// The most requests that are kept. The counts include those dropped.
const MAX_REQUESTS: usize = 1_000_000;

/// How much of each request is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Keep {
    /// Everything (the default).
    #[default]
    All = 0,
    /// Everything but the bodies.
    NoBodies = 1,
    /// Only the number of requests by operation.
    Counts = 2,
}

#[derive(Debug, Default)]
struct Log {
    all: VecDeque<Arc<Request>>,
    counts: HashMap<Arc<str>, u64>,
    total: u64,
    body_bytes: usize,
}

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    keep: AtomicU8,
    changed: watch::Sender<u64>,
}

/// A handle on the record of one double.
#[derive(Clone, Debug)]
pub struct Requests(Arc<Shared>);

impl Default for Requests {
    fn default() -> Self {
        let (changed, _) = watch::channel(0);
        Self(Arc::new(Shared { log: Mutex::default(), keep: AtomicU8::new(Keep::All as u8), changed }))
    }
}

impl Requests {
    /// Sets how much of each request is recorded from now on.
    pub fn keep(&self, keep: Keep) {
        self.0.keep.store(keep as u8, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, at: Time, call: Call, body: Bytes) -> Arc<Request> {
        let keep = self.0.keep.load(Ordering::Relaxed);
        let body = if keep == Keep::All as u8 && body.len() <= MAX_BODY { body } else { Bytes::new() };
        let mut log = self.0.log.lock();
        log.total += 1;
        let request = Arc::new(Request {
            sequence: log.total,
            received: jiff::Timestamp::now(),
            at,
            call,
            body,
            answer: OnceLock::new(),
        });
        *log.counts.entry(request.call.operation.clone()).or_default() += 1;
        if keep != Keep::Counts as u8 {
            log.body_bytes += request.body.len();
            log.all.push_back(request.clone());
            while log.all.len() > MAX_REQUESTS || log.body_bytes > MAX_ALL_BODIES {
                let Some(oldest) = log.all.pop_front() else {
                    break;
                };
                log.body_bytes -= oldest.body.len();
            }
        }
        drop(log);
        self.0.changed.send_modify(|n| *n += 1);
        request
    }

    pub(crate) fn record_answer(&self, request: &Request, answer: Answer) {
        if request.answer.set(answer).is_ok() {
            self.0.changed.send_modify(|n| *n += 1);
        }
    }

    /// Clears the record and the counts. Sequence numbers go on.
    pub fn clear(&self) {
        let mut log = self.0.log.lock();
        log.all.clear();
        log.counts.clear();
        log.body_bytes = 0;
    }

    /// The number of requests for an operation, whatever their answer.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.0.log.lock().counts.get(operation).copied().unwrap_or(0)
    }

    /// The number of requests by operation.
    #[must_use]
    pub fn counts(&self) -> HashMap<String, u64> {
        self.0.log.lock().counts.iter().map(|(operation, n)| (operation.to_string(), *n)).collect()
    }

    /// The number of requests since the start or the last [`Requests::clear`].
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.log.lock().counts.values().sum()
    }

    /// The kept requests, oldest first.
    #[must_use]
    pub fn all(&self) -> Selection {
        Selection(self.0.log.lock().all.iter().cloned().collect())
    }

    /// The kept requests for an operation, oldest first.
    #[must_use]
    pub fn of(&self, operation: &str) -> Selection {
        let log = self.0.log.lock();
        Selection(log.all.iter().filter(|r| &*r.call.operation == operation).cloned().collect())
    }

    /// Waits until `predicate` holds. It is evaluated now, and whenever a request arrives or is answered.
    pub async fn wait_until(&self, mut predicate: impl FnMut(&Requests) -> bool) {
        let mut changes = self.0.changed.subscribe();
        loop {
            changes.borrow_and_update();
            if predicate(self) {
                return;
            }
            if changes.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Waits until at least `count` requests for an operation have arrived.
    pub async fn wait_for_count(&self, operation: &str, count: u64) {
        self.wait_until(|requests| requests.count(operation) >= count).await;
    }

    /// Waits for the first kept request that matches and returns it. Requests before the call count too.
    pub async fn wait_for(&self, mut matches: impl FnMut(&Request) -> bool) -> Arc<Request> {
        let mut found = None;
        self.wait_until(|requests| {
            found = requests.0.log.lock().all.iter().find(|request| matches(request)).cloned();
            found.is_some()
        })
        .await;
        match found {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }

    /// Waits until no request has arrived or been answered for the duration `quiet`, in real time.
    pub async fn wait_for_quiet(&self, quiet: Duration) {
        let mut changes = self.0.changed.subscribe();
        while tokio::time::timeout(quiet, changes.changed()).await.is_ok_and(|change| change.is_ok()) {}
    }
}
