//! Leader election with a `coordination.k8s.io/v1` Lease: one replica is the leader and acts.
//!
//! [`Lease::run`] reads the lease and does what [`decision`] says, in a loop. A standby reads every tenth of the lease
//! duration, the leader renews every third. Every write has the `resourceVersion` that it was decided on, so of two
//! replicas that write at the same time one fails. The leader counts its renew deadline from the moment when it *sent*
//! the last successful renewal, and gives up after two thirds of the duration. A standby counts the whole duration from
//! the moment when it *observed* that renewal, so it takes over later than that. At shutdown the leader releases the
//! lease, and a standby acquires it at its next read.

mod decision;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease as Record, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use self::decision::{Action, ObservedRecord, decide};
use super::readiness::{Part, Readiness};
use crate::controllers::runtime::error_chain::chain;
use crate::controllers::{Leadership, LeadershipKeeper};
use crate::failpoints;
use crate::metrics::Metrics;

/// The lease and this replica's part in it.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) namespace: String,
    /// The name of this replica. It must differ from those of the other replicas.
    pub(super) identity: String,
    /// How long the lease is valid without a renewal, at least 1 s.
    pub(super) duration: Duration,
}

/// The leader election of one replica.
#[derive(Debug)]
pub(super) struct Lease {
    api: Api<Record>,
    config: Config,
    keeper: LeadershipKeeper,
    metrics: Metrics,
    readiness: Readiness,
    observed: Option<ObservedRecord>,
    /// The record after the last write of this replica, which is renewed without a read.
    written: Option<Record>,
    /// Whether this replica has sent a write, so that it may be the holder even if no response says so.
    has_written: bool,
}

/// Why the lease could not be read or written.
#[derive(Debug, thiserror::Error)]
enum LeaseError {
    #[error("{operation} the lease {lease}")]
    Kube { operation: &'static str, lease: String, source: kube::Error },
    #[error("the API server did not respond for the lease {lease} within {limit:?}")]
    Timeout { lease: String, limit: Duration },
}

impl Lease {
    /// The election, and the leadership that this replica may acquire.
    pub(super) fn new(client: Client, config: Config, metrics: Metrics, readiness: Readiness) -> (Self, Leadership) {
        let (keeper, leadership) = Leadership::elected();
        let lease = Self {
            api: Api::namespaced(client, &config.namespace),
            config,
            keeper,
            metrics,
            readiness,
            observed: None,
            written: None,
            has_written: false,
        };
        (lease, leadership)
    }

