//! One recorded request, and its answer.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Time;

/// The caller and the call.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// `glue`, `logs` or `sts`.
    pub service: &'static str,
    /// The operation's name, like `StartJobRun`.
    pub operation: Arc<str>,
    /// The region in the signature.
    pub region: Arc<str>,
    /// The caller's account; empty when the key is unknown or the signature is refused.
    pub account: Arc<str>,
    /// The caller's ARN; empty when the key is unknown or the signature is refused.
    pub principal: Arc<str>,
    /// The access key's id in the signature.
    pub access_key_id: Arc<str>,
    /// The resource that the request names (job, crawler, trigger, connection) or the role's ARN.
    pub name: Option<String>,
}

/// The answer to a request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The AWS error code, for an error.
    pub code: Option<String>,
    /// Whether the connection was closed instead of sending this answer.
    pub dropped: bool,
    /// Whether the operation ran, whatever answer the client got.
    pub executed: bool,
    /// Whether a fault replaced a successful answer, or a part of it, by another.
    pub rewritten: bool,
}

/// A recorded request.
#[derive(Debug)]
pub struct Request {
    /// The position in the order of arrival, from 1.
    pub sequence: u64,
    /// When it arrived, by the real clock.
    pub received: jiff::Timestamp,
    /// When it arrived, by the double's clock.
    pub at: Time,
    /// The caller and the call.
    pub call: Call,
    pub(super) body: Bytes,
    pub(super) answer: OnceLock<Answer>,
}

impl Request {
    /// The body as JSON. The form of an STS request becomes an object of its fields. Null when the body was not kept
    /// or is not JSON.
    #[must_use]
    pub fn body(&self) -> Value {
        if self.call.service == "sts" {
            let fields = form_urlencoded::parse(&self.body);
            return Value::Object(fields.map(|(k, v)| (k.into_owned(), Value::String(v.into_owned()))).collect());
        }
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as it was sent; empty when it was not kept.
    #[must_use]
    pub fn body_text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    /// A member of the body by its JSON pointer without the leading slash, such as `Arguments/--day`.
    #[must_use]
    pub fn field(&self, path: &str) -> Option<Value> {
        self.body().pointer(&format!("/{path}")).cloned()
    }

    /// The answer; none while the request is being processed or held.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.get()
    }

    /// Whether the answer has HTTP status 200, sent or dropped.
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
