//! Timestamps as statuses hold them.

use std::time::Duration;

use jiff::Timestamp;

/// The current time, in whole seconds.
#[must_use]
pub fn now() -> Timestamp {
    whole_seconds(Timestamp::now())
}

/// A time without its fraction. The API server drops fractions: with one, a status would differ from itself.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// How long before `now` the time `then` was; zero when it is later.
#[must_use]
pub fn since(now: Timestamp, then: Timestamp) -> Duration {
    now.duration_since(then).try_into().unwrap_or_default()
}
