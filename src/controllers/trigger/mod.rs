//! `GlueTrigger`: kept activated or deactivated; one of type ON_DEMAND, fired.
//!
//! | module | what it does |
//! |---|---|
//! | [`plan`] | decides; pure |
//! | `activation` | a trigger that has a state: switched to the state of the spec, and back to it |
//! | `firing` | a trigger of type ON_DEMAND: fired once for each new value of `spec.fire` |
//! | `requests` | which values of `spec.fire` are new |
//! | `intent` | the intent to fire, as it is recorded in the status |
//! | `render` | the trigger as Glue shows it, in the status |
//! | `status` | the status builder |
//! | [`local_state`] | what the process keeps about an object, and the state of a pass |
//! | `kind` | the kind, and its calls |

mod activation;
mod firing;
mod intent;
mod kind;
pub mod local_state;
pub mod plan;
mod render;
mod requests;
mod status;

#[cfg(test)]
mod tests;
