//! Tests of the plan: tables, properties, and the model of the start protocol.

mod firing;
mod plan;
mod properties;
mod start_once;

pub(super) use self::firing::wants_a;
