//! `cargo demo`: scenarios with kube-glue on a real control plane.
//!
//! [`environment`] starts everything. Each of the [`scenarios`] applies a sample and follows it to its end. [`show`]
//! prints. If any step fails, the demo ends with exit code 1.

mod environment;
mod error;
mod follow;
mod glue_resources;
mod scenarios;
mod show;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use kube_glue_testbed::{format_duration, interrupted};

use crate::{environment::Environment, error::DemoError};

/// Demonstrates kube-glue on a real Kubernetes control plane, with the controller installed by Helm and a test
/// double in place of AWS Glue.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Keep everything running after the scenarios, to try it out. Ctrl-C stops it.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = demo(&arguments) => outcome,
        () = interrupted() => Err(DemoError::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(DemoError::Interrupted) => {
            show::note("Interrupted; everything is stopped.");
            ExitCode::from(130)
        }
        Err(error) => {
            show::failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn demo(arguments: &Arguments) -> Result<(), DemoError> {
    let started = Instant::now();
    let environment = Environment::start().await?;
    let outcome = scenarios::run(&environment).await;
    if outcome.is_err() {
        environment.show_logs();
    }
    outcome?;
    show::end(&environment, started.elapsed()).await?;
    if arguments.keep {
        show::keep(&environment);
        interrupted().await;
        show::note("Stopping everything.");
    }
    Ok(())
}

/// Waits for `future`, with a time limit.
async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> Result<T, DemoError> {
    let waited = tokio::time::timeout(limit, future).await;
    waited.map_err(|_| DemoError::Outcome(format!("{what} did not happen within {}", format_duration(limit))))
}
