//! The events of OpenLineage's specification 2-0-2, as they are sent.
//!
//! [`facets`] has the facets. Every facet names its own schema, so that a receiver can check it.

pub mod facets;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::facets::{DatasetFacets, JobFacets, RunFacets};
use super::PRODUCER;

/// The schema of an event.
const RUN_EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// What happened to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventType {
    /// It is known, and does not run yet.
    Other,
    /// It runs.
    Start,
    /// It goes on.
    Running,
    /// It succeeded.
    Complete,
    /// It failed.
    Fail,
    /// It was stopped, or never began.
    Abort,
}

impl EventType {
    /// Whether the run is over.
    #[must_use]
    pub fn is_end(self) -> bool {
        match self {
            Self::Complete | Self::Fail | Self::Abort => true,
            Self::Other | Self::Start | Self::Running => false,
        }
    }
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEvent {
    /// What happened.
    pub event_type: EventType,
    /// When it happened.
    pub event_time: Timestamp,
    /// The run.
    pub run: Run,
    /// What it is a run of.
    pub job: Job,
    /// What it reads.
    #[serde(default)]
    pub inputs: Vec<Dataset>,
    /// What it writes.
    #[serde(default)]
    pub outputs: Vec<Dataset>,
    /// Who made the event.
    pub producer: String,
    /// Its schema.
    #[serde(rename = "schemaURL")]
    pub schema_url: String,
}

impl RunEvent {
    /// An event without datasets.
    #[must_use]
    pub fn new(event_type: EventType, event_time: Timestamp, run: Run, job: Job) -> Self {
        Self {
            event_type,
            event_time,
            run,
            job,
            inputs: Vec::new(),
            outputs: Vec::new(),
            producer: PRODUCER.to_owned(),
            schema_url: RUN_EVENT.to_owned(),
        }
    }
}

/// The run of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The same for all events of the run, whoever sends them.
    pub run_id: Uuid,
    /// More about it.
    #[serde(default)]
    pub facets: RunFacets,
}

/// The job of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Where its name means something.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// More about it.
    #[serde(default)]
    pub facets: JobFacets,
}

/// A dataset of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// The data source.
    pub namespace: String,
    /// The dataset in it.
    pub name: String,
    /// More about it.
    #[serde(default)]
    pub facets: DatasetFacets,
}
