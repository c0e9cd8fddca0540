//! `cargo demo`: kube-glue on a real control plane, told as stories.
//!
//! [`stage`] brings everything up, each of the [`stories`] applies a sample and follows it to its end, and
//! [`show`] is what a person sees. Any step that does not come out ends the demo with exit code 1.

mod follow;
mod prepared;
mod problem;
mod show;
mod stage;
mod stories;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use kube_glue_testbed::human;
use tokio::signal::unix::{SignalKind, signal};

use crate::{problem::Problem, stage::Stage};

/// Shows kube-glue at work: a real Kubernetes control plane, the controller installed by Helm, and a double
/// of AWS Glue in place of the cloud.
#[derive(Parser)]
#[command(name = "demo")]
struct Arguments {
    /// Stay up after the stories, for a person to play with; Ctrl-C ends it.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = demo(&arguments) => outcome,
        () = interrupted() => Err(Problem::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::Interrupted) => {
            show::note("interrupted; everything is stopped.");
            ExitCode::from(130)
        }
        Err(problem) => {
            show::failure(&problem);
            ExitCode::FAILURE
        }
    }
}

async fn demo(arguments: &Arguments) -> Result<(), Problem> {
    let begun = Instant::now();
    let stage = Stage::set().await?;
    let told = stories::tell(&stage).await;
    if told.is_err() {
        stage.explain();
    }
    told?;
    show::end(&stage, begun.elapsed()).await?;
    if arguments.keep {
        show::keep(&stage);
        interrupted().await;
        show::note("stopping everything.");
    }
    Ok(())
}

/// Ctrl-C, or a polite request to end.
async fn interrupted() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => terminate.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => {
            if pressed.is_err() {
                std::future::pending::<()>().await;
            }
        }
        _ = terminated => {}
    }
}

/// Waits for `future`, but not for ever.
async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> Result<T, Problem> {
    let waited = tokio::time::timeout(limit, future).await;
    waited.map_err(|_| Problem::Outcome(format!("{what} did not happen within {}", human(limit))))
}
