//! A double of AWS Glue, CloudWatch Logs, S3 and STS, over HTTP on loopback, for tests and demonstrations of kube-glue.
//!
//! It speaks the protocols that AWS's own clients speak (AWS JSON 1.1 for Glue and CloudWatch Logs, AWS Query for STS, REST
//! and XML for S3, Signature Version 4) and behaves as Glue does: runs change state on a clock that a test can hold and step, concurrent
//! runs are limited, lists have pages and tokens, access keys belong to accounts and have permissions. A test can
//! inject a fault into any call and read the record of every request.
//!
//! ```
//! use std::time::Duration;
//! use kube_glue_double::{Double, Fault, JobDefinition, RunScript, Then, DEFAULT_ACCOUNT};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let double = Double::start().await?;
//! double.clock().hold();
//! double.define_job(
//!     DEFAULT_ACCOUNT,
//!     "eu-west-1",
//!     JobDefinition::new("etl").script(RunScript::fails("no such bucket").running(Duration::from_secs(30))),
//! );
//! // For the process under test: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
//! let env = double.env("eu-west-1");
//! assert_eq!(env[0], ("AWS_ENDPOINT_URL".to_owned(), double.url()));
//!
//! // The second StartJobRun is carried out, and its answer is lost.
//! double.faults().add(Fault::on("StartJobRun").name("etl").nth(2).then(Then::DropAnswerAfterWork));
//!
//! // Another client starts a run. Then the clock moves on.
//! let body = serde_json::json!({ "JobName": "etl", "Arguments": { "--day": "1" } });
//! double.call(DEFAULT_ACCOUNT, "eu-west-1", "StartJobRun", &body)?;
//! double.clock().step(Duration::from_secs(60));
//! let runs = double.runs(DEFAULT_ACCOUNT, "eu-west-1", "etl");
//! assert_eq!(runs[0]["JobRunState"], "FAILED");
//!
//! // What arrived over HTTP (nothing, here), and a wait for the next request.
//! assert_eq!(double.requests().of("StartJobRun").name("etl").count(), 0);
//! let waiting = double.requests().wait_for(|request| &*request.call.operation == "StartJobRun");
//! # drop(waiting);
//! # Ok(())
//! # }
//! ```
//!
//! | module | subject |
//! |---|---|
//! | [`double`] | the [`Double`] that a test starts |
//! | [`clock`], [`faults`], [`limits`], [`requests`], [`iam`] | what a test controls and reads |
//! | [`seed`], [`admin`] | the same as JSON over HTTP, for other processes; `glue-double` is the double as a program |
//! | [`wire`] | HTTP, signatures and protocols |
//! | `dispatch` | a request's path: signature, limits, faults, permissions, operation, answer |
//! | [`sts`] | the operations of STS |
//! | [`glue`] | the operations of Glue, a module for each type of resource |
//! | [`logs`] | the operations of CloudWatch Logs |
//! | `s3` | the operations of S3 about objects |
//!
//! The double runs no jobs. Scripts define how runs, crawls and connections end: [`RunScript`], [`CrawlScript`],
//! [`ConnectionScript`], [`TriggerTimes`]. Everything else is created over HTTP or by [`Double::call`].
//!
//! The conformance cases (`tests/conformance`) run boto3 against this double. They mark behaviour whose only source
//! is AWS's documentation.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod admin;
pub mod clock;
mod dispatch;
pub mod double;
pub mod error;
mod event_queue;
pub mod faults;
pub mod glue;
pub mod iam;
pub mod limits;
pub mod logs;
mod metadata;
pub mod requests;
pub(crate) mod s3;
pub(crate) mod seconds;
pub mod seed;
mod state;
pub mod sts;
pub mod wire;

pub use crate::{
    clock::{Clock, Time},
    double::Double,
    error::AwsError,
    faults::{Fault, Faults, Rewrite, Then},
    glue::{
        connections::{ConnectionScript, Failure},
        crawlers::{Changes, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings},
        jobs::JobDefinition,
        runs::{JobRunState, Log, LogLine, Outcome, RunPlan, RunScript},
        triggers::{Firing, TriggerTimes},
    },
    iam::{AccessKey, DEFAULT_ACCOUNT, Iam, Policy, Role},
    limits::Limits,
    logs::LogPages,
    requests::{Keep, Request, Requests},
    seed::Seed,
    wire::server::ListenError,
};
