//! Integration tests: the real controller against a real API server and a double of Glue and STS.
//!
//! All tests share one control plane. Each has a [`harness::TestEnv`] of its own: a namespace, a double with a
//! clock, and controller processes that watch that namespace only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod argocd;
mod arguments;
mod aws_connection;
mod backlog;
mod batching;
mod chart;
mod connections;
mod crawler_runs;
mod crds;
mod credentials;
mod deletion_ends;
mod docs;
mod events;
mod fault_matrix;
mod harness;
mod inventory;
mod job_runs;
mod lineage;
mod memory;
mod plugin;
mod rbac;
mod request_cost;
mod secret_leaks;
mod smoke;
mod start_once;
mod supply_chain;
mod tenancy;
mod triggers;
mod validation;
mod workflow_runs;
