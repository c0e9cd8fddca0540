//! Tests of the plan: tables, properties, and the model of the start protocol.

pub(crate) mod firing;
mod local_state;
pub(crate) mod plan;
mod properties;
