//! The model of job runs.

pub(crate) mod fingerprint;
pub(crate) mod history;
pub mod places;
pub mod search;
pub(crate) mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::glue::logs::arguments::LogArguments;
use crate::glue::logs::places::LoggedRun;
use crate::redaction::Sensitive;

/// The input of `StartJobRun`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartJobRun {
    /// The job's name.
    pub job: String,
    /// The arguments, including the one that carries the run's key.
    pub arguments: BTreeMap<String, Sensitive>,
    /// Worker type and count.
    pub workers: Option<(String, i32)>,
    /// DPUs.
    pub max_capacity: Option<f64>,
    /// DPUs; deprecated by AWS.
    pub allocated_capacity: Option<i32>,
    /// Minutes.
    pub timeout_minutes: Option<i32>,
    /// Minutes.
    pub notify_delay_after_minutes: Option<i32>,
    /// The name of a security configuration.
    pub security_configuration: Option<String>,
    /// `FLEX` or `STANDARD`.
    pub execution_class: Option<&'static str>,
    /// Whether Glue may queue the run.
    pub job_run_queuing_enabled: Option<bool>,
    /// An IAM policy in JSON.
    pub execution_role_session_policy: Option<String>,
}

/// Identifies the runs that the controller started among all runs of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunMatcher {
    /// Every run of one object: its argument `name` is the key `<base>/<number of the attempt>`.
    Argument {
        /// The argument's name.
        name: String,
        /// The part of the key that all attempts share.
        base: String,
    },
    /// A run with these arguments, and no others, that no trigger started. For scripts that reject unknown arguments.
    Arguments {
        /// Arguments by name.
        literal: BTreeMap<String, String>,
        /// The names of arguments with any value, or none: a Secret may have changed since the start.
        from: BTreeSet<String>,
    },
}

impl RunMatcher {
    /// How a run with these arguments satisfies it; `triggered` when a trigger started the run.
    #[must_use]
    pub fn satisfied_by(&self, arguments: &HashMap<String, String>, triggered: bool) -> Option<RunMatch> {
        match self {
            Self::Argument { name, base } => match parse_attempt_key(arguments.get(name)?)? {
                (of_run, number) if of_run == base => Some(RunMatch::Attempt(number)),
                _ => None,
            },
            Self::Arguments { literal, from } => {
                let others = arguments.keys().filter(|name| !from.contains(*name)).count();
                let is_match = !triggered
                    && others == literal.len()
                    && literal.iter().all(|(name, value)| arguments.get(name) == Some(value));
                is_match.then_some(RunMatch::Arguments)
            }
        }
    }
}

/// How a run satisfies a [`RunMatcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunMatch {
    /// Its key names this attempt.
    Attempt(u32),
    /// It has the arguments. Every attempt of an object, and every other object with the same arguments, looks like it.
    Arguments,
}

/// The key that the run of an attempt carries.
#[must_use]
pub fn attempt_key(base: &str, number: u32) -> String {
    format!("{base}/{number}")
}

/// The base and the number of an [`attempt_key`]; `None` for other text. The base may contain slashes.
#[must_use]
pub fn parse_attempt_key(key: &str) -> Option<(&str, u32)> {
    let (base, number) = key.rsplit_once('/')?;
    let number: u32 = number.parse().ok()?;
    // One attempt has one spelling: `+1` and `01` are not ours.
    (attempt_key(base, number) == key).then_some((base, number))
}

/// What the keys of all attempts of an object begin with: the namespace that the run is started for, and what identifies
/// it there. A key means nothing in other namespaces.
#[must_use]
pub fn base_key(namespace: &str, identity: &str) -> String {
    format!("{namespace}/{identity}")
}

/// The namespace of the object that a run with this key was started for; `None` for other text.
#[must_use]
pub fn namespace_of_key(key: &str) -> Option<&str> {
    let (base, _) = parse_attempt_key(key)?;
    base.split_once('/').map(|(namespace, _)| namespace)
}

/// Glue's `JobRunState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobRunState {
    /// STARTING
    Starting,
    /// RUNNING
    Running,
    /// STOPPING
    Stopping,
    /// STOPPED
    Stopped,
    /// SUCCEEDED
    Succeeded,
    /// FAILED
    Failed,
    /// TIMEOUT: it ran longer than its timeout.
    Timeout,
    /// ERROR: Glue itself failed.
    Error,
    /// WAITING: Glue has queued it.
    Waiting,
    /// EXPIRED: Glue had queued it for too long.
    Expired,
    /// A state that this program does not know.
    Unknown(String),
}

impl JobRunState {
    /// The state as Glue spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Timeout => "TIMEOUT",
            Self::Error => "ERROR",
            Self::Waiting => "WAITING",
            Self::Expired => "EXPIRED",
            Self::Unknown(state) => state,
        }
    }

    /// Whether the run has ended badly, other than by a stop or before it began.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Error)
    }

    /// Whether the run has ended. An unknown state counts as not ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Timeout | Self::Error | Self::Expired => true,
            Self::Starting | Self::Running | Self::Stopping | Self::Waiting | Self::Unknown(_) => false,
        }
    }
}

