//! Tests of the run plan: tables and properties. (The model of the start protocol: `runtime/tests/start_once`.)

mod concurrency;
mod earlier_run;
pub(crate) mod fixture;
mod late_sight;
mod other_namespaces;
mod plan;
mod properties;
mod resume;
mod retries;
mod unclear_start;
mod waiting;
