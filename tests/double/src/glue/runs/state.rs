//! The states of a run.

use serde::{Deserialize, Serialize};

/// Glue's `JobRunState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum JobRunState {
    Starting,
    Running,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Timeout,
    Error,
    Waiting,
    Expired,
}

impl JobRunState {
    /// Whether a run in this state has ended.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Starting | Self::Running | Self::Stopping | Self::Waiting => false,
            Self::Stopped | Self::Succeeded | Self::Failed | Self::Timeout | Self::Error | Self::Expired => true,
        }
    }

    /// The name in Glue's API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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
        }
    }
}
