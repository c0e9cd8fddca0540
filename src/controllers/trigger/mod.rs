//! What only a trigger knows: how it is held in its state, and how one of type ON_DEMAND is fired.
//!
//! | room | what is in it |
//! |---|---|
//! | [`plan`] | decides; pure |
//! | `holding` | one that has a state: brought to it, and back to it |
//! | `firing` | one of type ON_DEMAND: fired once for each new value |
//! | `intake` | which values of fire are new |
//! | `intents` | the intent to fire |
//! | `showing` | the trigger as Glue has it, in the status |
//! | `drafts` | the building blocks of plans |
//! | [`memory`] | what the process remembers of an object, and what a pass learns |
//! | `kind` | the kind, and its calls |

mod drafts;
mod firing;
mod holding;
mod intake;
mod intents;
mod kind;
pub mod memory;
pub mod plan;
mod showing;

#[cfg(test)]
mod firing_tests;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod lives;
#[cfg(test)]
mod plan_tests;
