//! The double's clock.
//!
//! All changes over time in Glue depend on this clock. It starts at the real time and runs at the real speed. A test
//! can hold it, step it, or make it run faster. There is no timer: each access to a region first handles the events
//! that are due (see [`crate::glue`]).
//!
//! Signatures and temporary credentials use the real time, because clients do.

#[cfg(test)]
mod tests;

use std::{
    ops::{Add, Sub},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, Serializer};

/// Longer than any test: the duration of what never happens.
pub const FOREVER: Duration = Duration::from_hours(24 * 365 * 100);

/// A time on the double's clock, in milliseconds since the Unix epoch (the precision of Glue's timestamps).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Seconds since the Unix epoch, as AWS JSON writes a timestamp.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double's 53 bits")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The duration since `earlier`; zero when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The same time as a calendar timestamp.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default()
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.as_seconds())
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;

    fn sub(self, duration: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

#[derive(Debug)]
struct Inner {
    shown: Time,
    set_at: Instant,
    speed: f64,
    held: bool,
}

impl Inner {
    fn now(&self) -> Time {
        if self.held { self.shown } else { self.shown + self.set_at.elapsed().mul_f64(self.speed) }
    }

    fn settle(&mut self) {
        self.shown = self.now();
        self.set_at = Instant::now();
    }
}

/// The state of the clock, as the admin endpoint shows it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockStatus {
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// Whether it is held.
    pub held: bool,
    /// Seconds it advances for each real second while it is not held.
    pub speed: f64,
}

/// A handle on the clock of one double.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Inner>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            shown: Time(jiff::Timestamp::now().as_millisecond()),
            set_at: Instant::now(),
            speed: 1.0,
            held: false,
        })))
    }
}

impl Clock {
    /// The current time on this clock.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.lock().now()
    }

    /// Stops the clock until [`Clock::resume`]. Meanwhile only [`Clock::step`] moves it.
    pub fn hold(&self) {
        let mut inner = self.0.lock();
        inner.settle();
        inner.held = true;
    }

    /// Moves the clock forward, held or not. Events that become due are handled in order.
    pub fn step(&self, by: Duration) {
        let mut inner = self.0.lock();
        inner.settle();
        inner.shown = inner.shown + by;
    }

    /// Lets a held clock run on from its current time.
    pub fn resume(&self) {
        let mut inner = self.0.lock();
        inner.settle();
        inner.held = false;
    }

    /// Sets how many seconds the clock advances in each real second. Negative and non-finite values count as zero.
    pub fn set_speed(&self, speed: f64) {
        let mut inner = self.0.lock();
        inner.settle();
        inner.speed = if speed.is_finite() { speed.max(0.0) } else { 0.0 };
    }

    /// The current time, whether the clock is held, and its speed.
    #[must_use]
    pub fn status(&self) -> ClockStatus {
        let inner = self.0.lock();
        ClockStatus { now: inner.now().as_seconds(), held: inner.held, speed: inner.speed }
    }
}
