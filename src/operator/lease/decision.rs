//! What a replica does about the lease, given the record that it observed last.
//!
//! As in client-go, the clocks of two machines are never compared. A lease has expired when this replica has observed
//! it unchanged for the duration of the lease, by its own monotonic clock. The times in the record are for people.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

/// A lease record, and when this replica first observed it in this state.
#[derive(Clone, Debug)]
pub(super) struct ObservedRecord {
    pub(super) spec: LeaseSpec,
    pub(super) observed_at: Instant,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// There is no lease: create it with this replica as the holder.
    Create,
    /// The lease has no holder or has expired: become the holder.
    Acquire,
    /// This replica is the holder: renew the lease.
    Renew,
    /// Another replica is the holder, and the lease does not expire before this time has passed.
    Wait(Duration),
}

impl ObservedRecord {
    /// The record after a read or write at `now`. An unchanged record keeps its time.
    pub(super) fn update(before: Option<Self>, spec: LeaseSpec, now: Instant) -> Self {
        match before {
            Some(before) if before.spec == spec => before,
            _ => Self { spec, observed_at: now },
        }
    }

    /// The holder; `None` when the lease was released.
    pub(super) fn holder(&self) -> Option<&str> {
        self.spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// The duration in the record, or `default` if it has none.
    fn duration(&self, default: Duration) -> Duration {
        self.spec
            .lease_duration_seconds
            .map_or(default, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }
}

/// What the replica `identity` does at `now`. `duration` is its own lease duration.
pub(super) fn decide(record: Option<&ObservedRecord>, identity: &str, duration: Duration, now: Instant) -> Action {
    let Some(record) = record else {
        return Action::Create;
    };
    match record.holder() {
        None => Action::Acquire,
        Some(holder) if holder == identity => Action::Renew,
        Some(_) => {
            let unchanged_for = now.saturating_duration_since(record.observed_at);
            match record.duration(duration).checked_sub(unchanged_for) {
                Some(left) if !left.is_zero() => Action::Wait(left),
                _ => Action::Acquire,
            }
        }
    }
}
