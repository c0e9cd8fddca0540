//! How the product's polls and searches call the model: they wait at a mailbox for which the world takes the call, and
//! leaves the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use super::calls::{Answer, CallTo};
use super::glue::job::Listed;
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

    /// A page of the runs of a target, by its token, and the token of the next page.
    pub async fn list(&self, target: &str, token: Option<String>) -> Result<(Vec<Listed>, Option<String>), Error> {
        let page = token.and_then(|token| token.parse().ok()).unwrap_or(0);
        match self.ask(CallTo::List { page }).await? {
            Answer::Page(runs, more) => Ok((runs, more.then(|| (page + 1).to_string()))),
            _ => Err(not_understood(target)),
        }
    }

    /// One run of a target.
    pub async fn get(&self, target: &str, id: &str) -> Result<Listed, Error> {
        match self.ask(CallTo::Get { id: id.to_owned() }).await? {
            Answer::Run(run) => Ok(*run),
            _ => Err(not_understood(target)),
        }
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
pub fn not_understood(target: &str) -> Error {
    let (code, message) = ("AnswerNotUnderstood".to_owned(), String::new());
    Error { operation: "List", object: target.to_owned(), kind: ErrorKind::Transient, code, message }
}
