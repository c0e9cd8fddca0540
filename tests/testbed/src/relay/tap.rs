//! What the relay asks of whoever disturbs a client.

use serde_json::Value;

/// A write to an object of `kube-glue.dev`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The HTTP method: `PATCH`, `DELETE`, ...
    pub method: String,
    /// The plural of the kind.
    pub plural: String,
    /// The subresource, or empty.
    pub subresource: String,
}

/// An event of a watch on objects of `kube-glue.dev`.
#[derive(Debug, Clone)]
pub struct WatchEvent {
    /// The plural of the kind.
    pub plural: String,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub kind: String,
    /// The object.
    pub object: Value,
}

/// What becomes of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent, and the client gets the answer.
    Send,
    /// It is not sent, and the client gets no answer.
    Drop,
    /// It is sent, and the client gets no answer.
    LoseAnswer,
}

/// What becomes of an event.
#[derive(Debug, Clone)]
pub enum Fate {
    /// The client gets these events instead, in this order.
    Deliver(Vec<WatchEvent>),
    /// The connection ends.
    Close,
}

/// What disturbs a client. The methods are called in the order of what happens on a connection, and return at once.
pub trait Tap: Send + Sync {
    /// The client sends a write.
    fn on_write(&self, write: &Write) -> Verdict;

    /// A write was answered with this HTTP status, before the client has it.
    fn on_written(&self, write: &Write, verdict: Verdict, code: u16);

    /// A watch begins: a list of what is there follows, as events, before [`Tap::on_listed`].
    fn on_list(&self, plural: &str);

    /// A watch has an event for the client. `in_list` says whether it is part of the list at its beginning.
    fn on_event(&self, event: WatchEvent, in_list: bool) -> Fate;

    /// The list at the beginning of a watch has ended: events to send before the client knows.
    fn on_listed(&self, plural: &str) -> Vec<WatchEvent>;

    /// Events that are due although the API server has sent none. Called many times a second for each watch.
    fn turn(&self, plural: &str) -> Fate;

    /// Whether the client may still speak.
    fn is_alive(&self) -> bool;
}
