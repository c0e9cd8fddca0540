//! How the product's polls and searches call the model: they wait at a mailbox for which the world takes the call, and
//! leaves the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::calls::{Answer, CallTo};
use crate::glue::{Error, ErrorKind};

/// The call that a reader waits for, and its answer.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Mutex<Content>>);

#[derive(Debug, Default)]
struct Content {
    call: Option<CallTo>,
    answer: Option<Result<Answer, Error>>,
}

impl Mailbox {
    /// Makes a call, and is ready when the model has answered.
    pub async fn ask(&self, call: CallTo) -> Result<Answer, Error> {
        self.content().call = Some(call);
        std::future::poll_fn(|_| self.content().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// The call that the reader has made since the last time.
    pub fn take_call(&self) -> Option<CallTo> {
        self.content().call.take()
    }

    pub fn answer(&self, answer: Result<Answer, Error>) {
        self.content().answer = Some(answer);
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of an answer to another call.
pub fn not_understood(job: &str) -> Error {
    let (code, message) = ("AnswerNotUnderstood".to_owned(), String::new());
    Error { operation: "GetJobRuns", object: job.to_owned(), kind: ErrorKind::Transient, code, message }
}
