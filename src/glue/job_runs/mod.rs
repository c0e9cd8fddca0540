//! Glue's job runs in our own words: what is asked, what is seen, and what marks a run as ours.

pub mod source;

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What `StartJobRun` is asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StartJobRun {
    /// The job's name.
    pub job: String,
    /// The run's arguments, our mark included.
    pub arguments: BTreeMap<String, String>,
    /// Worker type and count.
    pub workers: Option<(String, i32)>,
    /// DPUs.
    pub max_capacity: Option<f64>,
    /// DPUs, the old way.
    pub allocated_capacity: Option<i32>,
    /// Minutes.
    pub timeout_minutes: Option<i32>,
    /// Minutes.
    pub notify_delay_after_minutes: Option<i32>,
    /// Its name.
    pub security_configuration: Option<String>,
    /// `FLEX` or `STANDARD`.
    pub execution_class: Option<&'static str>,
    /// Whether Glue may queue it.
    pub job_run_queuing_enabled: Option<bool>,
    /// An IAM policy, JSON.
    pub execution_role_session_policy: Option<String>,
}

/// What tells a run of ours from all others of its job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It carries this argument with this value.
    Argument {
        /// The argument's name.
        name: String,
        /// The run's key.
        value: String,
    },
    /// It carries exactly these arguments and no trigger started it: for scripts that
    /// accept no argument they do not know.
    Arguments(BTreeMap<String, String>),
}

/// All that `JobRunState` can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobRunState {
    /// Accepted, not running yet.
    Starting,
    /// Running.
    Running,
    /// Being stopped.
    Stopping,
    /// Stopped.
    Stopped,
    /// Ended well.
    Succeeded,
    /// Ended badly.
    Failed,
    /// Took longer than its timeout.
    Timeout,
    /// Glue failed.
    Error,
    /// Queued.
    Waiting,
    /// Queued for too long.
    Expired,
    /// A state newer than this program, in Glue's own word.
    Unknown(String),
}

impl JobRunState {
    /// Glue's word for it.
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

    /// Whether the run is over. A state that we do not know is taken for a live one and watched on.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Timeout | Self::Error | Self::Expired => true,
            Self::Starting | Self::Running | Self::Stopping | Self::Waiting | Self::Unknown(_) => false,
        }
    }
}

/// A job run as Glue shows it. Its arguments stay in the adapter, since they may hold secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRun {
    /// Glue's id.
    pub id: String,
    /// Its state.
    pub state: JobRunState,
    /// Whether it carries the mark that was asked for.
    pub marked: bool,
    /// Glue's own attempt: 0 is the first.
    pub attempt: i32,
    /// The run that this one retries, in Glue's own retries.
    pub previous: Option<String>,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub completed_on: Option<Timestamp>,
    /// Glue's words.
    pub error_message: Option<String>,
    /// Seconds.
    pub execution_seconds: i32,
    /// Seconds times DPUs.
    pub dpu_seconds: Option<f64>,
    /// Such as 5.0.
    pub glue_version: Option<String>,
    /// Type and count, as granted.
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
    /// Asks for the next page.
    pub next: Option<String>,
}

/// The most runs that one page of `GetJobRuns` holds (Glue API reference, `GetJobRuns`: `MaxResults` 1 to 200).
pub const PAGE: i32 = 200;

/// The most runs that one `BatchStopJobRun` stops (Glue API reference, `BatchStopJobRun`: 1 to 25).
pub const STOP_BATCH: usize = 25;

/// What became of one run in a `BatchStopJobRun`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopAnswer {
    /// It is being stopped.
    Accepted,
    /// Glue refused: its code and its words.
    Refused(crate::glue::Error),
}
