//! The integration tests: the real controller against a real API server and the double of Glue and STS.
//!
//! One control plane serves all tests; each test has a [`harness::World`] of its own: a namespace, a double
//! with a clock, and controller processes that watch that namespace only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod argo;
mod arguments;
mod cel;
mod chart;
mod connections;
mod cost;
mod crawls;
mod crds;
mod credentials;
mod docs;
mod harness;
mod leak;
mod life;
mod proxy;
mod rights;
mod smoke;
mod start_once;
mod stops;
mod tenancy;
mod triggers;
