//! What an object says of the origin of its runs, for all kinds. Pure.

use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use crate::api::{LINEAGE_NOMINAL_TIME, LINEAGE_PARENT};
use crate::lineage::run::{OuterRun, ParentRun, RunSight};

/// The object, and what its annotations say of its runs.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The object, as `namespace/name`.
    pub object: String,
    /// The run of an orchestrator that the runs of the object belong to.
    pub outer: Option<OuterRun>,
    nominal: Option<Timestamp>,
}

impl Origin {
    /// The origin of the runs of `object`.
    pub fn of(object: &impl Resource) -> Self {
        let annotation = |name: &str| object.annotations().get(name);
        Self {
            object: format!("{}/{}", object.namespace().unwrap_or_default(), object.name_any()),
            outer: annotation(LINEAGE_PARENT).and_then(|text| OuterRun::parse(text)),
            nominal: annotation(LINEAGE_NOMINAL_TIME).and_then(|text| text.parse().ok()),
        }
    }

    /// The run as one of the object: with the object and the run that it belongs to.
    #[must_use]
    pub fn mark(&self, run: RunSight) -> RunSight {
        RunSight { object: Some(self.object.clone()), parent: self.outer.clone().map(ParentRun::Outer), ..run }
    }

    /// The same for a run that the object asks for now: it has the time for which that was meant, too.
    #[must_use]
    pub fn mark_own(&self, run: RunSight) -> RunSight {
        RunSight { nominal: self.nominal, ..self.mark(run) }
    }
}
