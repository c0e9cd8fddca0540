//! Waits for what a life comes to.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{outcome::Outcome, site::Site};

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// Looks until the outcome is settled, at most for `limit`. `is_settled` gets the outcome and for how long it has been the
/// same. Returns the last outcome.
pub async fn settled(
    look: impl Fn() -> Outcome,
    is_settled: impl Fn(&Outcome, Duration) -> bool,
    limit: Duration,
) -> Outcome {
    let (began, mut last, mut since) = (Instant::now(), look(), Instant::now());
    while !is_settled(&last, since.elapsed()) && began.elapsed() <= limit {
        sleep(LOOK).await;
        let now = look();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

impl Site<'_> {
    /// Waits until the end is that of the reference, or without one until it has stayed the same for `quiet`; at most for
    /// `limit`.
    pub async fn settle(
        &self,
        uids: &[String],
        reference: Option<&Outcome>,
        quiet: Duration,
        limit: Duration,
    ) -> Outcome {
        let is_settled = |now: &Outcome, same_for: Duration| match reference {
            Some(reference) => now == reference,
            None => same_for > quiet,
        };
        settled(|| self.outcome(uids), is_settled, limit).await
    }
}
