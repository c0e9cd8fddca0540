//! Triggers and workflows: what starts jobs and crawlers, and when.
//!
//! A trigger of type `ON_DEMAND` fires when it is started. The others are activated and deactivated, with states
//! on the way, and fire while ACTIVATED: SCHEDULED ones by their schedule, EVENT ones by events that enter_state
//! ([`Region::notify_event`]), CONDITIONAL ones when what they wait for has ended.
//!
//! A firing that is not conditional is an [`Origin`]: what it starts carries it, and so does what conditional
//! triggers start from there. Conditions are met within one origin only, since "all jobs in a dependency chain
//! must be descendants of a single schedule or on-demand trigger" (AWS Glue triggers); a run that somebody
//! started by hand meets none.

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

/// The operations of this room.
pub const OPERATIONS: &[&[Operation]] = &[operations::OPERATIONS, workflows::OPERATIONS];

/// The firing that a run or a crawl descends from.
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
    /// Whether it is a state on the way to another.
    #[must_use]
    pub fn is_transitional(self) -> bool {
        match self {
            Self::Creating | Self::Activating | Self::Deactivating | Self::Deleting | Self::Updating => true,
            Self::Created | Self::Activated | Self::Deactivated => false,
        }
    }
}

/// How long triggers stay in the states on the way. Zero skips a state. In JSON, seconds.
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
    /// What was met so far of the conditions, by origin.
    met_conditions: HashMap<Origin, MetConditions>,
    /// Events that came since the last firing.
    events: u32,
    firings: Vec<Firing>,
    /// Moves on whenever the state or the schedule changes, so that what was planned before means nothing.
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

    /// What a trigger's firings started, oldest first.
    #[must_use]
    pub fn firings(&self, trigger: &str) -> Vec<Firing> {
        self.trigger(trigger).map(|trigger| trigger.firings.clone()).unwrap_or_default()
    }

    /// Sets how long triggers stay in the states on the way.
    pub fn set_trigger_times(&mut self, times: TriggerTimes) {
        self.triggers.times = times;
    }
}
