//! The pause before a step that failed is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause, and the longest; each is twice the one before it, with a jitter of a fifth.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(2));

/// Pauses that grow while a step fails.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    /// Pauses in a row after which the step failed again.
    failures: u32,
    /// When the current pause ends.
    until: Option<Instant>,
    /// Until when a step that AWS refused is not tried again.
    delayed_until: Option<Instant>,
}

impl Backoff {
    /// What is left of the pause after AWS refused the step.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let left = self.delayed_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The cause is gone, or may be: the next try is at once.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The pause before the next pass.
    pub fn next_pause(&mut self) -> Duration {
        self.pause(Duration::MAX)
    }

    /// AWS refused the step: it is not tried again before a pause that grows each time, up to `longest`.
    pub fn delay(&mut self, longest: Duration) {
        let pause = self.pause(longest);
        self.delayed_until = Some(Instant::now() + pause);
    }

    /// What is left of the current pause, else the next one, which is longer. So it makes no difference how often an
    /// object is requeued during a pause.
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

    /// Within the jitter of a fifth.
    fn is_about(pause: Duration, seconds: u64) -> bool {
        let expected = Duration::from_secs(seconds);
        (expected.mul_f64(0.8)..=expected.mul_f64(1.2)).contains(&pause)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_time_and_not_with_the_number_of_requeues() {
        let mut backoff = Backoff::default();
        for expected in [1, 2, 4, 8, 16, 32, 64, 120, 120] {
            let pause = backoff.next_pause();
            assert!(is_about(pause, expected), "{pause:?}");
            tokio::time::advance(pause / 2).await;
            assert_eq!(backoff.next_pause(), pause.saturating_sub(pause / 2), "what is left of it");
            tokio::time::advance(pause).await;
        }
        backoff.reset();
        assert!(is_about(backoff.next_pause(), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_step_is_delayed_by_pauses_that_grow_to_the_longest() {
        let mut backoff = Backoff::default();
        for expected in [1, 2, 3, 3] {
            backoff.delay(Duration::from_secs(3));
            let left = backoff.remaining().expect("a pause");
            assert!(is_about(left, expected), "{left:?}");
            // The step is refused again in the middle of the pause, where it was tried all the same.
            tokio::time::advance(left / 2).await;
            backoff.delay(Duration::from_secs(3));
            assert_eq!(backoff.remaining(), Some(left.saturating_sub(left / 2)));
            tokio::time::advance(left).await;
            assert_eq!(backoff.remaining(), None);
        }
    }
}
