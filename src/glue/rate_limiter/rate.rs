//! The rate of calls that an account and region allows, as AWS's answers show it. Pure.
//!
//! Glue publishes no rate that holds for every account, so none is configured. The law is that of TCP CUBIC, which the
//! "adaptive" retry mode of the AWS SDKs also uses, with a period that does not depend on the rate:
//!
//! - A throttle shows the *limit*: what AWS answered in the second before. The rate falls to 70 % of it.
//! - From there it returns to the limit within [`PLATEAU`], stays near it as long again, and then rises ever
//!   faster, since the limit may have been raised.
//! - Whatever the curve allows, the rate is at most twice what AWS answered in the last second, or [`UNPROVEN_RATE`]. So
//!   a burst after a quiet time does not begin with a thousand calls.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Calls per second that are tried without evidence that the account allows them.
pub(crate) const UNPROVEN_RATE: f64 = 200.0;
/// Calls per second that are never exceeded.
pub(crate) const MAX_RATE: f64 = 1000.0;
/// The lowest rate, in calls per second: enough to notice that AWS stopped throttling.
pub(crate) const MIN_RATE: f64 = 0.5;
/// A throttle of an account that made fewer calls per second than this does not show its limit: others use it too.
const LOWEST_MEASURED_LIMIT: f64 = 10.0;
/// How long after a throttle the rate is back at the limit.
const PLATEAU: Duration = Duration::from_secs(8);
/// The part of the limit that a throttle takes away.
const DECREASE: f64 = 0.3;
/// Throttles come in bursts: those within this time of the first are one.
const ONE_THROTTLE: Duration = Duration::from_secs(1);
/// Answers are counted over this time, in slots of a quarter of it.
const WINDOW: Duration = Duration::from_secs(1);
const SLOTS: u32 = 4;

/// The allowed rate of one account and region.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    /// The limit that the last throttle showed, and when.
    throttled: Option<(f64, Instant)>,
    answers: Answers,
}

impl Rate {
    pub(crate) fn new(now: Instant) -> Self {
        Self { throttled: None, answers: Answers { since: now, slots: VecDeque::new() } }
    }

    /// The allowed calls per second.
    pub(crate) fn at(&self, now: Instant) -> f64 {
        let proven = (2.0 * self.answers.per_second(now)).clamp(UNPROVEN_RATE, MAX_RATE);
        self.throttled.map_or(proven, |(limit, at)| curve(limit, now.saturating_duration_since(at)).min(proven))
    }

    /// AWS throttled a call. Whether the rate fell.
    pub(crate) fn record_throttle(&mut self, now: Instant) -> bool {
        if self.throttled.is_some_and(|(_, at)| now.saturating_duration_since(at) < ONE_THROTTLE) {
            return false;
        }
        let seen = self.answers.per_second(now).max(LOWEST_MEASURED_LIMIT);
        self.throttled = Some((self.at(now).min(seen).max(MIN_RATE), now));
        true
    }

    /// AWS answered a call otherwise.
    pub(crate) fn record_response(&mut self, now: Instant) {
        self.answers.record(now);
    }

    /// Takes over what `other` knows, where that is the lower rate.
    pub(crate) fn adopt_lower(&mut self, other: &Self, now: Instant) {
        if other.at(now) < self.at(now) {
            self.throttled = other.throttled;
        }
    }
}

/// The rate at `elapsed` after a throttle that showed `limit`.
fn curve(limit: f64, elapsed: Duration) -> f64 {
    let position = elapsed.as_secs_f64() / PLATEAU.as_secs_f64() - 1.0;
    (limit * (1.0 + DECREASE * position.powi(3))).clamp(MIN_RATE, MAX_RATE)
}

/// The answers of the last [`WINDOW`].
#[derive(Clone, Debug)]
struct Answers {
    since: Instant,
    /// The numbers of slots that have answers, and how many.
    slots: VecDeque<(u128, u32)>,
}