    /// Acquires and renews the lease until `stop`, then releases it. Ends earlier when a lease that this replica held
    /// is lost: it does not acquire the lease again.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        tracing::info!("joined the leader election with the lease {self} as {}", self.config.identity);
        loop {
            let pause = self.acquire_or_renew().await;
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

    /// Makes one attempt. Returns the pause until the next one.
    async fn acquire_or_renew(&mut self) -> Duration {
        match self.with_timeout(Self::attempt).await {
            Ok(Action::Renew) => self.config.duration / 3,
            Ok(Action::Wait(left)) => left.min(self.retry_period()),
            Ok(Action::Create | Action::Acquire) => self.retry_period(),
            Err(error) => {
                self.written = None;
                self.readiness.set_waiting(Part::Lease, chain(&error));
                self.retry_period()
            }
        }
    }

    /// Whether this replica held the lease and does not any more.
    fn is_lost(&self) -> bool {
        let Some(until) = self.keeper.held_until() else {
            return false;
        };
        let taken = self.observed.as_ref().is_some_and(|record| record.holder() != Some(&self.config.identity));
        taken || Instant::now() >= until
    }

    /// Executes the decision. Returns what to do next: `Renew` when this replica is the holder, `Acquire` when the
    /// write conflicted with another one, whose record has to be read.
    async fn attempt(&mut self) -> Result<Action, LeaseError> {
        let (record, action) = if let Some(record) = self.written.take() {
            (Some(record), Action::Renew)
        } else {
            let record = self.read().await?;
            let Config { identity, duration, .. } = &self.config;
            let action = decide(self.observed.as_ref(), identity, *duration, Instant::now());
            (record, action)
        };
        if let Action::Wait(_) = action {
            let holder = self.observed.as_ref().and_then(ObservedRecord::holder).unwrap_or_default();
            self.readiness.set_ready(Part::Lease, format!("standby; held by {holder}"));
            return Ok(action);
        }
        self.has_written = true;
        // The renew deadline counts from before the write.
        let sent_at = Instant::now();
        let Some(record) = self.write(record, action).await? else {
            return Ok(Action::Acquire);
        };
        self.remember(record);
        if self.is_lost() {
            // The response came after the renew deadline, and the controllers have stopped.
            return Ok(Action::Renew);
        }
        self.keeper.renewed(sent_at, self.renew_deadline());
        self.metrics.leader(true);
        self.readiness.set_ready(Part::Lease, format!("held by this replica, {}", self.config.identity));
        Ok(Action::Renew)
    }

    /// Reads the record and updates `observed`.
    async fn read(&mut self) -> Result<Option<Record>, LeaseError> {
        let record = self.api.get_opt(&self.config.name).await.map_err(|source| self.error("reading", source))?;
        self.observed = record.as_ref().map(|record| {
            let spec = record.spec.clone().unwrap_or_default();
            ObservedRecord::update(self.observed.take(), spec, Instant::now())
        });
        Ok(record)
    }

    /// Writes the record with this replica as the holder. `None` when it was changed meanwhile.
    async fn write(&self, before: Option<Record>, action: Action) -> Result<Option<Record>, LeaseError> {
        let creates = before.is_none();
        let record = self.held_record(before, action);
        let change = || if creates { "create the lease" } else { "update the lease" }.to_owned();
        failpoints::before(change);
        let response = if creates {
            self.api.create(&PostParams::default(), &record).await
        } else {
            self.api.replace(&self.config.name, &PostParams::default(), &record).await
        };
        failpoints::after(change);
        match response {
            Ok(record) => Ok(Some(record)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(source) => Err(self.error(if creates { "creating" } else { "updating" }, source)),
        }
    }

    /// The record with this replica as the holder.
    fn held_record(&self, before: Option<Record>, action: Action) -> Record {
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
        self.observed = Some(ObservedRecord::update(self.observed.take(), spec, Instant::now()));
        self.written = Some(record);
    }

    /// Releases the lease if this replica holds it.
    async fn release(&mut self) {
        if !self.has_written {
            return;
        }
        match self.with_timeout(Self::clear_holder).await {
            Ok(true) => tracing::info!("released the lease {self}"),
            Ok(false) => {}
            Err(error) => tracing::warn!("releasing the lease: {}", chain(&error)),
        }
    }

    /// Clears the holder if it is this replica. Returns whether it was.
    async fn clear_holder(&mut self) -> Result<bool, LeaseError> {
        // A write of this replica may have succeeded without a response, so the record is read first.
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
            .map_err(|source| self.error("releasing", source))?;
        Ok(true)
    }

    /// Limits `call` to a fifth of the lease duration.
    async fn with_timeout<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut Self) -> Result<T, LeaseError>,
    ) -> Result<T, LeaseError> {
        let (lease, limit) = (self.to_string(), self.config.duration / 5);
        timeout(limit, call(self)).await.unwrap_or(Err(LeaseError::Timeout { lease, limit }))
    }

    /// How long this replica is the leader after it has sent a renewal: two thirds of the duration.
    fn renew_deadline(&self) -> Duration {
        self.config.duration * 2 / 3
    }

    /// A tenth of the duration, plus or minus 20 %, so that replicas do not read at the same time.
    fn retry_period(&self) -> Duration {
        (self.config.duration / 10).mul_f64(0.8 + 0.4 * fastrand::f64())
    }

    fn error(&self, operation: &'static str, source: kube::Error) -> LeaseError {
        LeaseError::Kube { operation, lease: self.to_string(), source }
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.config.namespace, self.config.name)
    }
}

/// Rounded up, since the record has whole seconds and a standby must never wait for less than the duration.
fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}
