//! Polls a call on a large stack.
//!
//! The SDK reads the nodes of a visual job (`CodeGenConfigurationNodes`) in one function for each of some eighty types, which
//! in an unoptimized build takes more than the 2 MiB that a worker of tokio has.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The bytes of the stack: twice what an answer with visual jobs was seen to take.
const SIZE: usize = 8 * 1024 * 1024;

/// A future that is polled on a large stack.
pub(super) struct OnLargeStack<F>(Pin<Box<F>>);

/// The same future, polled on a large stack.
pub(super) fn on_large_stack<F: Future>(future: F) -> OnLargeStack<F> {
    OnLargeStack(Box::pin(future))
}

impl<F: Future> Future for OnLargeStack<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        stacker::maybe_grow(SIZE / 2, SIZE, || self.0.as_mut().poll(context))
    }
}
