//! The commands that ask AWS, by the credentials of the namespace or of an object.

use clap::{Args, Subcommand, ValueEnum};

use crate::glue::documents::Collection;
use crate::plugin::aws::AwsArgs;
use crate::plugin::output::{Format, TableFormat};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::plugin) enum Listed {
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
pub(in crate::plugin) struct ListArgs {
    /// What to list
    pub(in crate::plugin) what: Listed,
    /// The most items of a page
    #[arg(long, value_name = "1..50", default_value = "50", value_parser = clap::value_parser!(u8).range(1..=50))]
    pub(in crate::plugin) max_items: u8,
    /// The marker of a page, as the page before it was printed with
    #[arg(long, value_name = "MARKER")]
    pub(in crate::plugin) marker: Option<String>,
    /// All pages
    #[arg(long)]
    pub(in crate::plugin) all: bool,
    /// Only what has a name that begins as this regular expression says, in any case; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub(in crate::plugin) include: Vec<String>,
    /// Not what has a name that begins like this, whatever includes it; may be repeated
    #[arg(long, value_name = "REGEX")]
    pub(in crate::plugin) exclude: Vec<String>,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(in crate::plugin) output: Option<TableFormat>,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}

#[derive(Args, Debug)]
pub(in crate::plugin) struct GetArgs {
    #[command(subcommand)]
    pub(in crate::plugin) run: GetRun,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(in crate::plugin) output: Option<TableFormat>,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}

/// A run in Glue.
#[derive(Debug, Subcommand)]
pub(in crate::plugin) enum GetRun {
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
pub(in crate::plugin) struct ImportArgs {
    #[command(subcommand)]
    pub(in crate::plugin) what: Import,
    /// The form of what is printed; by default YAML
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub(in crate::plugin) output: Option<Format>,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}

/// What is taken over.
#[derive(Debug, Subcommand)]
pub(in crate::plugin) enum Import {
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
pub(in crate::plugin) struct WhoamiArgs {
    /// An object, for its own credentials
    #[arg(value_name = "KIND/NAME")]
    pub(in crate::plugin) object: Option<String>,
    /// The form of what is printed
    #[arg(short, long, value_name = "FORMAT")]
    pub(in crate::plugin) output: Option<TableFormat>,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}

#[derive(Args, Debug)]
pub(in crate::plugin) struct CheckArgs {
    /// Kinds; by default all
    #[arg(value_name = "KIND")]
    pub(in crate::plugin) kinds: Vec<String>,
    /// How the names begin to which a policy is limited, for example team-a-
    #[arg(long)]
    pub(in crate::plugin) prefix: Option<String>,
    /// What lineage needs, too
    #[arg(long)]
    pub(in crate::plugin) lineage: bool,
    /// The form of what is printed; name: the denied actions
    #[arg(short, long, value_name = "FORMAT")]
    pub(in crate::plugin) output: Option<TableFormat>,
    #[command(flatten)]
    pub(in crate::plugin) aws: AwsArgs,
}
