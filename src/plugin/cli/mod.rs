//! The command line.
//!
//! | module | the commands |
//! |---|---|
//! | [`start`] | those that start runs |
//! | [`logs`] | what of the logs of a run is shown |
//! | [`account`] | those that ask AWS |

mod account;
mod logs;
mod start;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(super) use self::account::{CheckArgs, GetArgs, GetRun, Import, ImportArgs, ListArgs, WhoamiArgs};
pub(super) use self::logs::{LogExtent, LogsArgs};
pub(super) use self::start::{Changes, Follow, RerunArgs, RunArgs, Runnable};
use super::connect::{Connection, duration};

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

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The reason, as conditions and Events have it
    pub(super) reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// A word that some command takes, or any.
    fn word() -> impl Strategy<Value = String> {
        let command = Cli::command();
        let mut words: Vec<_> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        for command in command.get_subcommands() {
            words.extend(command.get_arguments().filter_map(|argument| Some(format!("--{}", argument.get_long()?))));
        }
        words.extend(
            ["job", "gjr/a", "gjr/", "/", "-w", "-o", "yaml", "5m", "0", "--", "a=b", "G.1X:2", "--arg=--a=b"]
                .map(str::to_owned),
        );
        prop_oneof![4 => prop::sample::select(words), 1 => any::<String>()]
    }

    proptest! {
        #[test]
        fn any_words_are_taken_or_refused(words in prop::collection::vec(word(), 0..6)) {
            let line = std::iter::once("kubectl-glue").chain(words.iter().map(String::as_str));
            let refused = Cli::try_parse_from(line).err().map(|error| error.to_string());
            prop_assert!(refused.is_none_or(|refusal| !refusal.trim().is_empty()), "{words:?}");
            let _ = crate::plugin::complete::candidates(&words);
        }
    }
}
