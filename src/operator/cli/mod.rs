//! The command line: every flag with its unit, default and environment variable. The comments on flags are the text of
//! `--help`.

mod credentials;
mod open_lineage;
#[cfg(test)]
mod tests;
mod values;

use std::net::SocketAddr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, value_parser};

use self::credentials::CredentialOptions;
use self::open_lineage::OpenLineageOptions;
use self::values::{duration, job_argument, kind, namespace};
use crate::controllers::Settings;
use crate::glue::identity::Rules;

/// Runs AWS Glue from Kubernetes: job runs, crawls, triggers and connections as custom resources.
#[derive(Debug, Parser)]
#[command(
    name = "kube-glue",
    version,
    args_conflicts_with_subcommands = true,
    max_term_width = 100,
    after_help = AFTER_HELP,
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
Durations have a unit: 200ms, 5s, 2m. The environment variable shown with a flag sets it, too.

The variables of the AWS SDKs apply: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, \
AWS_ENDPOINT_URL_GLUE, AWS_ENDPOINT_URL_STS, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CA_BUNDLE, ...
So do HTTPS_PROXY, HTTP_PROXY and NO_PROXY, for the calls to AWS and to an OpenLineage receiver.
The receiver's API key is in OPENLINEAGE_API_KEY.
The cluster is the one that kubectl uses (KUBECONFIG, ~/.kube/config), else the one of the pod's service account.
";

/// What the program does.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "the program has one value of it")]
pub enum Command {
    /// Run the controller (the default).
    #[command(after_help = AFTER_HELP)]
    Run(Options),
    /// Print the custom resource definitions as YAML, for `kubectl apply --server-side -f -`.
    Crds,
}

impl Cli {
    /// Parses the arguments of the process. Exits with a message when they are invalid.
    #[must_use]
    pub fn from_process() -> Command {
        match Self::parse_arguments(std::env::args_os()) {
            Ok(command) => command,
            Err(error) => error.exit(),
        }
    }

    fn parse_arguments(
        arguments: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> Result<Command, clap::Error> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        let command = cli.command.unwrap_or(Command::Run(cli.options));
        if let Command::Run(options) = &command {
            options.validate()?;
        }
        Ok(command)
    }
}

/// The options of the controller.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Namespaces to watch, separated by commas; empty: all
    #[arg(
        long, env = "KUBE_GLUE_NAMESPACES", value_name = "NAMESPACE,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = namespace,
        help_heading = SCOPE,
    )]
    namespaces: Vec<String>,

    /// Kinds to reconcile, separated by commas; empty: all
    #[arg(
        long, env = "KUBE_GLUE_KINDS", value_name = "KIND,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = kind, help_heading = SCOPE,
    )]
    kinds: Vec<String>,

    #[command(flatten)]
    credentials: CredentialOptions,

    /// Shortest pause between two polls of the same live runs; up to three times as long for runs that
    /// are unlikely to change
    #[arg(
        long, env = "KUBE_GLUE_POLL_INTERVAL", value_name = "DURATION", default_value = "5s",
        value_parser = duration, help_heading = GLUE,
    )]
    poll_interval: Duration,

    /// Most calls to Glue that polls make in a minute, for each AWS account and region; where more are needed, the
    /// pauses between polls get longer [default: 100, and more where otherwise something was polled less than every 75s]
    #[arg(
        long, env = "KUBE_GLUE_POLL_CALLS_PER_MINUTE", value_name = "NUMBER",
        value_parser = value_parser!(u32).range(1..), help_heading = GLUE,
    )]
    poll_calls_per_minute: Option<u32>,

    /// How long after a StartJobRun with an unknown outcome the controller starts the run again if Glue
    /// does not list it; longer than --aws-timeout
    #[arg(
        long, env = "KUBE_GLUE_START_SETTLE", value_name = "DURATION", default_value = "60s",
        value_parser = duration, help_heading = GLUE,
    )]
    start_settle: Duration,

    /// Timeout of one call to AWS
    #[arg(
        long, env = "KUBE_GLUE_AWS_TIMEOUT", value_name = "DURATION", default_value = "20s",
        value_parser = duration, help_heading = GLUE,
    )]
    aws_timeout: Duration,

    /// How long the deletion of an object may wait while its credentials or AWS fail; then the
    /// controller removes the finalizer, and an Event names what stays behind in Glue
    #[arg(
        long, env = "KUBE_GLUE_DELETION_TIMEOUT", value_name = "DURATION", default_value = "10m",
        value_parser = duration, help_heading = GLUE,
    )]
    deletion_timeout: Duration,

    /// Name of the job argument that passes the key of a run, by which the controller finds the run in
    /// Glue; empty: no such argument, for scripts that reject unknown arguments
    #[arg(
        long, env = "KUBE_GLUE_RUN_KEY_ARGUMENT", value_name = "NAME",
        default_value = "--kube-glue-run", allow_hyphen_values = true,
        value_parser = job_argument, help_heading = GLUE,
    )]
    run_key_argument: String,

    /// Whether the controller reads the end of the log of a run that failed, for the status and an Event. Needs the right
    /// to logs:GetLogEvents
    #[arg(
        long, env = "KUBE_GLUE_FAILURE_LOGS", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true, help_heading = GLUE,
    )]
    failure_logs: bool,

    #[command(flatten)]
    open_lineage: OpenLineageOptions,

    /// Whether the replicas elect a leader, which alone acts
    #[arg(
        long, env = "KUBE_GLUE_LEADER_ELECTION", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true, help_heading = ELECTION,
    )]
    pub(super) leader_election: bool,

    /// Name of the lease that the replicas share
    #[arg(
        long, env = "KUBE_GLUE_LEASE_NAME", value_name = "NAME", default_value = "kube-glue",
        help_heading = ELECTION,
    )]
    pub(super) lease_name: String,

    /// Namespace of the lease [default: POD_NAMESPACE, else the kubeconfig's namespace]
    #[arg(long, env = "KUBE_GLUE_LEASE_NAMESPACE", value_name = "NAMESPACE", help_heading = ELECTION)]
    lease_namespace: Option<String>,

    /// How long the lease is valid without a renewal, at least 1s; the leader renews it every third of that
    #[arg(
        long, env = "KUBE_GLUE_LEASE_DURATION", value_name = "DURATION", default_value = "15s",
        value_parser = duration, help_heading = ELECTION,
    )]
    pub(super) lease_duration: Duration,

    /// This replica's name in the lease [default: POD_NAME, else the host name and a random suffix]
    #[arg(long, env = "KUBE_GLUE_IDENTITY", value_name = "NAME", help_heading = ELECTION)]
    identity: Option<String>,

    /// Address that serves /livez, /readyz and /metrics
    #[arg(
        long, env = "KUBE_GLUE_HTTP_ADDRESS", value_name = "ADDRESS:PORT",
        default_value = "0.0.0.0:8080", help_heading = OBSERVABILITY,
    )]
    pub(super) http_address: SocketAddr,

    /// Log filter: a level, or levels by module such as info,kube_glue=debug
    #[arg(
        long, env = "KUBE_GLUE_LOG", value_name = "FILTER", default_value = "info",
        help_heading = OBSERVABILITY,
    )]
    pub(super) log: String,

    /// Format of log lines
    #[arg(
        long, env = "KUBE_GLUE_LOG_FORMAT", value_name = "FORMAT", default_value = "text",
        help_heading = OBSERVABILITY,
    )]
    pub(super) log_format: LogFormat,
}

