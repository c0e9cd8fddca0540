//! Triggers and workflows.
//!
//! A trigger of type `ON_DEMAND` fires when it is started, and one of type EVENT by events ([`Region::notify_event`]); both
//! stay CREATED. The other types are activated and deactivated through transitional states, and fire while ACTIVATED:
//! SCHEDULED triggers by their schedule, CONDITIONAL triggers when the jobs and crawlers in their conditions have ended.
//!
//! Each firing of a trigger that is not conditional begins a chain, identified by its [`Origin`]. The runs and crawls
//! that it starts belong to the chain, and so do those that conditional triggers start after them. Conditions are met
//! within one chain only: "all jobs in a dependency chain must be descendants of a single schedule or on-demand
//! trigger" (AWS Glue triggers). A run that a user started meets no condition.

mod conditions;
mod definition;
mod firing;
mod lifecycle;
mod operations;
#[cfg(test)]
mod tests;
mod workflows;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

pub use definition::{Action, Condition, Logical, Predicate, TriggerSettings, TriggerType};
pub use firing::Firing;
pub(super) use lifecycle::TriggerEvent;
use serde::{Deserialize, Serialize};
pub use workflows::Workflows;

use self::conditions::MetConditions;
use super::{Region, operation::Operation, schedule::Schedule};
use crate::error::AwsError;

/// The operations on triggers and workflows.
pub const OPERATIONS: &[&[Operation]] = &[operations::OPERATIONS, workflows::OPERATIONS];

/// The firing that began the chain of a run or crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Origin(u64);

/// Glue's `TriggerState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum TriggerState {
    Creating,
    Created,
    Activating,
    Activated,
    Deactivating,
    Deactivated,
    Deleting,
    Updating,
}

impl TriggerState {
    /// Whether Glue is changing the trigger's state.
    #[must_use]
    pub fn is_transitional(self) -> bool {
        match self {
            Self::Creating | Self::Activating | Self::Deactivating | Self::Deleting | Self::Updating => true,
            Self::Created | Self::Activated | Self::Deactivated => false,
        }
    }
}

/// How long triggers stay in transitional states. Zero skips a state. In JSON, seconds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of the states")]
pub struct TriggerTimes {
    #[serde(with = "crate::seconds")]
    pub creating: Duration,
    #[serde(with = "crate::seconds")]
    pub activating: Duration,
    #[serde(with = "crate::seconds")]
    pub deactivating: Duration,
    #[serde(with = "crate::seconds")]
    pub updating: Duration,
    #[serde(with = "crate::seconds")]
    pub deleting: Duration,
}

impl Default for TriggerTimes {
    fn default() -> Self {
        Self {
            creating: Duration::ZERO,
            activating: Duration::from_secs(2),
            deactivating: Duration::from_secs(2),
            updating: Duration::ZERO,
            deleting: Duration::from_secs(1),
        }
    }
}

/// A trigger.
#[derive(Debug)]
pub(super) struct Trigger {
    pub settings: TriggerSettings,
    pub state: TriggerState,
    schedule: Option<Schedule>,
    /// The conditions met so far, by chain.
    met_conditions: HashMap<Origin, MetConditions>,
    /// The number of events since the last firing.
    events: u32,
    firings: Vec<Firing>,
    /// Incremented when the state or the schedule changes. Events of an earlier generation are ignored.
    generation: u64,
    uid: u64,
}

/// The triggers of a region by name.
#[derive(Debug, Default)]
pub struct Triggers {
    by_name: BTreeMap<Arc<str>, Trigger>,
    last_uid: u64,
    origins: u64,
    pub(crate) times: TriggerTimes,
}

fn not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Trigger {name} not found."))
}

impl Region {
    fn trigger(&self, name: &str) -> Result<&Trigger, AwsError> {
        self.triggers.by_name.get(name).ok_or_else(|| not_found(name))
    }

    fn trigger_mut(&mut self, name: &str) -> Result<&mut Trigger, AwsError> {
        self.triggers.by_name.get_mut(name).ok_or_else(|| not_found(name))
    }

    /// The firings of a trigger with what each started, oldest first.
    #[must_use]
    pub fn firings(&self, trigger: &str) -> Vec<Firing> {
        self.trigger(trigger).map(|trigger| trigger.firings.clone()).unwrap_or_default()
    }

    /// Sets how long triggers stay in transitional states.
    pub fn set_trigger_times(&mut self, times: TriggerTimes) {
        self.triggers.times = times;
    }
}
