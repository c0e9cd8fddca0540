//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::aws::AwsArgs;
use super::connect::{Connection, duration};
use super::output::{Format, TableFormat};
use crate::glue::documents::Collection;
use crate::glue::logs::places::Log;

/// Runs AWS Glue from Kubernetes: starts runs, waits for them, and says what stands in their way.
#[derive(Debug, Parser)]
#[command(name = "kubectl-glue", bin_name = "kubectl glue", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub(super) connection: Connection,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a run of a job, crawler or workflow, as a new object
    Run(RunArgs),
    /// Start the same again, as a new object
    Rerun(RerunArgs),
    /// Wait for the end of runs, whichever it is, or until other objects are ready
    ///
    /// The exit code is the outcome: 0 succeeded, 1 failed, 3 stopped or expired, 4 the time of the wait is over.
    Wait(WaitArgs),
    /// Show one object on a page: state, attempts, events, what stands in the way, and the remedy
    Status(StatusArgs),
    /// Show the runs that are live, with their capacity, age and cost so far, and what they wait for
    Top(TopArgs),
    /// Show what started what: triggers, workflows, runs, attempts
    Tree(Objects),
    /// Collect objects, Events and versions of the namespace into an archive, without secret values
    Report(ReportArgs),
    /// Show the log of a job run, from CloudWatch Logs
    Logs(LogsArgs),
    /// Stop runs for good
    Stop(Objects),
    /// Hold runs: one that is not started is not started, one that is live is stopped
    Suspend(Objects),
    /// Let suspended runs go on; one that was stopped starts anew
    Resume(Objects),
    /// Fire triggers of type ON_DEMAND
    Fire(FireArgs),
    /// Delete objects
    Delete(DeleteArgs),
    /// List what is in Glue, by the credentials of the namespace
    List(ListArgs),
    /// Show a run as Glue has it, whoever started it
    Get(GetArgs),
    /// Print the manifest that takes over what is in Glue, without secret values
    Import(ImportArgs),
    /// Say as which identity the namespace, or an object, is known to AWS, and by which rule
    Whoami(WhoamiArgs),
    /// Check whether the credentials may do what the controller does for each kind; changes nothing
    Check(CheckArgs),
    /// Say what a reason means, and what to do; without one, list them all
    Explain(ExplainArgs),
    /// Write the manual pages into a folder
    Man {
        /// The folder, such as ~/.local/share/man/man1
        folder: PathBuf,
    },
    /// Print the completion of a shell
    Completion {
        /// The shell
        shell: Shell,
    },
}

/// Objects by name.
#[derive(Args, Debug)]
pub(super) struct Objects {
    /// KIND/NAME ..., for example gjr/nightly
    #[arg(required = true, value_name = "KIND/NAME")]
    pub(super) names: Vec<String>,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Runnable {
    Job,
    Crawler,
    Workflow,
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// What to run
    pub(super) what: Runnable,
    /// The name of the job, crawler or workflow in Glue
    #[arg(value_name = "NAME")]
    pub(super) glue_name: String,
    /// The name of the object; by default one is generated from that of the job, crawler or workflow
    #[arg(long = "name", value_name = "OBJECT")]
    pub(super) object: Option<String>,
    /// The AWS region
    #[arg(long)]
    pub(super) region: Option<String>,
    /// The Secret with the credentials
    #[arg(long = "secret", value_name = "SECRET")]
    pub(super) secret: Option<String>,
    /// Take the spec of this earlier run
    #[arg(long, value_name = "KIND/NAME", conflicts_with = "last")]
    pub(super) from: Option<String>,
    /// Take the spec of the last run of this job, crawler or workflow
    #[arg(long)]
    pub(super) last: bool,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) follow: Follow,
}

#[derive(Args, Debug)]
pub(super) struct RerunArgs {
    /// The run, for example gjr/nightly
    #[arg(value_name = "KIND/NAME")]
    pub(super) name: String,
    #[command(flatten)]
    pub(super) changes: Changes,
    #[command(flatten)]
    pub(super) follow: Follow,
}

