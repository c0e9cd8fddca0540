//! The `kube-glue` controller.

use std::process::ExitCode;

use kube_glue::operator::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match operator::execute(Cli::from_process()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.report();
            ExitCode::FAILURE
        }
    }
}
