//! Tests of the plan: tables, properties, and the model of the start protocol.

mod firing;
mod local_state;
mod plan;
mod properties;
