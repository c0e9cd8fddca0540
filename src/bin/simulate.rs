//! `cargo simulate`: see `src/simulation`.

use std::process::ExitCode;

use clap::Parser;
use kube_glue::simulation::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
