//! Watches the controller's Lease: who holds it, and how long it went without a renewal.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use tokio::task::JoinSet;

use super::{NAMESPACE, RELEASE};

/// The interval between two looks.
const INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
struct State {
    holder: Option<String>,
    renewed: Option<(String, Instant)>,
    losses: usize,
    longest: Duration,
}

/// Looks at the Lease until it is dropped.
#[derive(Debug)]
pub(crate) struct LeaseWatch {
    state: Arc<Mutex<State>>,
    /// Dropping it aborts the task.
    _task: JoinSet<()>,
}

impl LeaseWatch {
    /// The API server's flow control must not limit the requests of `client`.
    pub(crate) fn start(client: Client) -> Self {
        let state = Arc::<Mutex<State>>::default();
        let mut task = JoinSet::new();
        task.spawn(watch(client, Arc::clone(&state)));
        Self { state, _task: task }
    }

    /// Begins anew.
    pub(crate) fn reset(&self) {
        *lock(&self.state) = State::default();
    }

    /// How often the holder changed or was removed since the reset.
    pub(crate) fn losses(&self) -> usize {
        lock(&self.state).losses
    }

    /// The longest time between two renewals since the reset.
    pub(crate) fn longest_pause(&self) -> Duration {
        let state = lock(&self.state);
        let current = state.renewed.as_ref().map(|(_, at)| at.elapsed());
        state.longest.max(current.unwrap_or_default())
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until it is aborted.
async fn watch(client: Client, state: Arc<Mutex<State>>) {
    let leases: Api<Lease> = Api::namespaced(client, NAMESPACE);
    loop {
        // A failed look is tried again.
        let lease = leases.get_opt(RELEASE).await.ok().flatten();
        if let Some(spec) = lease.and_then(|lease| lease.spec) {
            let holder = spec.holder_identity.filter(|holder| !holder.is_empty());
            let renewal = spec.renew_time.map(|time| format!("{:?}", time.0));
            lock(&state).see(holder, renewal, Instant::now());
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

impl State {
    fn see(&mut self, holder: Option<String>, renewal: Option<String>, now: Instant) {
        if self.holder.is_some() && self.holder != holder {
            self.losses += 1;
        }
        self.holder = holder;
        let Some(renewal) = renewal else { return };
        match &self.renewed {
            Some((last, _)) if *last == renewal => {}
            last => {
                let pause = last.as_ref().map(|(_, at)| now - *at);
                self.longest = self.longest.max(pause.unwrap_or_default());
                self.renewed = Some((renewal, now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_holder_is_a_loss_and_pauses_are_measured_between_renewals() {
        let (mut state, begin) = (State::default(), Instant::now());
        let mut see = |holder: &str, renewal: &str, second: u64| {
            let holder = (!holder.is_empty()).then(|| holder.to_owned());
            state.see(holder, Some(renewal.to_owned()), begin + Duration::from_secs(second));
            (state.losses, state.longest.as_secs())
        };
        assert_eq!(see("", "0", 0), (0, 0));
        assert_eq!(see("a", "1", 5), (0, 5));
        assert_eq!(see("a", "1", 9), (0, 5));
        assert_eq!(see("a", "2", 13), (0, 8));
        assert_eq!(see("", "2", 14), (1, 8));
        assert_eq!(see("b", "3", 15), (1, 8));
        assert_eq!(see("c", "4", 16), (2, 8));
    }
}
