//! The `kube-glue` controller.

// The layout of a pass, with all that it may await, is near the default limit in a release build.
#![recursion_limit = "256"]

use std::process::ExitCode;

use kube_glue::operator::{self, Cli};
use tikv_jemallocator::Jemalloc;

/// glibc's allocator keeps the pages of a burst for ever. `.cargo/config.toml` has the options of this one.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

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
