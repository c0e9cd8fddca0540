//! `kubectl glue`, the kubectl plugin. Under the name `kubectl_complete-glue` it completes its command line for kubectl.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use kube_glue::plugin::{self, Cli};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    if Path::new(&program).file_stem().is_some_and(|stem| stem == "kubectl_complete-glue") {
        let words: Vec<_> = arguments.collect();
        return plugin::complete(&words).await.into();
    }
    plugin::execute(Cli::parse()).await.into()
}
