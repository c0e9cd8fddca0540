//! AWS as the controllers need it: the calls, the errors, the identities, and Glue as a watch.
//!
//! | module | what it does |
//! |---|---|
//! | [`error`] | the kinds of errors that AWS answers with |
//! | [`aws`] | the adapter: the only place that knows the AWS SDK |
//! | [`identity`] | which AWS identity an object uses, resolved from its Secret; pure |
//! | [`clients`] | one client per identity, shared by all objects that use it |
//! | [`budget`] | the rate of calls to one account and region: starts and stops before polls, less when throttled |
//! | [`poller`] | Glue as a watch: one task per group asks, compares, and requeues the objects whose item changed |
//! | [`poll_plan`] | how often to poll, and the cheapest way to ask; pure |
//! | [`schedule`] | AWS schedules: in words, and the next time |
//! | [`job_runs`], [`crawls`], [`triggers`], [`connections`] | the model of each, and its source for the poller |
//!
//! Nothing in here knows Kubernetes, except that an identity is read from a Secret's data.

pub mod aws;
pub mod budget;
pub mod clients;
pub mod connections;
pub mod crawls;
pub mod error;
pub mod identity;
pub mod job_runs;
pub mod poll_plan;
pub mod poller;
pub mod schedule;
pub mod triggers;

pub use aws::{Glue, is_known_type};
pub use clients::Clients;
pub use error::{Error, ErrorKind};
