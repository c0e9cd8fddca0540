//! The lifecycle of a declared resource: kept in line with its spec for as long as the object exists.
//!
//! 1. The watch registers in [`ownership`](super::runtime::ownership) which Glue resource the object declares, before
//!    any object acts;
//! 2. a pass gathers [`facts::Facts`]: the object, its inputs, the ownership, and the poller's last observation, which
//!    is never older than the controller's last change;
//! 3. the kind's plan ([`kind::DeclaredKind::plan`]) answers with the status and the one step that may follow;
//! 4. [`lifecycle`] makes the call, has the poller look again soon, and plans again.

pub mod conditions;
pub mod events;
pub mod facts;
pub mod kind;
pub mod lifecycle;

pub use kind::DeclaredKind;
