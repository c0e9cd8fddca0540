//! The `kube-glue` controller.

use std::process::ExitCode;

use kube_glue::operator::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = operator::execute(Cli::from_process()).await;
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    error.report();
    ExitCode::FAILURE
}
