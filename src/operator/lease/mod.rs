//! Leader election on a `coordination.k8s.io/v1` Lease: of all replicas, one acts.
//!
//! [`Lease::run`] reads the lease and does what [`decision`] says, again and again: a standby looks
//! every tenth of the lease's duration, the holder renews every third. Every write carries the
//! `resourceVersion` it was decided on, so of two replicas that decide at the same moment one is
//! refused. The holder counts its term from the moment it *sent* the last renewal that succeeded,
//! and gives it up after two thirds of the duration: before any standby, which counts the whole
//! duration from when it *saw* that renewal, can take over. At the end the lease is released, and a
//! standby has it at its next look.

mod decision;
#[cfg(test)]
mod tests;

use std::{fmt, time::Duration};

use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease as Record, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use self::decision::{Action, Seen, decide};
use super::{
    error::chain,
    readiness::{Part, Readiness},
};
use crate::{
    controllers::{Leadership, LeadershipKeeper},
    metrics::Metrics,
};

/// Which lease, for whom, and for how long.
#[derive(Clone, Debug)]
pub struct Config {
    /// The lease's name.
    pub name: String,
    /// The lease's namespace.
    pub namespace: String,
    /// This replica's name, different from every other replica's.
    pub identity: String,
    /// How long the lease counts without a renewal. At least a second.
    pub duration: Duration,
}

/// One replica's part in the election.
#[derive(Debug)]
pub struct Lease {
    api: Api<Record>,
    config: Config,
    keeper: LeadershipKeeper,
    metrics: Metrics,
    readiness: Readiness,
    seen: Option<Seen>,
    /// The record as our last write left it: renewed without reading it again.
    written: Option<Record>,
    /// Whether a write was ever sent, so that the lease may be ours even where no answer says so.
    stood: bool,
}

/// Why a look at the lease came to nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error("{operation} the lease {lease}")]
    Kube { operation: &'static str, lease: String, source: kube::Error },
    #[error("the API server did not answer for the lease {lease} within {within:?}")]
    Timeout { lease: String, within: Duration },
}

impl Lease {
    /// A replica that takes part, and the leadership it may win.
    pub fn new(client: Client, config: Config, metrics: Metrics, readiness: Readiness) -> (Self, Leadership) {
        let (keeper, leadership) = Leadership::elected();
        let lease = Self {
            api: Api::namespaced(client, &config.namespace),
            config,
            keeper,
            metrics,
            readiness,
            seen: None,
            written: None,
            stood: false,
        };
        (lease, leadership)
    }

