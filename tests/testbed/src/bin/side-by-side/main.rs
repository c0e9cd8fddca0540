//! `cargo side-by-side`: OpenMetadata's connector for Glue pipelines and kube-glue read the same account, and a table says
//! what each saw.
//!
//! | module | subject |
//! |---|---|
//! | [`account`], [`lineage`] | the account: what is in it, and its jobs with lineage |
//! | [`glue`] | what there is |
//! | [`theirs`] | what OpenMetadata's connector sees |
//! | [`ours`] | what kube-glue sees |
//! | [`view`] | what is compared |
//! | [`report`] | the table |
//!
//! Each number of the table is counted from what the readers made. The clock of the double stands still meanwhile, so both
//! see the same.

mod account;
mod error;
mod glue;
mod lineage;
mod ours;
mod report;
mod theirs;
mod view;

use std::process::ExitCode;

use clap::Parser;
use kube_glue_double::Double;
use kube_glue_testbed::{interrupted, progress};

use crate::error::SideBySideError;

/// The name of the program in its output.
const PROGRAM: &str = "side by side";

/// Compares what OpenMetadata's connector for Glue pipelines and kube-glue see of the same account, which is a test
/// double's. Needs Python 3; pip installs the connector into cargo's target folder.
#[derive(Debug, Parser)]
#[command(name = "side-by-side")]
struct Arguments {
    /// Print the table as Markdown
    #[arg(long)]
    markdown: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = compare(&arguments) => outcome,
        () = interrupted() => Err(SideBySideError::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(PROGRAM, &error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn compare(arguments: &Arguments) -> Result<(), SideBySideError> {
    let double = Double::start().await?;
    account::define(&double)?;
    let account = glue::read(&double)?;
    let (theirs, version) = theirs::read(&double, &account).await?;
    let ours = ours::read(&double, &account).await?;
    report::print(&report::rows(&account, &theirs, &ours), &version, arguments.markdown);
    Ok(())
}
