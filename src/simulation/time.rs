//! Virtual time, and what random numbers are drawn from.
//!
//! The product's structures read `tokio::time::Instant`, so the simulation runs on a paused tokio clock, and moves it from
//! event to event. Each part of a world draws from a stream of its own: dropping one object changes nothing about what
//! the others meet, which is what makes a violation shrink.

use std::time::Duration;

use jiff::Timestamp;

/// Milliseconds since the world began.
pub type Ms = u64;

/// A second.
pub const SECOND: Ms = 1000;
/// A minute.
pub const MINUTE: Ms = 60 * SECOND;

/// The world's beginning, in seconds since 1970.
const BEGINNING: i64 = 1_700_000_000;

/// The time as a status has it.
pub fn timestamp(at: Ms) -> Timestamp {
    let seconds = i64::try_from(at / SECOND).unwrap_or(i64::MAX - BEGINNING);
    Timestamp::from_second(BEGINNING + seconds).unwrap_or(Timestamp::MAX)
}

/// Milliseconds of a duration, rounded up: an event never comes before the time that it waits for.
pub fn millis(duration: Duration) -> Ms {
    Ms::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(Ms::MAX / 4)
}

/// `1h02m03.456` for a story.
pub fn clock(at: Ms) -> String {
    let (seconds, millis) = (at / SECOND, at % SECOND);
    format!("{}h{:02}m{:02}.{millis:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// The stream `name`/`number` of the world of `seed`.
    pub fn new(seed: u64, name: &str, number: u64) -> Self {
        let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
        for byte in name.bytes().chain(number.to_le_bytes()) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3).rotate_left(23);
        }
        Self(fastrand::Rng::with_seed(state))
    }

    /// Whether something happens that has this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.f64() < probability
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0.u64(from..=to.max(from))
    }

    /// One of `all`, which is not empty.
    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.0.usize(..all.len())].clone()
    }

    /// Another order.
    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        self.0.shuffle(all);
    }
}
