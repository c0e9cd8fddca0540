//! What is measured, and how large.

use std::{path::PathBuf, time::Duration};

/// The fewest objects of a scenario.
const FEWEST: usize = 20;
/// The shortest time over which calls are counted.
const SHORTEST: Duration = Duration::from_secs(30);

/// The settings of one invocation.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The program to measure.
    pub(crate) controller: PathBuf,
    /// The part of the full number of objects.
    pub(crate) scale: f64,
}

impl Settings {
    /// The number of objects where a full measurement has `full`.
    pub(crate) fn size(&self, full: usize) -> usize {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let scaled = (full as f64 * self.scale).round() as usize;
        if self.is_full_size() { scaled } else { scaled.max(FEWEST).min(full) }
    }

    /// How long to observe where a full measurement takes `full`.
    pub(crate) fn window(&self, full: Duration) -> Duration {
        if self.is_full_size() { full } else { full.mul_f64(self.scale).max(SHORTEST).min(full) }
    }

    /// Whether the goals for the full number of objects can be judged.
    pub(crate) fn is_full_size(&self) -> bool {
        self.scale >= 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_measurement_has_enough_objects_and_time_to_say_something() {
        let settings = |scale| Settings { controller: PathBuf::new(), scale };
        let sizes = |scale| [5000, 200, 10].map(|full| settings(scale).size(full));
        assert_eq!(sizes(1.0), [5000, 200, 10]);
        assert_eq!(sizes(0.06), [300, 20, 10]);
        assert_eq!(sizes(2.0), [10_000, 400, 20]);
        let windows = |scale| [180, 10].map(|full| settings(scale).window(Duration::from_secs(full)).as_secs());
        assert_eq!(windows(1.0), [180, 10]);
        assert_eq!(windows(0.06), [30, 10]);
    }
}
