//! Whether this replica may act: the reading end of the lease.
//!
//! The operator elects a leader and reports every renewal through a [`LeadershipKeeper`]; the
//! controllers hold the [`Leadership`] that belongs to it and ask [`Leadership::holds`] right before
//! every call that starts something. The answer is a comparison with the local monotonic clock,
//! never a call, so a replica that was cut off or held up knows by itself that its time has passed.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

/// Tells whether this replica holds the lease. Clones share the same answer.
#[derive(Clone, Debug)]
pub struct Leadership {
    /// Until when the lease is held; no channel when there is no election.
    held_until: Option<watch::Receiver<Option<Instant>>>,
}

/// The writing end: whoever renews the lease reports it here. Dropping it gives the lease up.
#[derive(Debug)]
pub struct LeadershipKeeper {
    held_until: watch::Sender<Option<Instant>>,
}

impl Leadership {
    /// A leadership that is never lost: there is no election.
    #[must_use]
    pub fn always() -> Self {
        Self { held_until: None }
    }

    /// A leadership that is decided by an election, not held yet, and the end that reports on it.
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
        held_until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until the lease is held; for ever when whoever renews it is gone.
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

    /// Waits until the lease is not held: given up, or not renewed in time.
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
    /// The lease was acquired or renewed by a request *sent* at `sent_at`, and is ours for
    /// `holds_for` from then.
    ///
    /// It is the time of sending that counts: another replica starts its own count when it sees the
    /// write, which is later.
    pub fn renewed(&self, sent_at: Instant, holds_for: Duration) {
        self.held_until.send_replace(Some(sent_at + holds_for));
    }

    /// The lease was given up, or another replica has it.
    pub fn given_up(&self) {
        self.held_until.send_replace(None);
    }

    /// Until when the lease is held, if it is.
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
