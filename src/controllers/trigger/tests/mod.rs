//! Tests of the trigger plan: tables and properties. (The model of the start protocol: `runtime/tests/start_once`.)

mod deletion;
pub(crate) mod firing;
mod local_state;
mod ownership;
pub(crate) mod plan;
mod properties;
