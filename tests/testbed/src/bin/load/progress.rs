//! The progress on standard error.

use std::time::{Duration, Instant};

use kube_glue_testbed::{
    format_duration,
    progress::{self, Progress},
};

/// The name of the program in its output.
const PROGRAM: &str = "load";
/// The interval between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(50);
/// The interval between two lines without a terminal.
const HEARTBEAT: Duration = Duration::from_secs(20);

/// Prints a line.
pub(crate) fn say(text: &str) {
    progress::say(PROGRAM, text);
}

/// How far something came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    /// How many of them.
    pub(crate) count: usize,
    /// Out of how many.
    pub(crate) total: usize,
    /// Within this time.
    pub(crate) elapsed: Duration,
}

impl Reached {
    /// How many for each second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss)]
        let count = self.count as f64;
        count / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Whether all of them.
    pub(crate) fn is_complete(&self) -> bool {
        self.count >= self.total
    }

    /// `1000 in 12.3 s`, or how many of how many.
    pub(crate) fn describe(&self) -> String {
        let seconds = self.elapsed.as_secs_f64();
        if self.is_complete() {
            format!("{} in {seconds:.1} s", self.total)
        } else {
            format!("only {} of {} within {seconds:.0} s", self.count, self.total)
        }
    }
}

/// Waits until `count` returns `total`, from `began` for as long as so many may take at all, and shows the progress.
pub(crate) async fn reach(what: &str, total: usize, began: Instant, mut count: impl FnMut() -> usize) -> Reached {
    let limit = limit(total);
    let mut progress = Progress::new(PROGRAM, HEARTBEAT);
    loop {
        let (now, elapsed) = (count(), began.elapsed());
        if now >= total || elapsed > limit {
            let reached = Reached { count: now, total, elapsed };
            progress.clear();
            say(&format!("  {what}: {}", reached.describe()));
            return reached;
        }
        progress.show(|| format!("  {what}: {now} of {total}, {}", format_duration(elapsed)));
        tokio::time::sleep(LOOK).await;
    }
}

/// How long a scenario with so many objects waits: a controller that needs longer has failed.
fn limit(total: usize) -> Duration {
    Duration::from_mins(3) + Duration::from_millis(150) * u32::try_from(total).unwrap_or(u32::MAX)
}
