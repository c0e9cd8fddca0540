//! Why AWS refuses a start in a way that other objects of the same target would meet as well.

use std::time::Duration;

use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;

/// The first pause before a refused start is tried again. Each is twice the one before it, up to the cause's longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Why a start was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// As many runs as the target allows are live.
    ConcurrentRuns,
    /// A quota of the account is exhausted.
    Quota,
    /// The identity may not start it.
    Denied,
    /// There is no such target.
    NoTarget,
    /// AWS rejected what the object asks for.
    Invalid,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 5] = [Self::ConcurrentRuns, Self::Quota, Self::Denied, Self::NoTarget, Self::Invalid];

    /// The cause of an error; `None` for one that passes by itself, or that says nothing about other objects.
    #[must_use]
    pub fn of(kind: ErrorKind) -> Option<Self> {
        match kind {
            ErrorKind::Busy => Some(Self::ConcurrentRuns),
            ErrorKind::LimitExceeded => Some(Self::Quota),
            ErrorKind::Denied => Some(Self::Denied),
            ErrorKind::NotFound => Some(Self::NoTarget),
            ErrorKind::Invalid => Some(Self::Invalid),
            ErrorKind::Conflict
            | ErrorKind::Throttled
            | ErrorKind::ExpiredCredentials
            | ErrorKind::Ambiguous
            | ErrorKind::Transient => None,
        }
    }

    /// The cause that a condition with this reason reports.
    #[must_use]
    pub fn of_reason(reason: Reason) -> Option<Self> {
        match reason {
            Reason::ConcurrentRunsExceeded | Reason::CrawlerRunning => Some(Self::ConcurrentRuns),
            Reason::LimitExceeded => Some(Self::Quota),
            Reason::AccessDenied => Some(Self::Denied),
            Reason::NotFound => Some(Self::NoTarget),
            Reason::InvalidSpec => Some(Self::Invalid),
            _ => None,
        }
    }

    /// The reason of the condition that reports it for a job run.
    #[must_use]
    pub fn reason(self) -> Reason {
        match self {
            Self::ConcurrentRuns => Reason::ConcurrentRunsExceeded,
            Self::Quota => Reason::LimitExceeded,
            Self::Denied => Reason::AccessDenied,
            Self::NoTarget => Reason::NotFound,
            Self::Invalid => Reason::InvalidSpec,
        }
    }

    /// Whether it holds for objects that have not tried yet. What is wrong with one object's spec says nothing about
    /// another's.
    #[must_use]
    pub fn is_shared(self) -> bool {
        self != Self::Invalid
    }

    /// Whether one successful start means that one more object may try. Otherwise all objects may.
    #[must_use]
    pub fn admits_one(self) -> bool {
        matches!(self, Self::ConcurrentRuns | Self::Quota)
    }

    /// Whether the objects try in turn. Where what is refused may differ between them, one that can never succeed must
    /// not keep the others from trying.
    #[must_use]
    pub fn takes_turns(self) -> bool {
        !self.admits_one()
    }

    /// The pause after this many refusals in a row. Glue frees a run's place some seconds after the run's end and
    /// notifies nobody; what a person has to correct takes longer.
    #[must_use]
    pub fn pause(self, refusals: u32) -> Duration {
        let longest = match self {
            Self::ConcurrentRuns => Duration::from_secs(15),
            Self::Quota => Duration::from_mins(1),
            Self::Denied | Self::NoTarget | Self::Invalid => Duration::from_mins(2),
        };
        FIRST_PAUSE.saturating_mul(1 << refusals.min(16)).min(longest)
    }
}
