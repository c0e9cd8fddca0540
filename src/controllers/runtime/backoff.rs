//! The pause before a step that failed is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause after something went wrong, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));

/// The pauses that grow while something stands in the way.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    /// Pauses in a row at whose end something stood in the way.
    failures: u32,
    /// The end of the pause that lasts.
    until: Option<Instant>,
    /// A refused start rests until then.
    not_before: Option<Instant>,
}

impl Backoff {
    /// What is left of the pause after a refusal.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.not_before?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// What stood in the way is gone, or may be: try at once.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Something stood in the way: the pause before the next pass.
    pub fn next(&mut self) -> Duration {
        self.pause(Duration::MAX)
    }

    /// Glue refused: rests for a pause that grows each time, up to `longest`.
    pub fn delay(&mut self, longest: Duration) {
        let pause = self.pause(longest);
        self.not_before = Some(Instant::now() + pause);
    }

    /// What is left of the pause that lasts, else the next one, which is longer. So how often an object is woken
    /// meanwhile makes no pause longer.
    fn pause(&mut self, longest: Duration) -> Duration {
        let now = Instant::now();
        let left = self.until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if left.is_zero() {
            let pause = PAUSES.0.saturating_mul(1 << self.failures.min(16)).min(PAUSES.1);
            let pause = pause.mul_f64(0.8 + 0.4 * fastrand::f64()).min(longest);
            self.failures += 1;
            self.until = Some(now + pause);
            return pause;
        }
        left.min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Within its jitter of a fifth.
    fn is_about(pause: Duration, seconds: u64) -> bool {
        let expected = Duration::from_secs(seconds);
        (expected.mul_f64(0.8)..=expected.mul_f64(1.2)).contains(&pause)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_time_and_not_with_how_often_the_object_is_woken() {
        let mut backoff = Backoff::default();
        for expected in [1, 2, 4, 8, 16, 32, 64, 120, 120] {
            let pause = backoff.next();
            assert!(is_about(pause, expected), "{pause:?}");
            tokio::time::advance(pause / 2).await;
            assert_eq!(backoff.next(), pause.saturating_sub(pause / 2), "what is left of it");
            tokio::time::advance(pause).await;
        }
        backoff.reset();
        assert!(is_about(backoff.next(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_rests_for_a_pause_that_grows_to_the_longest() {
        let mut backoff = Backoff::default();
        for expected in [1, 2, 3, 3] {
            backoff.delay(Duration::from_secs(3));
            let rest = backoff.remaining().expect("a rest");
            assert!(is_about(rest, expected), "{rest:?}");
            // Refused once more in the middle of it, where it was asked for all the same.
            tokio::time::advance(rest / 2).await;
            backoff.delay(Duration::from_secs(3));
            assert_eq!(backoff.remaining(), Some(rest.saturating_sub(rest / 2)));
            tokio::time::advance(rest).await;
            assert_eq!(backoff.remaining(), None);
        }
    }
}
