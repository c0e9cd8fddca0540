//! The record of every request that reached the double.
//!
//! A request is entered when it arrives, and its answer is added when that is decided. A test asks what was
//! sent and how often, or waits until something was sent; waiting is woken by requests and never polls.

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
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::clock::Time;

/// Bodies longer than this are not kept.
const LONGEST_BODY: usize = 256 * 1024;
/// When the kept requests' bodies together pass this, the oldest requests are let go.
const ALL_BODIES: usize = 256 * 1024 * 1024;
/// How many requests are kept; the counts go on.
const MOST_REQUESTS: usize = 1_000_000;

/// How much of each request is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum Keep {
    /// Everything (the default).
    #[default]
    All = 0,
    /// Everything but the bodies.
    NoBodies = 1,
    /// Only how many requests came, by operation.
    Counts = 2,
}

/// Who called, and what was called.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// `glue` or `sts`.
    pub service: &'static str,
    /// The operation's name, like `StartJobRun`.
    pub operation: Arc<str>,
    /// The region of the signature.
    pub region: Arc<str>,
    /// The caller's account, once the key was recognised.
    pub account: Arc<str>,
    /// The caller's ARN, once the key was recognised.
    pub principal: Arc<str>,
    /// The access key's id as sent.
    pub access_key_id: Arc<str>,
    /// The name of the thing it is about (job, crawler, trigger, connection, role ARN), when there is one.
    pub name: Option<String>,
}

/// How a request was answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The AWS error code, when it was an error.
    pub code: Option<String>,
    /// The connection was closed instead of sending this answer.
    pub dropped: bool,
    /// Whether the operation ran, whatever the client was told.
    pub executed: bool,
}

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Its place in the order of arrival, from 1.
    pub sequence: u64,
    /// When it arrived, on the real clock.
    pub received: jiff::Timestamp,
    /// When it arrived, on the double's clock.
    pub at: Time,
    /// Who called, and what.
    pub call: Call,
    body: Bytes,
    answer: OnceLock<Answer>,
}

impl Request {
    /// The body as JSON (STS forms as an object of their fields); null when it was not kept or is not JSON.
    #[must_use]
    pub fn body(&self) -> Value {
        if self.call.service == "sts" {
            let fields = form_urlencoded::parse(&self.body);
            return Value::Object(fields.map(|(k, v)| (k.into_owned(), Value::String(v.into_owned()))).collect());
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as it came.
    #[must_use]
    pub fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// One member of the body by its JSON pointer without the first slash, such as `Arguments/--day`.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<Value> {
        self.body().pointer(&format!("/{path}")).cloned()
    }

    /// How it was answered; none while it is being executed on or held.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.get()
    }

    /// Whether it was answered with HTTP 200, or would have been had the answer not been dropped.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.answer.get().is_some_and(|answer| answer.status == 200)
    }

    /// Whether the answer was dropped.
    #[must_use]
    pub fn dropped(&self) -> bool {
        self.answer.get().is_some_and(|answer| answer.dropped)
    }

    pub(crate) fn to_json(&self) -> Value {
        serde_json::json!({
            "sequence": self.sequence,
            "received": self.received.to_string(),
            "at": self.at,
            "call": self.call,
            "body": self.body(),
            "answer": self.answer(),
        })
    }
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
    /// Sets how much of each request is kept from now on.
    pub fn keep(&self, keep: Keep) {
        self.0.keep.store(keep as u8, Ordering::Relaxed);
    }

    pub(crate) fn record(&self, at: Time, call: Call, body: Bytes) -> Arc<Request> {
        let keep = self.0.keep.load(Ordering::Relaxed);
        let body = if keep == Keep::All as u8 && body.len() <= LONGEST_BODY { body } else { Bytes::new() };
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
            while log.all.len() > MOST_REQUESTS || log.body_bytes > ALL_BODIES {
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

    /// Forgets everything up to now, the counts too. Sequence numbers go on.
    pub fn clear(&self) {
        let mut log = self.0.log.lock();
        log.all.clear();
        log.counts.clear();
        log.body_bytes = 0;
    }

    /// How many requests for an operation arrived, whatever their answer.
    #[must_use]
    pub fn count(&self, operation: &str) -> u64 {
        self.0.log.lock().counts.get(operation).copied().unwrap_or(0)
    }

    /// How many requests arrived, by operation.
    #[must_use]
    pub fn counts(&self) -> HashMap<String, u64> {
        self.0.log.lock().counts.iter().map(|(operation, n)| (operation.to_string(), *n)).collect()
    }

    /// How many requests arrived since the start or the last [`Requests::clear`].
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

    /// Waits until `predicate` holds; looks now, and again whenever a request arrives or is answered.
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

    /// Waits until as many requests for an operation arrived.
    pub async fn wait_for_count(&self, operation: &str, count: u64) {
        self.wait_until(|requests| requests.count(operation) >= count).await;
    }

    /// Waits for the first kept request that fits and returns it; looks at those that came before as well.
    pub async fn wait_for(&self, mut fits: impl FnMut(&Request) -> bool) -> Arc<Request> {
        let mut found = None;
        self.wait_until(|requests| {
            found = requests.0.log.lock().all.iter().find(|request| fits(request)).cloned();
            found.is_some()
        })
        .await;
        match found {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }

    /// Waits until no request has arrived for as long as `quiet`, in real time.
    pub async fn wait_for_quiet(&self, quiet: Duration) {
        let mut changes = self.0.changed.subscribe();
        while tokio::time::timeout(quiet, changes.changed()).await.is_ok_and(|change| change.is_ok()) {}
    }
}

/// Some requests, oldest first, to narrow further.
#[derive(Clone, Debug)]
pub struct Selection(Vec<Arc<Request>>);

impl Selection {
    /// Those that are about the thing with this name.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.matching(|request| request.call.name.as_deref() == Some(name))
    }

    /// Those from this account.
    #[must_use]
    pub fn account(self, account: &str) -> Self {
        self.matching(|request| &*request.call.account == account)
    }

    /// Those for this region.
    #[must_use]
    pub fn region(self, region: &str) -> Self {
        self.matching(|request| &*request.call.region == region)
    }

    /// Those that arrived after the one with this sequence number.
    #[must_use]
    pub fn after(self, sequence: u64) -> Self {
        self.matching(|request| request.sequence > sequence)
    }

    /// Those whose operation ran and succeeded, whether or not the client was told.
    #[must_use]
    pub fn succeeded(self) -> Self {
        self.matching(Request::succeeded)
    }

    /// Those that fit.
    #[must_use]
    pub fn matching(mut self, mut fits: impl FnMut(&Request) -> bool) -> Self {
        self.0.retain(|request| fits(request));
        self
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl std::ops::Deref for Selection {
    type Target = [Arc<Request>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl IntoIterator for Selection {
    type Item = Arc<Request>;
    type IntoIter = std::vec::IntoIter<Arc<Request>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
