//! The command line: every flag, its unit, its default and its environment variable.

#![expect(clippy::doc_markdown, reason = "the comments on flags are what --help prints")]

mod credentials;

use std::{net::SocketAddr, time::Duration};

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, error::ErrorKind};
use jiff::SignedDuration;

use self::credentials::CredentialOptions;
use crate::controllers::Settings;

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
Durations carry a unit: 200ms, 5s, 2m. Each flag can be set by the environment variable named with it.

AWS's own variables mean what they mean everywhere: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, \
AWS_ENDPOINT_URL_GLUE, AWS_ENDPOINT_URL_STS, AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, ...
The cluster is found as kubectl finds it (KUBECONFIG, ~/.kube/config), else by the service account.
";

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one, for as long as the program runs")]
pub enum Command {
    /// Run the controller (the default).
    #[command(after_help = AFTER_HELP)]
    Run(Options),
    /// Print the custom resource definitions as YAML, for `kubectl apply --server-side -f -`.
    Crds,
}

impl Cli {
    /// Reads the process's arguments; ends the process with a message when they are not right.
    #[must_use]
    pub fn from_process() -> Command {
        match Self::read(std::env::args_os()) {
            Ok(command) => command,
            Err(error) => error.exit(),
        }
    }

    fn read(
        arguments: impl IntoIterator<Item = impl Into<std::ffi::OsString> + Clone>,
    ) -> Result<Command, clap::Error> {
        let matches = Self::command().try_get_matches_from(arguments)?;
        let cli = Self::from_arg_matches(&matches)?;
        let command = cli.command.unwrap_or(Command::Run(cli.options));
        if let Command::Run(options) = &command {
            options.check()?;
        }
        Ok(command)
    }
}

/// How the controller runs.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Namespaces to watch, separated by commas; empty: all of them
    #[arg(
        long, env = "KUBE_GLUE_NAMESPACES", value_name = "NAMESPACE,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = namespace,
        help_heading = SCOPE,
    )]
    namespaces: Vec<String>,

    #[command(flatten)]
    credentials: CredentialOptions,

    /// How often Glue is asked about runs that have not ended; older runs are asked about less often
    #[arg(
        long, env = "KUBE_GLUE_POLL_INTERVAL", value_name = "DURATION", default_value = "5s",
        value_parser = duration, help_heading = GLUE,
    )]
    poll_interval: Duration,

    /// How long after a StartJobRun whose outcome is unclear a run that cannot be found in Glue is
    /// started again; longer than --aws-timeout
    #[arg(
        long, env = "KUBE_GLUE_START_SETTLE", value_name = "DURATION", default_value = "60s",
        value_parser = duration, help_heading = GLUE,
    )]
    start_settle: Duration,

    /// The longest one call to AWS may take
    #[arg(
        long, env = "KUBE_GLUE_AWS_TIMEOUT", value_name = "DURATION", default_value = "20s",
        value_parser = duration, help_heading = GLUE,
    )]
    aws_timeout: Duration,

    /// How long the deletion of an object may be held up because AWS cannot be reached as the object
    /// asks; then it is let go, and an event names the run that it leaves behind
    #[arg(
        long, env = "KUBE_GLUE_DELETION_TIMEOUT", value_name = "DURATION", default_value = "10m",
        value_parser = duration, help_heading = GLUE,
    )]
    deletion_timeout: Duration,

    /// Name of the job argument that carries the run's key, by which a run is found again in Glue;
    /// empty: none is sent, for scripts that refuse arguments they do not know
    #[arg(
        long, env = "KUBE_GLUE_RUN_KEY_ARGUMENT", value_name = "NAME",
        default_value = "--kube-glue-run", allow_hyphen_values = true,
        value_parser = job_argument, help_heading = GLUE,
    )]
    run_key_argument: String,

    /// Whether replicas elect one among them that acts
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

    /// How long a lease that is not renewed counts; it is renewed every third of that. At least 1s
    #[arg(
        long, env = "KUBE_GLUE_LEASE_DURATION", value_name = "DURATION", default_value = "15s",
        value_parser = duration, help_heading = ELECTION,
    )]
    pub(super) lease_duration: Duration,

    /// This replica's name in the lease [default: POD_NAME, else the host's name and a random suffix]
    #[arg(long, env = "KUBE_GLUE_IDENTITY", value_name = "NAME", help_heading = ELECTION)]
    identity: Option<String>,

    /// Where /livez, /readyz and /metrics are served
    #[arg(
        long, env = "KUBE_GLUE_HTTP_ADDRESS", value_name = "ADDRESS:PORT",
        default_value = "0.0.0.0:8080", help_heading = OBSERVING,
    )]
    pub(super) http_address: SocketAddr,

    /// What to log: a level, or levels by module such as info,kube_glue=debug
    #[arg(
        long, env = "KUBE_GLUE_LOG", value_name = "FILTER", default_value = "info",
        help_heading = OBSERVING,
    )]
    pub(super) log: String,

    /// How log lines are written
    #[arg(
        long, env = "KUBE_GLUE_LOG_FORMAT", value_name = "FORMAT", default_value = "text",
        help_heading = OBSERVING,
    )]
    pub(super) log_format: LogFormat,
}