/// A job run as Glue shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRun {
    /// The run id.
    pub id: String,
    /// The state.
    pub state: JobRunState,
    /// How it satisfies the [`RunMatcher`] of the request; `None` when it does not, and without a matcher.
    pub matched: Option<RunMatch>,
    /// The namespace of the object that the run was started for, by its key; `None` for a run that kube-glue did not
    /// start, and where runs carry no key.
    pub started_for: Option<String>,
    /// Its arguments, which Glue's words about it and the log of a failed run may quote; `None` without such words, and where
    /// Glue does not show them.
    pub arguments: Option<Arc<BTreeMap<String, Sensitive>>>,
    /// The number of the attempt among Glue's own retries, from 0.
    pub attempt: i32,
    /// The id of the run that this one retries, for one of Glue's own retries.
    pub previous: Option<String>,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub completed_on: Option<Timestamp>,
    /// Glue's message.
    pub error_message: Option<String>,
    /// Seconds; 0 until the run has ended.
    pub execution_seconds: i32,
    /// Seconds times DPUs; `None` until the run has ended.
    pub dpu_seconds: Option<f64>,
    /// Such as `5.0`.
    pub glue_version: Option<String>,
    /// Worker type and count, as granted.
    pub workers: Option<(String, i32)>,
    /// DPUs, as granted.
    pub max_capacity: Option<f64>,
    /// The CloudWatch log group.
    pub log_group: Option<String>,
    /// `FLEX` or `STANDARD`, as granted.
    pub execution_class: Option<String>,
    /// Minutes, as granted.
    pub timeout_minutes: Option<i32>,
    /// Why the run is in its state, such as what a WAITING run waits for.
    pub state_detail: Option<String>,
    /// What few runs have; `None` when it has nothing of that.
    pub details: Option<Box<RunDetails>>,
}

/// What few runs have. It is apart from the run, of which the poller holds thousands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunDetails {
    /// The trigger that started it.
    pub trigger: Option<String>,
    /// The runs whose end made the trigger start it, as job and run id.
    pub predecessors: Vec<(String, String)>,
    /// The usage profile.
    pub profile: Option<String>,
    /// Such as `Sun:10`.
    pub maintenance_window: Option<String>,
    /// What its arguments say of its logs; for a run that failed, also the default arguments of the job.
    pub logs: LogArguments,
}

/// What the controller needs of a job (`GetJob`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobSettings {
    /// How many times Glue itself retries a run.
    pub max_retries: i32,
    /// What the default arguments say of the logs.
    pub logs: LogArguments,
}

/// What the defaults of a job say of Spark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SparkDefaults {
    /// Whether it is a job of Spark.
    pub is_spark: bool,
    /// The default value of `--conf`, which an argument of a run would replace.
    pub conf: Option<String>,
}

impl JobRun {
    /// What the places of its logs follow from.
    #[must_use]
    pub fn logged(&self) -> LoggedRun<'_> {
        LoggedRun { id: &self.id, group: self.log_group.as_deref(), glue_version: self.glue_version.as_deref() }
    }
}

#[cfg(any(test, feature = "simulation"))]
impl JobRun {
    /// A run of which only the ID and the state are known.
    pub(crate) fn fixture(id: &str, state: JobRunState) -> Self {
        Self {
            id: id.to_owned(),
            state,
            matched: None,
            started_for: None,
            arguments: None,
            attempt: 0,
            previous: None,
            started_on: None,
            completed_on: None,
            error_message: None,
            execution_seconds: 0,
            dpu_seconds: None,
            glue_version: None,
            workers: None,
            max_capacity: None,
            log_group: None,
            execution_class: None,
            timeout_minutes: None,
            state_detail: None,
            details: None,
        }
    }
}

/// The size of a page of `GetJobRuns` (Glue API reference, `GetJobRuns`: `MaxResults` 1 to 200).
pub(crate) const PAGE_SIZE: i32 = 200;

/// The most runs that one `BatchStopJobRun` stops (Glue API reference, `BatchStopJobRun`: 1 to 25).
pub(crate) const STOP_BATCH_SIZE: usize = 25;

/// The outcome for one run of a `BatchStopJobRun`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopOutcome {
    /// Glue stops the run.
    Accepted,
    /// Glue refused to stop it.
    Refused(crate::glue::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_base_and_its_attempt() {
        for (key, parsed) in [
            ("uid/0", Some(("uid", 0))),
            ("a/b/12", Some(("a/b", 12))),
            ("uid", None),
            ("uid/", None),
            ("uid/x", None),
            ("uid/+1", None),
            ("uid/01", None),
            ("uid/4294967296", None),
        ] {
            assert_eq!(parse_attempt_key(key), parsed, "{key}");
        }
    }

    #[test]
    fn a_key_names_the_namespace_that_its_run_was_started_for() {
        let longest = base_key(&"n".repeat(63), &"k".repeat(128));
        for (key, namespace) in [
            (attempt_key(&base_key("team-a", "0b1f"), 0), Some("team-a")),
            (attempt_key(&base_key("team-a", "orders.v1"), 12), Some("team-a")),
            (attempt_key(&longest, u32::MAX), Some(&*"n".repeat(63))),
            ("0b1f/0".to_owned(), None),
            ("team-a/0b1f".to_owned(), None),
            ("mine".to_owned(), None),
        ] {
            assert_eq!(namespace_of_key(&key), namespace, "{key}");
            assert!(key.len() <= 256, "{key}");
        }
    }
}
