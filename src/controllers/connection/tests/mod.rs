//! Tests of the plan and of what it compares.

pub(crate) mod fixture;
mod ownership;
mod plan;
mod spec;
mod test_schedule;
