//! The exit codes.

use std::process::ExitCode;

/// How a command ends, the weightiest last: of several objects, the weightiest one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// All is done, and what was waited for has succeeded.
    #[default]
    Succeeded,
    /// A run has been stopped, or it expired before it was started.
    Stopped,
    /// A run has failed, or an object cannot go on as it is.
    Failed,
    /// The time of a wait is over. What was waited for goes on.
    TimedOut,
    /// An object does not exist, or no longer does.
    NotFound,
    /// The API server or AWS could not be reached, or refused a request.
    Refused,
    /// The command line is wrong.
    Usage,
    /// The user pressed Ctrl-C. What was waited for goes on.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Failed,
        Self::Usage,
        Self::Stopped,
        Self::TimedOut,
        Self::NotFound,
        Self::Refused,
        Self::Interrupted,
    ];

    /// The code as a shell sees it.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Stopped => 3,
            Self::TimedOut => 4,
            Self::NotFound => 5,
            Self::Refused => 6,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for the manual.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "the run failed, or the object cannot go on as it is",
            Self::Usage => "the command line is wrong",
            Self::Stopped => "the run was stopped, or it expired",
            Self::TimedOut => "the time of the wait is over",
            Self::NotFound => "an object does not exist",
            Self::Refused => "the API server or AWS refused a request, or could not be reached",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_code_of_its_own_in_order() {
        let codes = Exit::ALL.map(Exit::code);
        assert!(codes.is_sorted_by(|one, other| one < other), "{codes:?}");
    }
}