    /// Takes part until `stop`, then releases the lease if it is held. Ends earlier when a lease
    /// that was held is lost: this replica does not stand again.
    pub async fn run(mut self, stop: CancellationToken) {
        tracing::info!("taking part in the election for {self} as {}", self.config.identity);
        loop {
            let pause = self.look().await;
            if self.is_lost() {
                self.keeper.given_up();
                self.metrics.leader(false);
                return;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.keeper.given_up();
        self.metrics.leader(false);
        self.release().await;
    }

    /// One look, and how long to wait until the next.
    async fn look(&mut self) -> Duration {
        match self.answered(Self::act).await {
            Ok(Action::Renew) => self.config.duration / 3,
            Ok(Action::Wait(left)) => left.min(self.retry_after()),
            Ok(Action::Create | Action::Acquire) => self.retry_after(),
            Err(error) => {
                self.written = None;
                self.readiness.waits_for(Part::Lease, chain(&error));
                self.retry_after()
            }
        }
    }

    /// Whether a lease that was held is not any more.
    fn is_lost(&self) -> bool {
        let Some(until) = self.keeper.held_until() else {
            return false;
        };
        let taken = self.seen.as_ref().is_some_and(|seen| seen.holder() != Some(&self.config.identity));
        taken || Instant::now() >= until
    }

    /// Does what is to be done, and says what there is to do next: `Renew` when the lease is ours,
    /// `Acquire` when another write came first and what it wrote is to be seen.
    async fn act(&mut self) -> Result<Action, LookError> {
        let (record, action) = if let Some(record) = self.written.take() {
            (Some(record), Action::Renew)
        } else {
            let record = self.read().await?;
            let Config { identity, duration, .. } = &self.config;
            let action = decide(self.seen.as_ref(), identity, *duration, Instant::now());
            (record, action)
        };
        if let Action::Wait(_) = action {
            let holder = self.seen.as_ref().and_then(Seen::holder).unwrap_or_default();
            self.readiness.is_there(Part::Lease, format!("standby; held by {holder}"));
            return Ok(action);
        }
        self.stood = true;
        // The term counts from before this write, not from before the read.
        let sent_at = Instant::now();
        let Some(record) = self.write(record, action).await? else {
            return Ok(Action::Acquire);
        };
        self.remember(record);
        if self.is_lost() {
            // The answer came after the term had ended, and the controllers have been told so.
            return Ok(Action::Renew);
        }
        self.keeper.renewed(sent_at, self.term());
        self.metrics.leader(true);
        self.readiness.is_there(Part::Lease, format!("held by this replica, {}", self.config.identity));
        Ok(Action::Renew)
    }

    /// Reads the record, if there is one, into `seen`.
    async fn read(&mut self) -> Result<Option<Record>, LookError> {
        let record = self.api.get_opt(&self.config.name).await.map_err(|source| self.failed("reading", source))?;
        self.seen = record.as_ref().map(|record| {
            let spec = record.spec.clone().unwrap_or_default();
            Seen::update(self.seen.take(), spec, Instant::now())
        });
        Ok(record)
    }

    /// Writes the record as ours; none when it was changed meanwhile.
    async fn write(&self, before: Option<Record>, action: Action) -> Result<Option<Record>, LookError> {
        let creates = before.is_none();
        let record = self.ours(before, action);
        let answer = if creates {
            self.api.create(&PostParams::default(), &record).await
        } else {
            self.api.replace(&self.config.name, &PostParams::default(), &record).await
        };
        match answer {
            Ok(record) => Ok(Some(record)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(source) => Err(self.failed(if creates { "creating" } else { "updating" }, source)),
        }
    }

    /// The record as we want it.
    fn ours(&self, before: Option<Record>, action: Action) -> Record {
        let now = MicroTime(Timestamp::now());
        let mut record = before.unwrap_or_else(|| Record {
            metadata: ObjectMeta {
                name: Some(self.config.name.clone()),
                namespace: Some(self.config.namespace.clone()),
                ..ObjectMeta::default()
            },
            spec: None,
        });
        record.metadata.managed_fields = None;
        let mut spec = record.spec.take().unwrap_or_default();
        if action == Action::Acquire {
            spec.lease_transitions = Some(spec.lease_transitions.unwrap_or_default().saturating_add(1));
        }
        if action != Action::Renew {
            spec.acquire_time = Some(now.clone());
        }
        record.spec = Some(LeaseSpec {
            holder_identity: Some(self.config.identity.clone()),
            lease_duration_seconds: Some(whole_seconds(self.config.duration)),
            renew_time: Some(now),
            ..spec
        });
        record
    }

    fn remember(&mut self, record: Record) {
        let spec = record.spec.clone().unwrap_or_default();
        self.seen = Some(Seen::update(self.seen.take(), spec, Instant::now()));
        self.written = Some(record);
    }

    /// Hands the lease over: nobody holds it.
    async fn release(&mut self) {
        if !self.stood {
            return;
        }
        match self.answered(Self::give_back).await {
            Ok(true) => tracing::info!("released the lease {self}"),
            Ok(false) => {}
            Err(error) => tracing::warn!("releasing the lease: {}", chain(&error)),
        }
    }

    /// Clears the holder if it is us. Says whether it was.
    async fn give_back(&mut self) -> Result<bool, LookError> {
        // A write of ours whose answer was lost may have gone through: what counts is what is there.
        let Some(mut record) = self.read().await? else {
            return Ok(false);
        };
        let Some(spec) = &mut record.spec else {
            return Ok(false);
        };
        if spec.holder_identity.as_deref() != Some(&self.config.identity) {
            return Ok(false);
        }
        let now = MicroTime(Timestamp::now());
        spec.holder_identity = None;
        spec.lease_duration_seconds = Some(1);
        spec.acquire_time = Some(now.clone());
        spec.renew_time = Some(now);
        self.api
            .replace(&self.config.name, &PostParams::default(), &record)
            .await
            .map_err(|source| self.failed("releasing", source))?;
        Ok(true)
    }

    /// `call`, for as long as one look may take.
    async fn answered<T>(&mut self, call: impl AsyncFnOnce(&mut Self) -> Result<T, LookError>) -> Result<T, LookError> {
        let (lease, within) = (self.to_string(), self.config.duration / 5);
        timeout(within, call(self)).await.unwrap_or(Err(LookError::Timeout { lease, within }))
    }

    /// How long the lease is held after a renewal was sent.
    fn term(&self) -> Duration {
        self.config.duration * 2 / 3
    }

    /// A tenth of the duration, give or take a fifth of it, so that replicas do not look in step.
    fn retry_after(&self) -> Duration {
        (self.config.duration / 10).mul_f64(0.8 + 0.4 * fastrand::f64())
    }

    fn failed(&self, operation: &'static str, source: kube::Error) -> LookError {
        LookError::Kube { operation, lease: self.to_string(), source }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.config.namespace, self.config.name)
    }
}

/// The record knows whole seconds only; others may wait a little longer, never shorter.
fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}