const SCOPE: &str = "Scope";
const CREDENTIALS: &str = "Credentials";
const GLUE: &str = "Glue";
const ELECTION: &str = "Leader election";
const OBSERVING: &str = "Observing";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line
    Json,
    /// Lines for people
    Text,
}

impl Options {
    /// What the controllers are told.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            namespaces: self.namespaces.iter().filter(|name| !name.is_empty()).cloned().collect(),
            poll_interval: self.poll_interval,
            start_settle: self.start_settle,
            aws_timeout: self.aws_timeout,
            deletion_timeout: self.deletion_timeout,
            run_key_argument: Some(self.run_key_argument.clone()).filter(|name| !name.is_empty()),
            identity_rules: self.credentials.rules(),
            watch_secrets: self.credentials.watch_secrets,
        }
    }

    /// The lease's namespace; `of_cluster` is where the kubeconfig points.
    pub(super) fn lease_namespace(&self, of_cluster: &str) -> String {
        given(self.lease_namespace.as_ref())
            .or_else(|| from_environment("POD_NAMESPACE"))
            .unwrap_or_else(|| of_cluster.to_owned())
    }

    /// This replica's name in the lease.
    ///
    /// A pod's name stays when its container restarts, and the container before is certainly gone
    /// by then, so the lease is taken up again at once.
    pub(super) fn identity(&self) -> String {
        given(self.identity.as_ref()).or_else(|| from_environment("POD_NAME")).unwrap_or_else(|| {
            let host =
                hostname::get().map_or_else(|_| "kube-glue".to_owned(), |name| name.to_string_lossy().into_owned());
            format!("{host}_{:08x}", fastrand::u32(..))
        })
    }

    /// What no single flag can say about itself.
    fn check(&self) -> Result<(), clap::Error> {
        let refuse = |message: String| Err(Cli::command().error(ErrorKind::ValueValidation, message));
        if self.start_settle <= self.aws_timeout {
            return refuse(format!(
                "--start-settle ({:?}) must be longer than --aws-timeout ({:?}): until then a \
                 StartJobRun that was sent may still be carried out, and the job would run twice",
                self.start_settle, self.aws_timeout
            ));
        }
        if self.lease_duration < Duration::from_secs(1) {
            return refuse(format!("--lease-duration ({:?}) must be at least 1s", self.lease_duration));
        }
        Ok(())
    }
}

/// An option that is set to nothing (as by an empty environment variable) is not set.
fn given(value: Option<&String>) -> Option<String> {
    value.filter(|value| !value.is_empty()).cloned()
}

fn from_environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn duration(text: &str) -> Result<Duration, String> {
    let expected = "expected a duration of more than zero with a unit, like 200ms, 5s or 2m";
    text.parse::<SignedDuration>()
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| expected.to_owned())
}

fn namespace(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_label = text.len() <= 63 && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-');
    if is_label {
        Ok(text.to_owned())
    } else {
        Err("expected names of namespaces, separated by commas without spaces".to_owned())
    }
}