/// What differs from the job's defaults, or from the earlier run.
#[derive(Args, Debug, Default)]
pub(super) struct Changes {
    /// An argument of the job, for example --arg --day=monday, or a run property of the workflow; may be repeated
    #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = argument, allow_hyphen_values = true)]
    pub(super) arguments: Vec<(String, String)>,
    /// The type and number of workers, for example G.1X:10
    #[arg(long, value_name = "TYPE:COUNT", value_parser = workers)]
    pub(super) workers: Option<(String, i32)>,
    /// Glue's own timeout, in minutes
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(i32).range(1..))]
    pub(super) timeout_minutes: Option<i32>,
}

/// What follows the creation of an object.
#[derive(Args, Debug)]
pub(super) struct Follow {
    /// Print the object instead of creating it
    #[arg(long, conflicts_with = "wait")]
    pub(super) dry_run: bool,
    /// Wait for the end of the run; its outcome is the exit code
    #[arg(short, long)]
    pub(super) wait: bool,
    /// Show the log of the run meanwhile, by the credentials of the namespace
    #[arg(long, requires = "wait")]
    pub(super) logs: bool,
    /// How long to wait, for example 30m; 0 is for ever
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration, requires = "wait")]
    pub(super) timeout: Duration,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<Format>,
}

#[derive(Args, Debug)]
pub(super) struct WaitArgs {
    #[command(flatten)]
    pub(super) objects: Objects,
    /// How long to wait, for example 30m; 0 is for ever
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration)]
    pub(super) timeout: Duration,
}

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) objects: Objects,
    /// Show it again with each change, until it has come to an end
    #[arg(short, long)]
    pub(super) watch: bool,
}

#[derive(Args, Debug)]
pub(super) struct LogsArgs {
    /// The run, for example gjr/nightly
    #[arg(required = true, value_name = "KIND/NAME")]
    pub(super) name: Vec<String>,
    /// Go on until the run ends, and then with its next attempt
    #[arg(short, long)]
    pub(super) follow: bool,
    #[command(flatten)]
    pub(super) extent: LogExtent,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

/// What is shown of the log of a run.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct LogExtent {
    /// The log: what the script writes, what goes to standard error before Glue 5.0 and what Spark says from then on, or
    /// the continuous log before Glue 5.0; several are separated by commas [default: output]
    #[arg(long = "stream", value_name = "LOG", value_delimiter = ',')]
    streams: Vec<LogStream>,
    /// Only lines that are not older than this, for example 10m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) since: Option<Duration>,
    /// The run of this attempt; by default the latest one
    #[arg(long, value_name = "NUMBER")]
    pub(super) attempt: Option<u32>,
    /// Only so many of the last lines of now, and what follows
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) tail: Option<u32>,
    /// Begin each line with its time
    #[arg(long)]
    pub(super) timestamps: bool,
}

impl LogExtent {
    /// The logs to show.
    pub(super) fn logs(&self) -> Vec<Log> {
        let mut logs: Vec<_> = self.streams.iter().map(|stream| Log::from(*stream)).collect();
        logs.sort_unstable();
        logs.dedup();
        if logs.is_empty() { vec![Log::Output] } else { logs }
    }
}

/// A log of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogStream {
    Output,
    Error,
    Continuous,
}

