//! A receiver of OpenLineage events, and what a reader makes of them.
//!
//! - [`receiver`]: takes events over HTTP, refuses what the specification refuses, and answers otherwise as a test says.
//! - [`validation`]: what the specification requires of an event.
//! - [`events`]: the events of one run.
//! - [`graph`]: the graph that the events make.

pub mod events;
pub mod graph;
pub mod receiver;
mod validation;

pub use self::receiver::{Answer, Receiver};
