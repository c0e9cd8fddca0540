//! Tests of the trigger plan: tables and properties. (The model of the start protocol: `runtime/tests/start_once`.)

pub(crate) mod firing;
mod local_state;
pub(crate) mod plan;
mod properties;