impl From<LogStream> for Log {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Output => Self::Output,
            LogStream::Error => Self::Error,
            LogStream::Continuous => Self::Continuous,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct TopArgs {
    /// Those of all namespaces
    #[arg(short = 'A', long)]
    pub(super) all_namespaces: bool,
    /// wide: the columns of `kubectl get -o wide`, a table for each kind
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<TopFormat>,
    /// Go on, and show each change as a line
    #[arg(short, long, conflicts_with = "output")]
    pub(super) watch: bool,
}

#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// The archive (.tar.gz) or folder to write; by default an archive in the working directory
    #[arg(value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(super) struct FireArgs {
    #[command(flatten)]
    pub(super) objects: Objects,
    /// The new value of spec.fire; by default the time of now
    #[arg(long)]
    pub(super) value: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct DeleteArgs {
    #[command(flatten)]
    pub(super) objects: Objects,
    /// Leave what is in Glue as it is: a live run goes on, a connection stays
    #[arg(long)]
    pub(super) orphan: bool,
}

/// The form of the live runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum TopFormat {
    #[default]
    Table,
    Wide,
    Name,
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Listed {
    #[value(alias = "job")]
    Jobs,
    #[value(alias = "crawler")]
    Crawlers,
    #[value(alias = "trigger")]
    Triggers,
    #[value(alias = "workflow")]
    Workflows,
    #[value(alias = "connection")]
    Connections,
}

impl From<Listed> for Collection {
    fn from(listed: Listed) -> Self {
        match listed {
            Listed::Jobs => Self::Jobs,
            Listed::Crawlers => Self::Crawlers,
            Listed::Triggers => Self::Triggers,
            Listed::Workflows => Self::Workflows,
            Listed::Connections => Self::Connections,
        }
    }
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// What to list
    pub(super) what: Listed,
    /// The most items of a page
    #[arg(long, value_name = "1..50", default_value = "50", value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(super) max_items: u8,
    /// The marker of a page, as the page before it was printed with
    #[arg(long, value_name = "MARKER")]
    pub(super) marker: Option<String>,
    /// All pages
    #[arg(long)]
    pub(super) all: bool,
    /// Only what has a name that begins as this regular expression says, in any case; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub(super) include: Vec<String>,
    /// Not what has a name that begins like this, whatever includes it; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub(super) exclude: Vec<String>,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<TableFormat>,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

#[derive(Args, Debug)]
pub(super) struct GetArgs {
    #[command(subcommand)]
    pub(super) run: GetRun,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(super) output: Option<TableFormat>,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

/// A run in Glue.
#[derive(Debug, Subcommand)]
pub(super) enum GetRun {
    /// A run of a job
    JobRun {
        /// The job
        #[arg(long)]
        job: String,
        /// The id of the run
        #[arg(long, value_name = "ID")]
        run_id: String,
    },
    /// A crawl
    Crawl {
        /// The crawler
        #[arg(long)]
        crawler: String,
        /// The id of the crawl; by default the newest
        #[arg(long, value_name = "ID")]
        crawl_id: Option<String>,
    },
    /// A run of a workflow
    WorkflowRun {
        /// The workflow
        #[arg(long)]
        workflow: String,
        /// The id of the run
        #[arg(long, value_name = "ID")]
        run_id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    pub(super) what: Import,
    /// The form of what is printed; by default YAML
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(super) output: Option<Format>,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

/// What is taken over.
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    /// A trigger, in the state that it is in
    Trigger {
        /// The trigger
        name: String,
    },
    /// A connection, as it is
    Connection {
        /// The connection
        name: String,
    },
    /// A run of a job, which is followed to its end
    JobRun {
        /// The job
        job: String,
        /// The id of the run
        #[arg(long, value_name = "ID")]
        run_id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct WhoamiArgs {
    /// An object, for its own credentials
    #[arg(value_name = "KIND/NAME")]
    pub(super) object: Option<String>,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<TableFormat>,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Kinds; by default all
    #[arg(value_name = "KIND")]
    pub(super) kinds: Vec<String>,
    /// How the names begin to which a policy is limited, for example team-a-
    #[arg(long)]
    pub(super) prefix: Option<String>,
    /// The form of what is printed; name: the denied actions
    #[arg(short, long, value_name = "FORMAT")]
    pub(super) output: Option<TableFormat>,
    #[command(flatten)]
    pub(super) aws: AwsArgs,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The reason, as conditions and Events have it
    pub(super) reason: Option<String>,
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
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

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
