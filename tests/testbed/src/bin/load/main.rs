//! `cargo load`: measures the release build of kube-glue under load, on a real control plane.
//!
//! | module | subject |
//! |---|---|
//! | [`arguments`], [`settings`] | what is measured, and how large |
//! | [`scenarios`] | what is done to the controller |
//! | [`world`] | the cluster of a scenario, and the instruments |
//! | [`baseline`] | the raw speed of the API server, to which times and rates are compared |
//! | [`sample`] | the shape of the objects |
//! | [`statistics`], [`row`] | the figures, their goals and verdicts |
//! | [`progress`], [`report`] | what is shown |
//!
//! Each scenario starts a cluster of its own and measures the baseline on it, right before the controller starts, so
//! that both are measured on a machine in the same state.

mod arguments;
mod baseline;
#[cfg(test)]
mod docs;
mod error;
mod progress;
mod report;
mod row;
mod sample;
mod scenarios;
mod settings;
mod statistics;
mod world;

use std::{process::ExitCode, time::Instant};

use clap::Parser;
use kube_glue_testbed::{controller, format_duration, interrupted};

use crate::{
    arguments::Arguments,
    error::LoadError,
    progress::say,
    row::{Row, Verdict},
    sample::Sample,
    scenarios::Context,
    settings::Settings,
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    let outcome = tokio::select! {
        outcome = load(&arguments, &mut rows) => outcome,
        () = interrupted() => Err(LoadError::Interrupted),
    };
    if !rows.is_empty() {
        report::print(&rows, arguments.markdown);
    }
    if let Err(error) = outcome {
        say(&error.to_string());
        return ExitCode::FAILURE;
    }
    let is_bad = |row: &Row| matches!(row.verdict(), Verdict::NotMet | Verdict::Failed);
    if rows.iter().any(is_bad) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Measures the scenarios one after the other. `rows` has those that are complete, whatever happens.
async fn load(arguments: &Arguments, rows: &mut Vec<Row>) -> Result<(), LoadError> {
    let controller = match &arguments.controller {
        Some(path) => path.clone(),
        None => controller::build(controller::Profile::Release).await?,
    };
    let settings = Settings { controller, scale: arguments.scale() };
    say("the shape of a finished run");
    let context = Context { sample: Sample::take(&settings).await?, settings };
    let scenarios = arguments.scenarios();
    for (nth, scenario) in scenarios.iter().enumerate() {
        say(&format!("[{} of {}] {}: {}", nth + 1, scenarios.len(), scenario.name, scenario.about));
        let began = Instant::now();
        match (scenario.measure)(&context).await {
            Ok(measured) => rows.extend(measured),
            Err(error) => {
                say(&format!("  {error}"));
                rows.push(Row::failed(scenario.name, error.to_string()));
            }
        }
        say(&format!("  took {}", format_duration(began.elapsed())));
        if let Some(path) = &arguments.json {
            report::write(path, &context.settings, rows)?;
        }
    }
    Ok(())
}
