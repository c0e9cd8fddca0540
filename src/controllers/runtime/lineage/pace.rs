//! How fast the jobs are read that an inventory sees: not all of a large account at once. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// How many jobs are read at once after a pause: all those of a usual account.
const BURST: u32 = 50;
/// The time in which one more may be read. A read takes two or three calls, so these are some 120 calls a minute.
const PERIOD: Duration = Duration::from_millis(1_200);

/// Who may read now.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The time from which on each further [`PERIOD`] is worth one read; `None` where there is no bound.
    spent_until: Option<Instant>,
}

impl Pace {
    /// No bound.
    #[must_use]
    pub fn unbounded() -> Self {
        Self { spent_until: None }
    }

    /// The pace of an inventory, which may read at once.
    #[must_use]
    pub fn of_inventory(now: Instant) -> Self {
        Self { spent_until: Some(now.checked_sub(PERIOD * BURST).unwrap_or(now)) }
    }

    /// The time at which one may be read; it may have passed.
    #[must_use]
    pub fn next_at(&self, now: Instant) -> Instant {
        self.spent_until.map_or(now, |spent| spent + PERIOD)
    }

    /// Reads one.
    pub fn take(&mut self, now: Instant) {
        if let Some(spent) = &mut self.spent_until {
            let saved_since = now.checked_sub(PERIOD * BURST).unwrap_or(now);
            *spent = (*spent).max(saved_since) + PERIOD;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many may be read at this time.
    fn read_all(pace: &mut Pace, now: Instant) -> u32 {
        let mut count = 0;
        while pace.next_at(now) <= now && count < 1_000 {
            pace.take(now);
            count += 1;
        }
        count
    }

    #[test]
    fn a_burst_is_read_at_once_and_then_one_after_the_other() {
        let start = Instant::now() + Duration::from_hours(1);
        let mut pace = Pace::of_inventory(start);
        assert_eq!(read_all(&mut pace, start), BURST);
        assert_eq!(pace.next_at(start), start + PERIOD);
        assert_eq!(read_all(&mut pace, start + 3 * PERIOD), 3);
        // What is saved in a long pause is bounded.
        assert_eq!(read_all(&mut pace, start + Duration::from_hours(1)), BURST);
        assert_eq!(read_all(&mut Pace::unbounded(), start), 1_000);
    }
}
