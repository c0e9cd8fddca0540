//! A receiver of OpenLineage events.
//!
//! - [`receiver`]: takes events over HTTP, refuses what the specification refuses, and answers otherwise as a test says.
//! - [`validation`]: what the specification requires of an event.
//! - [`events`]: the events of one run.

pub mod events;
pub mod receiver;
mod validation;

pub use self::receiver::{Answer, Receiver};
