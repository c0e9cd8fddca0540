//! Times as statuses have them, and how long ago they were.

use std::time::Duration;

use jiff::Timestamp;

/// The time by which statuses are written.
#[must_use]
pub fn now() -> Timestamp {
    whole_seconds(Timestamp::now())
}

/// A time without fractions. The API server drops them: with them a status would differ from itself.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// How long ago `then` was at `now`; nothing where it is yet to come.
#[must_use]
pub fn since(now: Timestamp, then: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}
