//! Tests of the plan: tables, properties, and the model of the start protocol.

mod concurrency;

pub(crate) mod fixture;
mod plan;
mod properties;
