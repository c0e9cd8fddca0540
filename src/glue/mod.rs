//! AWS for the controllers: typed calls, errors by kind, identities, and Glue as a watch.
//!
//! | module | what it does |
//! |---|---|
//! | [`error`] | the error of an AWS call, by kind |
//! | [`aws`] | the adapter to the AWS SDK, and the only code that uses it |
//! | [`identity`] | resolves the AWS identity of an object; pure |
//! | [`clients`] | caches one client per identity |
//! | [`rate_limiter`] | limits the call rate per account and region: stops before starts before searches before polls |
//! | [`poller`] | turns polls into a watch: one task per group polls Glue and requeues the subscribers of changed items |
//! | [`schedule`] | parses AWS cron expressions |
//! | [`logs`] | the model of logs: where those of a run are, and how streams are read and merged |
//! | [`job_runs`] | the model of job runs, and their source for the poller |
//! | [`crawls`] | the model of crawlers and crawls, and their source for the poller |
//! | [`triggers`] | the model of triggers, and their source for the poller |
//! | [`workflow_runs`] | the model of workflow runs, their outcome, and their source for the poller |
//! | [`inventory`] | the model of all that an account has, and its source for the poller |
//! | [`connections`] | the model of connections, and their source for the poller |
//! | [`documents`] | what is listed of an account, as Glue's own JSON |
//! | [`scripts`] | where the script of a job is |
//! | [`name_filter`] | which names are of interest, by regular expressions |
//! | [`permissions`] | what the credentials may do, as calls show that change nothing |
//!
//! None of these modules uses the Kubernetes API. [`identity`] reads the data of a Secret, which its caller passes in.

pub mod aws;
pub(crate) mod clients;
pub mod connections;
pub(crate) mod crawls;
pub mod documents;
pub(crate) mod error;
pub mod identity;
pub(crate) mod inventory;
pub mod job_runs;
pub mod logs;
pub mod name_filter;
pub mod permissions;
pub(crate) mod poller;
pub(crate) mod rate_limiter;
pub(crate) mod schedule;
pub(crate) mod scripts;
pub(crate) mod triggers;
pub(crate) mod workflow_runs;

pub use aws::Glue;
pub use clients::Clients;
pub use error::{Error, ErrorKind};
