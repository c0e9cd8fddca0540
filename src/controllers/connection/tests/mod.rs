//! Tests of the connection plan and of drift detection.

mod deletion;
pub(crate) mod fixture;
mod ownership;
mod pauses;
mod plan;
mod spec;
mod stored;
mod test_schedule;
