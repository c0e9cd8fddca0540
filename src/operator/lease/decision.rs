//! What to do about the lease, given what it said when it was last read.
//!
//! As in client-go, no two machines' clocks are compared. A lease counts as run out when *we* have
//! seen it unchanged for its whole duration, on our own monotonic clock; the times written in it are
//! for people.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

/// What the lease says, and since when we have seen it say so.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) spec: LeaseSpec,
    pub(super) since: Instant,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// There is no lease: create it, as ours.
    Create,
    /// It is free, or its holder has gone silent: make it ours.
    Acquire,
    /// It is ours: renew it.
    Renew,
    /// Somebody else holds it, and for this long at least.
    Wait(Duration),
}

impl Seen {
    /// What a read at `now` has shown: a record that has not changed keeps its time.
    pub(super) fn update(before: Option<Self>, spec: LeaseSpec, now: Instant) -> Self {
        match before {
            Some(before) if before.spec == spec => before,
            _ => Self { spec, since: now },
        }
    }

    /// Who holds it; nobody when it was released.
    pub(super) fn holder(&self) -> Option<&str> {
        self.spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// How long it counts without a renewal; `default` where it does not say.
    fn duration(&self, default: Duration) -> Duration {
        self.spec
            .lease_duration_seconds
            .map_or(default, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
    }
}

/// What the replica `me` does at `now`; `duration` is its own lease duration.
pub(super) fn decide(seen: Option<&Seen>, me: &str, duration: Duration, now: Instant) -> Action {
    let Some(seen) = seen else {
        return Action::Create;
    };
    match seen.holder() {
        None => Action::Acquire,
        Some(holder) if holder == me => Action::Renew,
        Some(_) => {
            let silent_for = now.saturating_duration_since(seen.since);
            match seen.duration(duration).checked_sub(silent_for) {
                Some(left) if !left.is_zero() => Action::Wait(left),
                _ => Action::Acquire,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Duration = Duration::from_secs(15);

    fn spec(holder: Option<&str>, seconds: Option<i32>) -> LeaseSpec {
        LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: seconds,
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn the_table() {
        let seconds = Duration::from_secs;
        let table = [
            // holder, its duration in seconds, seen unchanged for, what to do
            (None, None, 0, Action::Acquire),
            (Some(""), Some(1), 0, Action::Acquire),
            (Some("me"), Some(15), 0, Action::Renew),
            (Some("me"), Some(15), 1000, Action::Renew),
            (Some("other"), Some(15), 0, Action::Wait(seconds(15))),
            (Some("other"), Some(15), 14, Action::Wait(seconds(1))),
            (Some("other"), Some(15), 15, Action::Acquire),
            (Some("other"), Some(15), 1000, Action::Acquire),
            (Some("other"), Some(60), 20, Action::Wait(seconds(40))),
            (Some("other"), None, 5, Action::Wait(seconds(10))),
            (Some("other"), None, 15, Action::Acquire),
            (Some("other"), Some(0), 0, Action::Acquire),
            (Some("other"), Some(-1), 0, Action::Acquire),
        ];
        let since = Instant::now();
        for (holder, duration, silent_for, expected) in table {
            let seen = Seen { spec: spec(holder, duration), since };
            let action = decide(Some(&seen), "me", OURS, since + seconds(silent_for));
            assert_eq!(action, expected, "{holder:?} {duration:?} {silent_for}");
        }
        assert_eq!(decide(None, "me", OURS, since), Action::Create);
    }

    #[test]
    fn only_a_change_restarts_the_count() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let first = Seen::update(None, spec(Some("other"), Some(15)), start);
        let same = Seen::update(Some(first), spec(Some("other"), Some(15)), later);
        assert_eq!(same.since, start);
        let changed = Seen::update(Some(same), spec(Some("third"), Some(15)), later);
        assert_eq!(changed.since, later);
    }
}
