//! Whether this replica may start anything: the reading end of the lease.
//!
//! The operator elects a leader and reports each renewal through a [`LeadershipKeeper`]. The controllers ask
//! [`Leadership::holds`] right before each call that starts something. The answer compares the local monotonic clock and
//! makes no call, so a replica that was cut off or paused knows by itself that its lease has expired.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use crate::failpoints::without;

/// Whether this replica holds the lease. Clones share the state.
#[derive(Clone, Debug)]
pub struct Leadership {
    /// Until when the lease is held; `None` without an election.
    held_until: Option<watch::Receiver<Option<Instant>>>,
}

/// The writing end, for the code that renews the lease. Dropping it gives the lease up.
#[derive(Debug)]
pub struct LeadershipKeeper {
    held_until: watch::Sender<Option<Instant>>,
}

impl Leadership {
    /// Leadership without an election: it is never lost.
    #[must_use]
    pub fn always() -> Self {
        Self { held_until: None }
    }

    /// Leadership by an election, not held yet, and its writing end.
    #[must_use]
    pub fn elected() -> (LeadershipKeeper, Self) {
        let (sender, receiver) = watch::channel(None);
        (LeadershipKeeper { held_until: sender }, Self { held_until: Some(receiver) })
    }

    /// Whether the lease is held at this moment.
    #[must_use]
    pub fn holds(&self) -> bool {
        let Some(held_until) = &self.held_until else {
            return true;
        };
        if without("lease") {
            return true;
        }
        held_until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until the lease is held; forever once the writing end was dropped.
    pub async fn acquired(&self) {
        let Some(held_until) = &self.held_until else {
            return;
        };
        let mut held_until = held_until.clone();
        while !self.holds() {
            if held_until.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Waits until the lease is given up or not renewed in time.
    pub async fn lost(&self) {
        let Some(held_until) = &self.held_until else {
            return std::future::pending().await;
        };
        let mut held_until = held_until.clone();
        loop {
            let until = match *held_until.borrow_and_update() {
                Some(until) if Instant::now() < until => until,
                _ => return,
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                changed = held_until.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

impl LeadershipKeeper {
    /// A request that was *sent* at `sent_at` acquired or renewed the lease for `holds_for`.
    ///
    /// The time of sending counts: other replicas count from when they see the write, which is later.
    pub fn renewed(&self, sent_at: Instant, holds_for: Duration) {
        self.held_until.send_replace(Some(sent_at + holds_for));
    }

    /// The lease was given up, or another replica holds it.
    pub fn given_up(&self) {
        self.held_until.send_replace(None);
    }

    /// Until when the lease is held.
    #[must_use]
    pub fn held_until(&self) -> Option<Instant> {
        *self.held_until.borrow()
    }
}

impl Drop for LeadershipKeeper {
    fn drop(&mut self) {
        self.given_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERM: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn without_an_election_it_always_holds() {
        let leadership = Leadership::always();
        leadership.acquired().await;
        assert!(leadership.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn it_holds_from_the_sending_of_the_last_renewal() {
        let (keeper, leadership) = Leadership::elected();
        assert!(!leadership.holds());

        let sent_at = Instant::now();
        tokio::time::advance(TERM / 2).await;
        keeper.renewed(sent_at, TERM);
        leadership.acquired().await;
        assert!(leadership.holds());

        tokio::time::advance(TERM / 2).await;
        assert!(!leadership.holds(), "the answer came late and does not lengthen the term");
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_stays_away_is_a_loss() {
        let (keeper, leadership) = Leadership::elected();
        let start = Instant::now();
        keeper.renewed(start, TERM);
        let watched = leadership.clone();
        let lost = tokio::spawn(async move { watched.lost().await });
        tokio::time::sleep(TERM / 2).await;
        keeper.renewed(Instant::now(), TERM);
        lost.await.unwrap();
        assert_eq!(start.elapsed().as_secs(), (TERM / 2 + TERM).as_secs());
        assert!(!leadership.holds());
    }

    #[tokio::test(start_paused = true)]
    async fn giving_up_is_seen_at_once() {
        let (keeper, leadership) = Leadership::elected();
        keeper.renewed(Instant::now(), TERM);
        let start = Instant::now();
        let watched = leadership.clone();
        let lost = tokio::spawn(async move { watched.lost().await });
        tokio::task::yield_now().await;
        drop(keeper);
        lost.await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(!leadership.holds());
    }
}
