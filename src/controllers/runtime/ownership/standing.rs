//! Whether an object can manage a resource, by what AWS has said of its credentials over time.
//!
//! An object whose credentials AWS refuses manages nothing. A short refusal must not pass its resource on, and
//! credentials that come and go must not pass it to and fro: so a refusal counts once it has lasted, and an object that
//! AWS accepts again gets its place back only once that has lasted, too.

use std::time::Duration;

use jiff::Timestamp;

use crate::controllers::runtime::time::since;
use crate::glue::identity::Acceptance;

/// How long something must last before it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// A refusal. By then the calls that the object has sent must have taken effect.
    pub lapse: Duration,
    /// An acceptance after a refusal that counted.
    pub regain: Duration,
    /// That AWS neither accepts nor refuses the credentials of a new object.
    pub try_for: Duration,
}

impl Terms {
    /// The terms where a sent call takes up to `settle` to show its effect.
    #[must_use]
    pub fn of(settle: Duration) -> Self {
        Self { lapse: settle, regain: settle * 5, try_for: settle * 10 }
    }
}

/// Whether an object can manage a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// AWS has neither accepted nor refused its credentials, since then.
    Untried(Timestamp),
    /// AWS accepts its credentials.
    Good,
    /// AWS accepted its credentials before, and has refused them, or they are missing, since then.
    Failing(Timestamp),
    /// AWS refuses its credentials, or they are missing: it manages nothing.
    Lapsed,
    /// It had lapsed, and AWS has accepted its credentials again since then.
    Regaining(Timestamp),
}

impl Standing {
    /// The standing at `now`, when AWS has said nothing new.
    #[must_use]
    pub fn at(self, now: Timestamp, terms: Terms) -> Self {
        match self {
            Self::Failing(from) if since(now, from) >= terms.lapse => Self::Lapsed,
            Self::Regaining(from) if since(now, from) >= terms.regain => Self::Good,
            standing => standing,
        }
    }

    /// The standing after what AWS has said of the credentials by `now`.
    #[must_use]
    pub fn after(self, acceptance: Acceptance, now: Timestamp, terms: Terms) -> Self {
        match (self.at(now, terms), acceptance) {
            (Self::Untried(_) | Self::Failing(_), Acceptance::Accepted) => Self::Good,
            (Self::Lapsed, Acceptance::Accepted) => Self::Regaining(now),
            (Self::Untried(_) | Self::Regaining(_), Acceptance::Refused) => Self::Lapsed,
            (Self::Good, Acceptance::Refused) => Self::Failing(now),
            (standing, Acceptance::Unknown | Acceptance::Accepted | Acceptance::Refused) => standing,
        }
    }

    /// Whether other objects must reckon with this one.
    #[must_use]
    pub fn counts(self, now: Timestamp, terms: Terms) -> bool {
        match self.at(now, terms) {
            Self::Untried(from) => since(now, from) < terms.try_for,
            Self::Good | Self::Failing(_) | Self::Regaining(_) => true,
            Self::Lapsed => false,
        }
    }

    /// Since when an object that was created at `created` counts among the others: the lesser goes first. Times are whole
    /// seconds, so one that recovers goes behind those that were created in the same second.
    #[must_use]
    pub fn seniority(self, created: Timestamp) -> (Timestamp, bool) {
        match self {
            Self::Regaining(from) => (from.max(created), true),
            Self::Untried(_) | Self::Good | Self::Failing(_) | Self::Lapsed => (created, false),
        }
    }

    /// After how long it changes when AWS says nothing new; `None` when it does not.
    #[must_use]
    pub fn changes_in(self, now: Timestamp, terms: Terms) -> Option<Duration> {
        match self {
            Self::Failing(from) => Some(terms.lapse.saturating_sub(since(now, from))),
            Self::Regaining(from) => Some(terms.regain.saturating_sub(since(now, from))),
            Self::Untried(from) => Some(terms.try_for.saturating_sub(since(now, from))),
            Self::Good | Self::Lapsed => None,
        }
        .filter(|left| !left.is_zero())
    }
}
