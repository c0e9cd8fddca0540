//! The lifecycle of a declared resource: kept in sync with its spec for as long as the object exists.
//!
//! | module | what it does |
//! |---|---|
//! | [`lifecycle`] | gathers the facts and makes the calls |
//! | [`facts`] | what the plan rests on |
//! | [`mod@plan`] | what must be known before the kind decides; pure |
//! | `waiting` | what an object says that waits for another one; pure |
//! | `deletion` | the end of the object; pure |
//! | [`status`], [`conditions`] | the status builder, and the conditions of each sync state |
//! | [`events`] | the Event of each transition |
//! | [`kind`] | what a kind supplies |

pub mod conditions;
mod deletion;
pub mod events;
pub mod facts;
pub mod kind;
pub mod lifecycle;
pub mod plan;
pub mod status;
mod waiting;

pub use kind::DeclaredKind;
