//! The life of a run, for every kind that has one: decided by a pure function, carried out by a thin shell.
//!
//! The way of one object through these rooms:
//!
//! 1. the watch, the poller, a changed Secret or a line that moves wakes it, and the
//!    [`shell`](super::shell) begins a pass;
//! 2. [`life`] gathers what is known into [`facts::Facts`]: the object, the client, the poller's last
//!    sight, and what this process remembers ([`memory`]);
//! 3. [`plan::plan`] says which status must stand, and the one step that may follow;
//! 4. the shell writes the status when it differs, else has the step taken, and plans again with what was
//!    learnt, until the plan says to rest. What is told of it is in [`story`].
//!
//! A kind adds what only it knows: [`kind::RunKind`].

pub mod attempts;
mod beginning;
pub mod conditions;
mod drafts;
mod ending;
pub mod facts;
mod following;
pub mod kind;
pub mod life;
pub mod memory;
pub mod plan;
pub mod step;
pub mod story;
pub mod turn;

pub use kind::RunKind;

#[cfg(test)]
mod crawl_interleavings;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod turn_tests;
