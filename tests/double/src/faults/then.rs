//! The effects of faults on calls.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Rewrite;

/// The effect of a fault on a call. "Nothing done" means that the operation does not run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "do")]
pub enum Then {
    /// `ThrottlingException`, nothing done.
    Throttle,
    /// This error, nothing done.
    Error {
        /// The AWS error code.
        code: String,
        /// The HTTP status.
        status: u16,
        /// The message.
        message: String,
    },
    /// `AccessDeniedException`, nothing done.
    AccessDenied,
    /// `InternalServiceException` with HTTP 500, nothing done.
    Http500,
    /// `ServiceUnavailable` with HTTP 503, nothing done.
    Http503,
    /// HTTP 500 after the operation has run, so that the client does not know its outcome.
    Http500AfterWork,
    /// `ExpiredTokenException`, nothing done.
    ExpiredToken,
    /// Waits before the operation runs, in real time.
    Delay {
        /// In JSON, seconds.
        #[serde(with = "crate::seconds")]
        time: Duration,
    },
    /// Runs the operation, then waits before the answer, in real time.
    DelayAnswer {
        /// In JSON, seconds.
        #[serde(with = "crate::seconds")]
        time: Duration,
    },
    /// Holds the call before the operation runs, until [`Faults::release`] or [`Faults::clear`].
    ///
    /// [`Faults::release`]: super::Faults::release
    /// [`Faults::clear`]: super::Faults::clear
    Hold,
    /// Runs the operation, then holds the answer until [`Faults::release`] or [`Faults::clear`].
    ///
    /// [`Faults::release`]: super::Faults::release
    /// [`Faults::clear`]: super::Faults::clear
    HoldAnswer,
    /// Runs the operation, then closes the connection without an answer.
    DropAnswerAfterWork,
    /// Closes the connection, nothing done.
    DropConnectionBefore,
    /// Reads show an earlier state, by the double's clock: runs and crawls have their states of that time, and
    /// runs, crawls and connections that were created later are missing. Writes are not affected. Triggers and
    /// definitions are read as they are now.
    StaleRead {
        /// How old the state is; in JSON, seconds.
        #[serde(with = "crate::seconds")]
        age: Duration,
    },
    /// Runs the operation, then answers with HTTP 200 and this text instead, such as a proxy's page.
    AnswerText {
        /// The body of the answer.
        text: String,
    },
    /// Runs the operation, then changes the body of a successful answer.
    RewriteAnswer {
        /// What is changed.
        rewrite: Rewrite,
    },
    /// Nothing done, and an answer as if the operation had run. Reads are not affected.
    Lie,
}

impl Then {
    /// An error by code, with HTTP status 400.
    #[must_use]
    pub fn error(code: &str, message: &str) -> Self {
        Self::Error { code: code.to_owned(), status: 400, message: message.to_owned() }
    }

    /// An answer that is neither JSON nor XML of AWS: the page of a proxy.
    #[must_use]
    pub fn proxy_page() -> Self {
        Self::AnswerText { text: "<html><body>Please sign in to continue.</body></html>".to_owned() }
    }
}
