//! How long a change of an item may stay unseen, by the item's age and by what such items usually last. Pure.

use std::time::Duration;

use jiff::Timestamp;

/// An item younger than this may change at any moment: it starts to run, or fails at once.
pub(crate) const FRESH: Duration = Duration::from_mins(2);
/// From this part of an item's age on, a change before its usual end counts as unlikely.
const OF_AGE_BEFORE_END: u32 = 24;
/// The part of the time until the usual end that a change may stay unseen.
const OF_TIME_LEFT: u32 = 10;
/// The part of the age, or of the time since the usual end, that a change may stay unseen where no end is expected.
const OF_AGE: u32 = 960;
/// How many finished items show what is usual.
const FEWEST: usize = 3;
/// The newest so many are considered.
const MOST: usize = 20;

/// Between which ages the items of a group usually end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualDuration {
    from: Duration,
    until: Duration,
}

impl UsualDuration {
    /// What the `durations` of finished items show, newest first. The shortest and the longest tenth do not count. `None`
    /// for fewer than three.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut durations: Vec<_> = durations.into_iter().take(MOST).collect();
        durations.sort_unstable();
        let outliers = durations.len() / 10;
        let usual = durations.get(outliers..durations.len() - outliers).filter(|_| durations.len() >= FEWEST)?;
        Some(Self { from: *usual.first()?, until: *usual.last()? })
    }

    /// What runs show that ended as they should, in any order, each with its start and its end. One of which Glue does not
    /// show both does not count.
    #[must_use]
    pub fn of_runs(runs: impl Iterator<Item = (Option<Timestamp>, Option<Timestamp>)>) -> Option<Self> {
        let mut ended: Vec<_> = runs.filter_map(|(started, ended)| Some((ended?, started?))).collect();
        ended.sort_unstable_by(|one, other| other.cmp(one));
        Self::of(ended.into_iter().filter_map(|(ended, started)| ended.duration_since(started).try_into().ok()))
    }
}

/// How long a change of an item of this age may stay unseen.
///
/// Nothing while the item is [`FRESH`], and while it is as old as such items are when they end. Before, it is a tenth of
/// the time that is left, and little in the item's first minutes. Without a usual end, and after it, it grows with the age:
/// 5 s at 80 minutes, 15 s at four hours.
pub(crate) fn tolerance(age: Duration, usual: Option<UsualDuration>) -> Duration {
    match usual {
        _ if age <= FRESH => Duration::ZERO,
        Some(usual) if age < usual.from => (usual.from.saturating_sub(age) / OF_TIME_LEFT).min(age / OF_AGE_BEFORE_END),
        Some(usual) => age.saturating_sub(usual.until) / OF_AGE,
        None => age / OF_AGE,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_mins(minutes)
    }

    #[test]
    fn a_change_may_stay_unseen_while_it_is_unlikely() {
        let usual = UsualDuration { from: minutes(60), until: minutes(70) };
        for (age, usual, seconds) in [
            (0, None, 0.0),
            (2, None, 0.0),
            (80, None, 5.0),
            (240, None, 15.0),
            (24 * 60, None, 90.0),
            (1, Some(usual), 0.0),
            (4, Some(usual), 10.0),
            (24, Some(usual), 60.0),
            (50, Some(usual), 60.0),
            (59, Some(usual), 6.0),
            (60, Some(usual), 0.0),
            (70, Some(usual), 0.0),
            (150, Some(usual), 5.0),
            (310, Some(usual), 15.0),
        ] {
            let found = tolerance(minutes(age), usual).as_secs_f64();
            assert!((found - seconds).abs() < 0.01, "{age} min of {usual:?}: {found} s");
        }
    }

    #[test]
    fn what_is_usual_follows_from_the_newest_items_without_the_outliers() {
        let usual = |minutes: &[u64]| UsualDuration::of(minutes.iter().copied().map(Duration::from_mins));
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&[5, 6]), None);
        assert_eq!(usual(&[6, 5, 9]), Some(UsualDuration { from: minutes(5), until: minutes(9) }));
        let with_outliers: Vec<_> = [1, 200].into_iter().chain(10..28).collect();
        assert_eq!(usual(&with_outliers), Some(UsualDuration { from: minutes(11), until: minutes(26) }));
        let shorter_since: Vec<_> = [5; 20].into_iter().chain([60; 20]).collect();
        assert_eq!(usual(&shorter_since), Some(UsualDuration { from: minutes(5), until: minutes(5) }));
    }

    proptest! {
        #[test]
        fn no_age_and_no_history_is_tolerated_longer_than_the_age_allows(
            age in 0..200_000_u64,
            durations in prop::collection::vec(0..200_000_u64, 0..40),
        ) {
            let (age, durations) = (Duration::from_secs(age), durations.into_iter().map(Duration::from_secs));
            let usual = UsualDuration::of(durations);
            prop_assert!(tolerance(age, usual) <= age / OF_AGE_BEFORE_END);
            if usual.is_some_and(|usual| usual.from <= age && age <= usual.until) {
                prop_assert_eq!(tolerance(age, usual), Duration::ZERO);
            }
        }
    }
}
