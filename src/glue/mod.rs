//! AWS as the controllers see it: a port in our own words, and everything that keeps calls few and safe.
//!
//! | room | what is in it |
//! |---|---|
//! | [`error`] | the classes of answers that are not good news |
//! | [`job_runs`] | job runs in our own words |
//! | [`connections`] | connections in our own words |
//! | [`crawls`] | crawlers and their crawls in our own words |
//! | [`aws`] | the adapter: the only place that knows the AWS SDK |
//! | [`identity`] | who we are to AWS, worked out from a Secret; pure |
//! | [`clients`] | one client per identity, built once, shared by all |
//! | [`budget`] | how fast an account may be called in a region: starts and stops before polls, slower when throttled |
//! | [`poller`] | Glue as a watch: one task per group asks, compares, and wakes who waits |
//! | [`poll_plan`] | the pure half of the poller: how often, and the cheapest way to ask |
//! | [`triggers`] | triggers in our own words |
//! | [`schedule`] | AWS schedules: in words, and when next |
//! | [`trigger_source`] | triggers and what they have started, as the poller asks for them |
//! | [`job_run_source`] | the runs of one job, as the poller asks for them |
//! | [`connection_source`] | the connections of one catalog, as the poller asks for them |
//! | [`crawl_source`] | the crawls of all crawlers, likewise |
//!
//! Nothing in here knows Kubernetes, except that an identity is read from a Secret's data.

pub mod aws;
pub mod budget;
pub mod clients;
pub mod connection_source;
pub mod connections;
pub mod crawl_source;
pub mod crawls;
pub mod error;
pub mod identity;
pub mod job_run_source;
pub mod job_runs;
pub mod poll_plan;
pub mod poller;
pub mod schedule;
pub mod trigger_source;
pub mod triggers;

pub use aws::{Glue, is_known_type};
pub use clients::Clients;
pub use error::{Class, Error};
