//! The model of job runs.

pub(crate) mod source;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// The input of `StartJobRun`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartJobRun {
    /// The job's name.
    pub job: String,
    /// The arguments, including the one that carries the run's key.
    pub arguments: BTreeMap<String, String>,
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
    /// A run with this argument.
    Argument {
        /// The argument's name.
        name: String,
        /// The run's key.
        value: String,
    },
    /// A run with exactly these arguments that no trigger started. For scripts that reject unknown arguments.
    Arguments(BTreeMap<String, String>),
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

    /// Whether the run has ended. An unknown state counts as not ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Timeout | Self::Error | Self::Expired => true,
            Self::Starting | Self::Running | Self::Stopping | Self::Waiting | Self::Unknown(_) => false,
        }
    }
}

/// A job run as Glue shows it. The adapter drops the arguments, since they may contain secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRun {
    /// The run id.
    pub id: String,
    /// The state.
    pub state: JobRunState,
    /// Whether the [`RunMatcher`] of the request matches; false without one.
    pub matches: bool,
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
}

/// A page of runs, newest first.
#[derive(Clone, Debug)]
pub struct JobRunPage {
    /// The runs.
    pub runs: Vec<JobRun>,
    /// The token of the next page.
    pub next: Option<String>,
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
