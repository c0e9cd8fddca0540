//! Lineage: the events of the runs that objects show, sent to an OpenLineage receiver in the background.
//!
//! | module | what it does |
//! |---|---|
//! | [`stages`] | how far each run had come when it was reported last; pure |
//! | [`reporter`] | reads the jobs of runs, and makes the events of one receiver |
//! | [`sights`] | runs as Glue shows them; pure |
//! | [`origin`] | what an object says of the origin of its runs; pure |
//! | [`pace`] | how fast the jobs of an inventory are read; pure |
//! | [`pending`] | the reports that wait until their job was read; pure |
//! | `facts` | reads a job, crawler or connection in Glue |
//! | `outbox` | sends the events, in front of it [`crate::lineage::queue`] |
//!
//! After each status that a pass writes or leaves as it is, [`Pass::report_runs`] compares the runs that the pass observed
//! with what this process reported before. So a start is sent again after a restart of the controller while the run goes
//! on, with the same id, type and time, and the end of a run is sent by the process that writes it in the status.
//! No pass waits for any of this. What is in the queue when the process is killed is lost.

mod facts;
pub mod origin;
mod outbox;
pub mod pace;
pub mod pending;
pub mod reporter;
pub mod sights;
pub mod stages;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::ResourceExt;

use self::outbox::{Outbox, Owner};
use self::reporter::{Reporter, ReporterConfig};
use self::stages::Stages;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::pass::Pass;
use super::settings::OpenLineage;
use crate::glue::aws::CaBundleError;
use crate::metrics::Metrics;

/// Sends the events of runs. Cheap to clone.
#[derive(Clone)]
pub struct Lineage {
    /// `None` where the operator named no receiver.
    own: Option<Arc<Own>>,
    metrics: Metrics,
}

/// The receiver that the operator named.
struct Own {
    outbox: Arc<Outbox>,
    stages: Arc<Mutex<Stages>>,
    reporter: Reporter,
    namespace: Option<String>,
}

impl Lineage {
    /// Sends events in the background to the receiver of the settings; nothing, where there is none.
    pub fn new(settings: Option<&OpenLineage>, metrics: &Metrics) -> Result<Self, CaBundleError> {
        let own = settings.map(|settings| Own::start(settings, metrics)).transpose()?;
        Ok(Self { own: own.map(Arc::new), metrics: metrics.clone() })
    }

    /// Whether the operator named a receiver.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.own.is_some()
    }

    /// What reports the runs of an inventory to the operator's receiver; `None` where there is none.
    #[must_use]
    pub fn reporter(&self, from_scripts: bool) -> Option<Reporter> {
        let own = self.own.as_ref()?;
        let config = ReporterConfig { namespace: own.namespace.clone(), from_scripts, is_of_inventory: true };
        Some(Reporter::new(Arc::clone(&own.outbox), config, Some(Arc::clone(&own.stages))))
    }

    /// What reports the runs of an inventory, by its namespace and name, to a receiver of its own.
    pub fn reporter_to(&self, receiver: &OpenLineage, inventory: (&str, &str)) -> Result<Reporter, CaBundleError> {
        let OpenLineage { namespace, from_scripts, .. } = receiver.clone();
        let config = ReporterConfig { namespace, from_scripts, is_of_inventory: true };
        let (outbox, sending) = Outbox::start(receiver, Owner::inventory(inventory), self.metrics.clone())?;
        Ok(Reporter::new(outbox, config, None).owning(sending))
    }

    /// Waits until all events for the operator's receiver have been sent, for this time at the most. What an inventory has
    /// not sent to a receiver of its own is sent by the next process.
    pub async fn drain(&self, most: Duration) {
        if let Some(own) = &self.own {
            own.reporter.drain(most).await;
        }
    }
}

impl Own {
    fn start(settings: &OpenLineage, metrics: &Metrics) -> Result<Self, CaBundleError> {
        let (outbox, sending) = Outbox::start(settings, Owner::Controller, metrics.clone())?;
        let stages = Arc::new(Mutex::default());
        let OpenLineage { namespace, from_scripts, .. } = settings.clone();
        let config = ReporterConfig { namespace: namespace.clone(), from_scripts, is_of_inventory: false };
        let reporter = Reporter::new(Arc::clone(&outbox), config, Some(Arc::clone(&stages))).owning(sending);
        Ok(Self { outbox, stages, reporter, namespace })
    }
}

impl<K: Kind> Pass<'_, K> {
    /// Reports the runs that the pass has observed. `before` is the status that the object had before it got the one that
    /// shows them.
    pub(super) fn report_runs(&self, before: Option<&K::Status>) {
        let (Some(client), Some(own)) = (self.client(), &self.context.shared.lineage.own) else { return };
        let runs = K::Lifecycle::runs(self);
        if runs.is_empty() {
            return;
        }
        let had_ended = |id: &str| before.is_some_and(|before| K::Lifecycle::has_ended(before, id));
        let namespace = self.object.namespace().unwrap_or_default();
        own.reporter.report(client, &namespace, runs, had_ended);
    }
}
