//! The double's own time.
//!
//! Everything that changes over time in Glue is a function of this clock. It starts at the real time and
//! runs at the real pace, and a test can hold it, step it, or let it run faster. Nothing ticks: whoever
//! looks at a region first lets everything happen that was due by then (see [`crate::glue`]).
//!
//! Signatures and temporary credentials go by the real time instead, because the clients that use them do.

use std::{
    ops::{Add, Sub},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, Serializer};

/// A moment on the double's clock: milliseconds since the Unix epoch, as fine as Glue's own times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// Seconds since the epoch, as AWS JSON writes a timestamp.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double's 53 bits")]
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The time that passed since `earlier`; zero when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The same moment as a timestamp with a calendar.
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
struct Hands {
    shown: Time,
    set_at: Instant,
    speed: f64,
    held: bool,
}

impl Hands {
    fn now(&self) -> Time {
        if self.held { self.shown } else { self.shown + self.set_at.elapsed().mul_f64(self.speed) }
    }

    fn settle(&mut self) {
        self.shown = self.now();
        self.set_at = Instant::now();
    }
}

/// What the clock shows, for the admin endpoint and for a person.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockFace {
    /// Seconds since the epoch.
    pub now: f64,
    /// Whether it stands still.
    pub held: bool,
    /// Seconds it advances for each real second while it is not held.
    pub speed: f64,
}

/// A handle on the clock of one double.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Hands>>);

impl Default for Clock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Hands {
            shown: Time(jiff::Timestamp::now().as_millisecond()),
            set_at: Instant::now(),
            speed: 1.0,
            held: false,
        })))
    }
}

impl Clock {
    /// The time it shows.
    #[must_use]
    pub fn now(&self) -> Time {
        self.0.lock().now()
    }

    /// Lets it stand still until [`Clock::resume`]; only [`Clock::step`] moves it meanwhile.
    pub fn hold(&self) {
        let mut hands = self.0.lock();
        hands.settle();
        hands.held = true;
    }

    /// Moves it forward at once, held or not. All that falls due on the way happens in its order.
    pub fn step(&self, by: Duration) {
        let mut hands = self.0.lock();
        hands.settle();
        hands.shown = hands.shown + by;
    }

    /// Lets it run again, from where it stands.
    pub fn resume(&self) {
        let mut hands = self.0.lock();
        hands.settle();
        hands.held = false;
    }

    /// Sets how many seconds it advances for each real second. Negative and unreal values count as zero.
    pub fn set_speed(&self, speed: f64) {
        let mut hands = self.0.lock();
        hands.settle();
        hands.speed = if speed.is_finite() { speed.max(0.0) } else { 0.0 };
    }

    /// What it shows and how it runs.
    #[must_use]
    pub fn face(&self) -> ClockFace {
        let hands = self.0.lock();
        ClockFace { now: hands.now().as_seconds(), held: hands.held, speed: hands.speed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_moves_by_steps_only() {
        let clock = Clock::default();
        clock.hold();
        let before = clock.now();
        assert_eq!(clock.now(), before);
        clock.step(Duration::from_secs(90));
        assert_eq!(clock.now().since(before), Duration::from_secs(90));
    }

    #[test]
    fn speed_counts_from_the_moment_it_is_set() {
        let clock = Clock::default();
        clock.hold();
        clock.step(Duration::from_secs(1000));
        let before = clock.now();
        clock.set_speed(1_000_000.0);
        assert_eq!(clock.now(), before);
        clock.resume();
        while clock.now().since(before) < Duration::from_secs(1) {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn times_are_written_as_seconds_with_milliseconds() {
        assert_eq!(serde_json::to_string(&Time(1_602_873_931_255)).unwrap(), "1602873931.255");
    }
}
