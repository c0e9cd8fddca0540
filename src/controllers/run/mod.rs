//! The lifecycle of a run: started once, followed to its end, retried, stopped.
//!
//! 1. The watch, the poller, a changed Secret or the queue requeues the object, and the
//!    [`reconciler`](super::runtime::reconciler) begins a pass;
//! 2. [`lifecycle`] gathers [`facts::Facts`]: the object, the client, the poller's last observation, and what this
//!    process keeps about the object ([`local_state`]);
//! 3. [`plan::plan`] answers with the status and the one step that may follow;
//! 4. the reconciler writes the status when it differs, else takes the step, and plans again. [`events`] derives the
//!    Event of each transition from two statuses.
//!
//! A kind supplies what only it knows: [`kind::RunKind`].

pub mod attempts;
pub mod concurrency;
pub mod conditions;
pub mod events;
pub mod facts;
mod finish;
mod follow;
pub mod kind;
pub mod lifecycle;
pub mod links;
pub mod local_state;
pub mod plan;
mod start;
mod status;
pub mod step;

pub use kind::RunKind;

#[cfg(test)]
mod tests;
