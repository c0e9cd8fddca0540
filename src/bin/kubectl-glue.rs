//! `kubectl glue`, the kubectl plugin.

use std::process::ExitCode;

use clap::Parser;
use kube_glue::plugin::{self, Cli};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    plugin::execute(Cli::parse()).await.into()
}
