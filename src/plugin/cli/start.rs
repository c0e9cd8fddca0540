//! The commands that start runs.

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::plugin::connect::duration;
use crate::plugin::output::Format;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::plugin) enum Runnable {
    Job,
    Crawler,
    Workflow,
}

#[derive(Args, Debug)]
pub(in crate::plugin) struct RunArgs {
    /// What to run
    pub(in crate::plugin) what: Runnable,
    /// The name of the job, crawler or workflow in Glue
    #[arg(value_name = "NAME")]
    pub(in crate::plugin) glue_name: String,
    /// The name of the object; by default one is generated from that of the job, crawler or workflow
    #[arg(long = "name", value_name = "OBJECT")]
    pub(in crate::plugin) object: Option<String>,
    /// The AWS region
    #[arg(long)]
    pub(in crate::plugin) region: Option<String>,
    /// The Secret with the credentials
    #[arg(long = "secret", value_name = "SECRET")]
    pub(in crate::plugin) secret: Option<String>,
    /// Take the spec of this earlier run
    #[arg(long, value_name = "KIND/NAME", conflicts_with = "last")]
    pub(in crate::plugin) from: Option<String>,
    /// Take the spec of the last run of this job, crawler or workflow
    #[arg(long)]
    pub(in crate::plugin) last: bool,
    #[command(flatten)]
    pub(in crate::plugin) changes: Changes,
    #[command(flatten)]
    pub(in crate::plugin) follow: Follow,
}

#[derive(Args, Debug)]
pub(in crate::plugin) struct RerunArgs {
    /// The run, for example gjr/nightly
    #[arg(value_name = "KIND/NAME")]
    pub(in crate::plugin) name: String,
    #[command(flatten)]
    pub(in crate::plugin) changes: Changes,
    #[command(flatten)]
    pub(in crate::plugin) follow: Follow,
}

/// What differs from the job's defaults, or from the earlier run.
#[derive(Args, Debug, Default)]
pub(in crate::plugin) struct Changes {
    /// An argument of the job, for example --arg --day=monday, or a run property of the workflow; may be repeated
    #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = argument, allow_hyphen_values = true)]
    pub(in crate::plugin) arguments: Vec<(String, String)>,
    /// The type and number of workers, for example G.1X:10
    #[arg(long, value_name = "TYPE:COUNT", value_parser = workers)]
    pub(in crate::plugin) workers: Option<(String, i32)>,
    /// Glue's own timeout, in minutes
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(i32).range(1..))]
    pub(in crate::plugin) timeout_minutes: Option<i32>,
}

/// What follows the creation of an object.
#[derive(Args, Debug)]
pub(in crate::plugin) struct Follow {
    /// Print the object instead of creating it
    #[arg(long, conflicts_with = "wait")]
    pub(in crate::plugin) dry_run: bool,
    /// Wait for the end of the run; its outcome is the exit code
    #[arg(short, long)]
    pub(in crate::plugin) wait: bool,
    /// Show the log of the run meanwhile, by the credentials of the namespace
    #[arg(long, requires = "wait")]
    pub(in crate::plugin) logs: bool,
    /// How long to wait, for example 30m; 0 is for ever
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration, requires = "wait")]
    pub(in crate::plugin) timeout: Duration,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(in crate::plugin) output: Option<Format>,
}

/// An argument of a job. Glue's keys begin with `--`, which may be left out.
fn argument(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`: write KEY=VALUE"))?;
    let key = key.trim_start_matches('-');
    if key.is_empty() { Err(format!("`{text}` has no key")) } else { Ok((format!("--{key}"), value.to_owned())) }
}

/// A type and number of workers.
fn workers(text: &str) -> Result<(String, i32), String> {
    let parsed = text.split_once(':').and_then(|(type_, count)| Some((type_.to_owned(), count.parse().ok()?)));
    parsed.filter(|(type_, count)| !type_.is_empty() && *count > 0).ok_or_else(|| format!("`{text}` is not TYPE:COUNT"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_with_their_dashes_and_without() {
        let expected = Ok(("--day".to_owned(), "a=b".to_owned()));
        assert_eq!([argument("day=a=b"), argument("--day=a=b")], [expected.clone(), expected]);
        assert!(argument("day").unwrap_err().contains("KEY=VALUE"));
        assert!(argument("=1").is_err());
        assert_eq!(workers("G.1X:10"), Ok(("G.1X".to_owned(), 10)));
        assert!(workers("G.1X").is_err() && workers("G.1X:0").is_err());
    }
}