const SCOPE: &str = "Scope";
const CREDENTIALS: &str = "Credentials";
const GLUE: &str = "Glue";
const LINEAGE: &str = "Lineage";
const ELECTION: &str = "Leader election";
const OBSERVABILITY: &str = "Observability";

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object per line
    Json,
    /// Readable lines
    Text,
}

impl Options {
    /// The settings of the controllers.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            namespaces: self.namespaces.iter().filter(|name| !name.is_empty()).cloned().collect(),
            kinds: self.kinds.iter().filter(|kind| !kind.is_empty()).cloned().collect(),
            poll_interval: self.poll_interval,
            poll_calls_per_minute: self.poll_calls_per_minute,
            start_settle: self.start_settle,
            aws_timeout: self.aws_timeout,
            deletion_timeout: self.deletion_timeout,
            run_key_argument: Some(self.run_key_argument.clone()).filter(|name| !name.is_empty()),
            identity_rules: Rules { receivers: self.open_lineage.receivers(), ..self.credentials.rules() },
            watch_secrets: self.credentials.watch_secrets,
            failure_logs: self.failure_logs,
            open_lineage: self.open_lineage.settings(from_environment(open_lineage::API_KEY)),
            spark_parent: self.open_lineage.lineage_spark_parent,
        }
    }

    /// The namespace of the lease; `default` is the kubeconfig's namespace.
    pub(super) fn lease_namespace(&self, default: &str) -> String {
        non_empty(self.lease_namespace.as_ref())
            .or_else(|| from_environment("POD_NAMESPACE"))
            .unwrap_or_else(|| default.to_owned())
    }

    /// This replica's name in the lease.
    ///
    /// A pod keeps its name when its container restarts, and by then the old container has ended, so the new one
    /// takes the lease over at once.
    pub(super) fn identity(&self) -> String {
        non_empty(self.identity.as_ref()).or_else(|| from_environment("POD_NAME")).unwrap_or_else(|| {
            let host =
                hostname::get().map_or_else(|_| "kube-glue".to_owned(), |name| name.to_string_lossy().into_owned());
            format!("{host}_{:08x}", fastrand::u32(..))
        })
    }

    /// The conditions that involve several flags or units.
    fn validate(&self) -> Result<(), clap::Error> {
        let refuse = |message: String| Err(Cli::command().error(ErrorKind::ValueValidation, message));
        if self.start_settle <= self.aws_timeout {
            return refuse(format!(
                "--start-settle ({:?}) must be longer than --aws-timeout ({:?}): until then Glue \
                 may still execute a StartJobRun that was sent, and the job would run twice",
                self.start_settle, self.aws_timeout
            ));
        }
        if self.lease_duration < Duration::from_secs(1) {
            return refuse(format!("--lease-duration ({:?}) must be at least 1s", self.lease_duration));
        }
        Ok(())
    }
}

/// `None` for an empty value, such as that of an empty environment variable.
fn non_empty(value: Option<&String>) -> Option<String> {
    value.filter(|value| !value.is_empty()).cloned()
}

fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