impl Answers {
    fn slot(&self, now: Instant) -> u128 {
        now.saturating_duration_since(self.since).as_millis() / (WINDOW / SLOTS).as_millis()
    }

    fn record(&mut self, now: Instant) {
        let slot = self.slot(now);
        match self.slots.back_mut() {
            Some((last, count)) if *last >= slot => *count += 1,
            _ => self.slots.push_back((slot, 1)),
        }
        while self.slots.front().is_some_and(|(first, _)| first + u128::from(SLOTS) <= slot) {
            self.slots.pop_front();
        }
    }

    fn per_second(&self, now: Instant) -> f64 {
        let slot = self.slot(now);
        let in_window = self.slots.iter().filter(|(of, _)| of + u128::from(SLOTS) > slot);
        in_window.map(|(_, count)| f64::from(*count)).sum::<f64>() / WINDOW.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_rate(rate: &Rate, at: Instant, expected: f64) {
        assert!((rate.at(at) - expected).abs() < 0.1 * expected, "{} instead of {expected}", rate.at(at));
    }

    #[test]
    fn a_throttle_lowers_the_rate_and_time_without_one_raises_it() {
        let start = Instant::now();
        let after = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut rate = Rate::new(start);
        assert_rate(&rate, start, UNPROVEN_RATE);
        for _ in 0..40 {
            rate.record_response(start);
        }
        assert!(rate.record_throttle(start));
        assert_rate(&rate, start, 28.0);
        assert!(!rate.record_throttle(after(0.9)), "a burst of throttles counts once");
        for (seconds, expected) in [(4.0, 38.5), (8.0, 40.0), (12.0, 41.5), (16.0, 52.0), (24.0, 136.0), (40.0, 200.0)]
        {
            assert_rate(&rate, after(seconds), expected);
        }
    }

    #[test]
    fn answers_count_for_a_second() {
        let start = Instant::now();
        for (millis, expected) in [(999, 28.0), (1000, 7.0)] {
            let mut rate = Rate::new(start);
            for _ in 0..40 {
                rate.record_response(start);
            }
            let now = start + Duration::from_millis(millis);
            assert!(rate.record_throttle(now));
            assert_rate(&rate, now, expected);
        }
    }

    #[test]
    fn the_lower_of_two_rates_is_taken_over() {
        let start = Instant::now();
        let (unproven, mut throttled) = (Rate::new(start), Rate::new(start));
        assert!(throttled.record_throttle(start));
        let adopt = |mut rate: Rate, other: &Rate| {
            rate.adopt_lower(other, start);
            rate.at(start)
        };
        let [high, low] = [unproven.at(start), throttled.at(start)].map(f64::to_bits);
        assert!(low < high);
        assert_eq!(adopt(unproven.clone(), &throttled).to_bits(), low);
        assert_eq!(adopt(throttled.clone(), &unproven).to_bits(), low);
        // Of two that are the same now, each keeps what it saw.
        let later = start + Duration::from_mins(5);
        let mut recovered = throttled.clone();
        recovered.adopt_lower(&unproven, later);
        assert_eq!(recovered.at(start).to_bits(), low);
    }

    #[test]
    fn repeated_throttles_lead_to_the_lowest_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for second in 0..20 {
            rate.record_throttle(start + Duration::from_secs(second));
        }
        assert_rate(&rate, start + Duration::from_secs(20), MIN_RATE);
    }

    #[test]
    fn the_rate_doubles_with_each_second_of_evidence() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let (mut now, mut rates) = (start, Vec::new());
        for _ in 0..4 {
            rates.push(rate.at(now));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let calls = rate.at(now) as u32;
            for call in 0..calls {
                rate.record_response(now + Duration::from_secs(1) * call / calls);
            }
            now += Duration::from_millis(999);
        }
        assert_eq!(rates, [200.0, 400.0, 798.0, 1000.0]);
        assert_rate(&rate, now + WINDOW * 2, UNPROVEN_RATE);
    }
}
