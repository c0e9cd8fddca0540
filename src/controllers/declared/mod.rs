//! The life of what is declared: a thing in Glue that is kept in line with its spec for as long as the object
//! exists. Triggers and connections live so.
//!
//! The way of one object through these rooms:
//!
//! 1. the watch tells [`claims`](super::claims) which thing in Glue the object is about, before any object acts;
//! 2. a pass gathers [`facts::Facts`]: the object, its inputs, the claim, and the poller's last sight of the
//!    thing, which is never older than what we did to it last;
//! 3. the kind's own pure plan ([`kind::DeclaredKind::plan`]) says which status must stand, and the one step;
//! 4. [`life`] acts, has the poller look again soon, and plans again with what it learnt.
//!
//! What two kinds would otherwise both have to write stands here: [`conditions`], and the [`story`] that
//! Events tell.

pub mod conditions;
pub mod facts;
pub mod kind;
pub mod life;
pub mod story;

pub use kind::DeclaredKind;
