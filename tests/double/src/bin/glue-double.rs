//! The double as a program. It prints its URL on the first line, then the default access key.

use std::{fs, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use kube_glue_double::{Double, Seed};

/// A double of AWS Glue and STS on loopback.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The address to listen on; port 0 is any free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A JSON file with the initial state: accounts, access keys, jobs, crawlers, faults and more.
    #[arg(long)]
    seed: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glue-double: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let seed = options.seed.as_ref().map(read_seed).transpose()?;
    let double = Double::bind(options.listen).await?;
    if let Some(seed) = seed {
        double.apply(seed)?;
    }
    println!("{}", double.url());
    let key = double.default_key();
    println!("AWS_ACCESS_KEY_ID={}", key.id);
    println!("AWS_SECRET_ACCESS_KEY={}", key.secret);
    tokio::signal::ctrl_c().await?;
    Ok(())
}

fn read_seed(path: &PathBuf) -> Result<Seed, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is not a valid seed: {error}", path.display()))
}
