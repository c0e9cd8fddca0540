//! A group that polls an account, and the task that gives such groups their turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tracing::warn;

use super::RateLimiter;
use super::budget::ClientId;
use super::pace::Pace;
use super::poll_schedule::{GroupId, LONGEST_ROUND, NextPoll, PollSchedule};

/// The groups that poll one account and region, of all kinds and all clients.
#[derive(Debug)]
pub(super) struct Polls {
    state: Mutex<State>,
    /// A group began to wait, or left.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    schedule: PollSchedule,
    /// What wakes each group.
    wakes: HashMap<GroupId, Arc<Notify>>,
    /// Whether a task gives the turns. It exists while a group waits.
    is_driven: bool,
    /// Whether the log says that the allowed calls are few.
    is_slow: bool,
}

impl Polls {
    pub(super) fn new(allowed_per_minute: Option<u32>) -> Self {
        let schedule = PollSchedule::new(allowed_per_minute, Instant::now());
        Self {
            state: Mutex::new(State { schedule, wakes: HashMap::new(), is_driven: false, is_slow: false }),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Records a poll. The log says once when the allowed calls have become few.
    fn record(&mut self, id: GroupId, calls: usize, rate: f64) {
        self.schedule.record(id, calls, Instant::now(), rate);
        let (calls, round) = (self.schedule.calls(), self.schedule.round(rate));
        if round < LONGEST_ROUND.mul_f64(1.1) {
            self.is_slow &= round > LONGEST_ROUND;
        } else if !std::mem::replace(&mut self.is_slow, true) {
            warn!(
                calls,
                "polls of an AWS account need {calls} calls to show the state of everything, which takes {round:.0?}: \
                 AWS throttles them, or --poll-calls-per-minute is low"
            );
        }
    }
}

/// A group among those that poll an account. Dropping it leaves them.
pub struct PollGroup {
    limiter: Arc<RateLimiter>,
    client: ClientId,
    id: GroupId,
    wake: Arc<Notify>,
}

impl PollGroup {
    /// Adds a group of `client`. `wake` is notified when it is the group's turn.
    #[must_use]
    pub fn join(limiter: Arc<RateLimiter>, client: ClientId, wake: Arc<Notify>) -> Self {
        let id = {
            let mut state = limiter.polls.state();
            let id = state.schedule.join(client, Instant::now());
            state.wakes.insert(id, Arc::clone(&wake));
            id
        };
        Self { limiter, client, id, wake }
    }

    /// Whether it is the group's turn to poll. Until then it waits with this pace.
    #[must_use]
    pub fn is_turn(&self, pace: Pace) -> bool {
        self.limiter.polls.state().schedule.wait(self.id, pace);
        if self.limiter.give_poll_turns().is_some() {
            let is_driven = std::mem::replace(&mut self.limiter.polls.state().is_driven, true);
            if is_driven {
                self.limiter.polls.changed.notify_one();
            } else {
                tokio::spawn(Arc::clone(&self.limiter).drive_polls());
            }
        }
        self.limiter.polls.state().schedule.is_turn(self.id)
    }

    /// Records that the poll is over, and how many calls it took. `limiter` is the one that the group's client uses now: it
    /// changes once AWS has reported the account.
    pub fn record(&mut self, limiter: Arc<RateLimiter>, calls: usize) {
        let rate = self.limiter.rate();
        self.limiter.polls.state().record(self.id, calls, rate);
        if !Arc::ptr_eq(&self.limiter, &limiter) {
            *self = Self::join(limiter, self.client, Arc::clone(&self.wake));
        }
    }
}

impl Drop for PollGroup {
    fn drop(&mut self) {
        let rate = self.limiter.rate();
        let mut state = self.limiter.polls.state();
        state.schedule.leave(self.id, Instant::now(), rate);
        state.wakes.remove(&self.id);
        drop(state);
        self.limiter.polls.changed.notify_one();
    }
}

impl RateLimiter {
    /// Gives turns while a group waits.
    async fn drive_polls(self: Arc<Self>) {
        loop {
            if let Some(at) = self.give_poll_turns() {
                tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.polls.changed.notified() => {}
                }
                continue;
            }
            let mut state = self.polls.state();
            if state.schedule.is_idle() {
                state.is_driven = false;
                return;
            }
        }
    }

    /// Gives all turns of now. When the next is due, if a group waits for it.
    fn give_poll_turns(&self) -> Option<Instant> {
        let rate = self.rate();
        let mut state = self.polls.state();
        loop {
            match state.schedule.next(Instant::now(), rate) {
                NextPoll::Turn(id) => {
                    if let Some(wake) = state.wakes.get(&id) {
                        wake.notify_one();
                    }
                }
                NextPoll::At(at) => return Some(at),
                NextPoll::Idle => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const BASE: Duration = Duration::from_secs(5);

    fn pace() -> Pace {
        Pace::new(BASE)
    }

    /// How long a group waits for its turn.
    async fn turn(group: &PollGroup) -> Duration {
        let from = Instant::now();
        while !group.is_turn(pace()) {
            group.wake.notified().await;
        }
        from.elapsed()
    }

    fn join(limiter: &Arc<RateLimiter>) -> PollGroup {
        PollGroup::join(Arc::clone(limiter), ClientId::next(), Arc::default())
    }

    #[tokio::test(start_paused = true)]
    async fn groups_wait_for_their_turns_where_their_client_is_counted() {
        let [own, shared] = [(); 2].map(|()| Arc::new(RateLimiter::new(Some(12))));
        let (mut first, second) = (join(&own), join(&shared));
        assert_eq!(turn(&first).await, BASE);
        // A second poll at once would exceed the allowance of the shared account.
        first.record(Arc::clone(&shared), 13);
        assert_eq!(turn(&second).await.as_secs(), 0, "it has waited as long");
        first.record(Arc::clone(&shared), 1);
        let next = turn(&first).await;
        assert!(next > BASE, "{next:?}");
        drop(first);
        drop(second);
        let alone = join(&shared);
        assert!(turn(&alone).await < BASE * 2);
    }
}