fn job_argument(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("--").unwrap_or_default();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if text.is_empty() || is_name {
        Ok(text.to_owned())
    } else {
        Err("expected the name of a job argument, like --kube-glue-run, or nothing".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::identity::Rules;

    fn options(arguments: &[&str]) -> Result<Options, clap::Error> {
        match Cli::read(std::iter::once(&"kube-glue").chain(arguments))? {
            Command::Run(options) => Ok(options),
            Command::Crds => panic!("not run"),
        }
    }

    fn refusal(arguments: &[&str]) -> String {
        options(arguments).unwrap_err().to_string()
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_the_default_and_takes_the_same_flags() {
        let bare = options(&["--poll-interval", "200ms"]).unwrap();
        let named = options(&["run", "--poll-interval", "200ms"]).unwrap();
        assert_eq!(bare.settings(), named.settings());
        assert_eq!(bare.settings().poll_interval, Duration::from_millis(200));
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let options = options(&[]).unwrap();
        assert_eq!(
            options.settings(),
            Settings {
                namespaces: vec![],
                poll_interval: Duration::from_secs(5),
                start_settle: Duration::from_mins(1),
                aws_timeout: Duration::from_secs(20),
                deletion_timeout: Duration::from_mins(10),
                run_key_argument: Some("--kube-glue-run".to_owned()),
                identity_rules: Rules::default(),
                watch_secrets: true,
            }
        );
        assert!(options.leader_election);
        assert_eq!(options.lease_duration, Duration::from_secs(15));
        assert_eq!(options.http_address.to_string(), "0.0.0.0:8080");
        assert_eq!(options.log_format, LogFormat::Text);
    }

    #[test]
    fn lists_and_empty_values() {
        let settings = options(&[
            "--namespaces",
            "a,b-2",
            "--controller-identity-namespaces",
            "team-*,ops",
            "--allowed-roles",
            "a=arn:aws:iam::111122223333:role/a*,b=*",
            "--allowed-endpoints",
            "",
            "--run-key-argument",
            "",
        ])
        .unwrap()
        .settings();
        assert_eq!(settings.namespaces, ["a", "b-2"]);
        assert_eq!(settings.identity_rules.own_identity, ["team-*", "ops"]);
        assert_eq!(settings.identity_rules.roles.len(), 2);
        assert_eq!(settings.identity_rules.endpoints, []);
        assert_eq!(settings.run_key_argument, None);
        let named = options(&["--run-key-argument", "--our-run"]).unwrap().settings();
        assert_eq!(named.run_key_argument.as_deref(), Some("--our-run"));
    }

    #[test]
    fn what_is_wrong_is_refused_with_the_remedy() {
        assert!(refusal(&["--poll-interval", "5"]).contains("like 200ms, 5s or 2m"));
        assert!(refusal(&["--poll-interval", "0s"]).contains("more than zero"));
        assert!(refusal(&["--poll-interval=-1s"]).contains("more than zero"));
        assert!(refusal(&["--namespaces", "a, b"]).contains("without spaces"));
        assert!(refusal(&["--allowed-roles", "arn"]).contains("expected NAMESPACE=VALUE"));
        assert!(refusal(&["--allowed-endpoints", "https://a/b"]).contains("expected a host"));
        assert!(refusal(&["--run-key-argument", "key"]).contains("--kube-glue-run"));
        assert!(refusal(&["--start-settle", "20s"]).contains("longer than --aws-timeout"));
        assert!(refusal(&["--lease-duration", "500ms"]).contains("at least 1s"));
        assert!(refusal(&["--http-address", "8080"]).contains("--http-address"));
    }

    #[test]
    fn every_flag_has_its_environment_variable() {
        for argument in Cli::command().get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            if matches!(long, "help" | "version") {
                continue;
            }
            let expected = format!("KUBE_GLUE_{}", long.replace('-', "_").to_uppercase());
            let actual = argument.get_env().map(|name| name.to_string_lossy().into_owned());
            assert_eq!(actual, Some(expected), "--{long}");
        }
    }

    #[test]
    fn the_chart_has_a_value_for_every_flag() {
        let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue/templates/deployment.yaml");
        let deployment = std::fs::read_to_string(chart).unwrap();
        for argument in Cli::command().get_arguments() {
            let Some(long) = argument.get_long() else { continue };
            // A replica's name is its pod's, by POD_NAME: a value would be the same for all replicas.
            if !matches!(long, "help" | "version" | "identity") {
                assert!(deployment.contains(&format!("--{long}=")), "--{long} is missing from {chart}");
            }
        }
        assert!(deployment.contains("POD_NAME"), "the identity is missing from {chart}");
    }
}
