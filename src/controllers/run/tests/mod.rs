//! Tests of the plan: tables, properties, and the model of the start protocol.

mod concurrency;
mod crawl_start_once;
mod fixture;
mod plan;
mod properties;
mod start_once;
