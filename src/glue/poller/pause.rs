//! How long a group pauses between two polls. Pure.

use std::time::Duration;

/// Polls get this part of the calls that the account allows.
const SHARE: f64 = 0.2;
/// The longest pause where the account allows more calls, as a multiple of the base interval: a minute by default.
const LONGEST: f64 = 12.0;
/// The longest pause of all.
const LONGEST_WHEN_THROTTLED: u32 = 120;

/// The polls of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many groups poll it.
    pub(crate) groups: usize,
    /// How many calls one poll of all groups takes.
    pub(crate) calls: usize,
    /// The calls per second that the account allows now.
    pub(crate) rate: f64,
}

/// The pause between two polls of a group whose youngest item is `youngest` old.
///
/// `base` applies to few groups with young items. The pause grows with the number of groups, so that twenty make 80
/// polls a minute at the default of 5 s, and with the age, up to six times at two hours. It grows to a minute. Only
/// where the account does not allow that many calls it is longer: polls then take a fifth of what it allows.
pub(crate) fn pause(base: Duration, load: Load, youngest: Duration) -> Duration {
    #[allow(clippy::cast_precision_loss)]
    let (groups, calls) = (load.groups as f64, load.calls as f64);
    let by_age = (youngest.as_secs_f64() / 1200.0).clamp(1.0, 6.0);
    let unthrottled = base.mul_f64(((groups * 0.15).max(1.0) * by_age).min(LONGEST));
    let affordable = Duration::from_secs_f64(calls / (load.rate * SHARE));
    unthrottled.max(affordable).min(base * LONGEST_WHEN_THROTTLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: Duration = Duration::from_secs(5);

    #[test]
    fn the_pause_follows_the_groups_and_the_age_where_the_account_allows_it_and_its_rate_elsewhere() {
        let hours = |hours: u64| Duration::from_hours(hours);
        for (groups, calls, rate, youngest, seconds) in [
            (1, 1, 200.0, hours(0), 5.0),
            (1, 1, 200.0, hours(24), 30.0),
            (20, 20, 200.0, hours(0), 15.0),
            (20, 60, 200.0, hours(0), 15.0),
            (1, 50, 200.0, hours(0), 5.0),
            (1000, 1000, 200.0, hours(0), 60.0),
            (1000, 1000, 200.0, hours(24), 60.0),
            (1000, 1000, 25.0, hours(0), 200.0),
            (1000, 1000, 0.5, hours(0), 600.0),
        ] {
            let pause = pause(BASE, Load { groups, calls, rate }, youngest).as_secs_f64();
            assert!((pause - seconds).abs() < 0.01, "{groups} groups, {calls} calls at {rate}/s: {pause}");
        }
    }

    #[test]
    fn twenty_groups_stay_under_a_hundred_calls_a_minute() {
        let pause = pause(BASE, Load { groups: 20, calls: 20, rate: 200.0 }, Duration::ZERO);
        assert!(20.0 * 60.0 / pause.as_secs_f64() <= 100.0, "{pause:?}");
    }
}
