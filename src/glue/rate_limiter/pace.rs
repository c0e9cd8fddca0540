//! How soon a group wants to be polled, and how often compared with others. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How many times as often as others a group is polled that may change soon.
pub(super) const MOST_OFTEN: f64 = 3.0;

/// How soon a group wants to be polled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// The shortest pause between two polls.
    pub base: Duration,
    /// How long a change of the group may stay unseen.
    pub tolerance: Duration,
    /// From when on an object waits for a poll.
    pub requested_at: Option<Instant>,
    /// When the poll of another group last showed that nothing has changed for this one.
    pub unchanged_at: Option<Instant>,
    /// What the poll of another group showed for this one.
    pub news: News,
    /// How many groups one of its polls informs, with itself.
    pub informs: usize,
}

/// What the poll of one group shows for another one, which then asks for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// Nothing has changed.
    #[default]
    Nothing,
    /// There is something that the other group has not observed yet.
    Unseen,
    /// Something has changed.
    Changed,
}

impl Pace {
    /// The pace of a group that may change at any moment.
    #[must_use]
    pub fn new(base: Duration) -> Self {
        let tolerance = Duration::ZERO;
        Self { base, tolerance, requested_at: None, unchanged_at: None, news: News::Nothing, informs: 1 }
    }

    /// Whether another group has shown news.
    pub(super) fn has_news(&self) -> bool {
        self.news > News::Nothing
    }

    /// When the state of the group was last known, if it last polled at `polled_at`.
    pub(super) fn known_at(&self, polled_at: Instant) -> Instant {
        self.unchanged_at.filter(|_| !self.has_news()).map_or(polled_at, |at| at.max(polled_at))
    }

    /// When the group is due, where enough calls are allowed.
    pub(super) fn due(&self, polled_at: Instant) -> Instant {
        let longest = if self.has_news() { self.base } else { self.base.mul_f64(MOST_OFTEN) };
        self.known_at(polled_at) + self.tolerance.clamp(self.base, longest)
    }

    /// How often the group comes when one poll of all takes `round`: 1 for one that may change soon, less for others.
    pub(super) fn weight(&self, round: Duration) -> f64 {
        let base = self.base.as_secs_f64();
        let rarest = (round.as_secs_f64() / base / MOST_OFTEN).clamp(1.0, MOST_OFTEN);
        1.0 / (self.tolerance.as_secs_f64() / base).clamp(1.0, rarest)
    }
}
