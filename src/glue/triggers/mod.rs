//! The model of triggers.

pub(crate) mod source;

use jiff::Timestamp;

use crate::glue::crawls::{Crawl, CrawlState};
use crate::glue::workflow_runs::{WorkflowRunItem, WorkflowRunState};

/// Glue's `TriggerState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerState {
    Creating,
    /// Created, and never activated.
    Created,
    Activating,
    /// It fires by its schedule, its predicate or its events.
    Activated,
    Deactivating,
    Deactivated,
    Deleting,
    Updating,
    /// A state that this program does not know.
    Unknown(String),
}

impl TriggerState {
    /// The state as Glue spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Creating => "CREATING",
            Self::Created => "CREATED",
            Self::Activating => "ACTIVATING",
            Self::Activated => "ACTIVATED",
            Self::Deactivating => "DEACTIVATING",
            Self::Deactivated => "DEACTIVATED",
            Self::Deleting => "DELETING",
            Self::Updating => "UPDATING",
            Self::Unknown(state) => state,
        }
    }

    /// Whether another state follows without a call. An unknown state counts as transitional.
    #[must_use]
    pub fn is_transitional(&self) -> bool {
        match self {
            Self::Creating
            | Self::Activating
            | Self::Deactivating
            | Self::Deleting
            | Self::Updating
            | Self::Unknown(_) => true,
            Self::Created | Self::Activated | Self::Deactivated => false,
        }
    }
}

/// Glue's `TriggerType`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerType {
    Scheduled,
    /// It fires when its predicate is true.
    Conditional,
    /// It fires when it is started.
    OnDemand,
    /// It fires on EventBridge events.
    Event,
    /// A type that this program does not know.
    Unknown(String),
}

impl TriggerType {
    /// The type as Glue spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Conditional => "CONDITIONAL",
            Self::OnDemand => "ON_DEMAND",
            Self::Event => "EVENT",
            Self::Unknown(type_) => type_,
        }
    }
}

/// A trigger as Glue shows it. The adapter drops the arguments of its actions, since they may contain secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub name: String,
    pub type_: TriggerType,
    pub state: TriggerState,
    pub description: Option<String>,
    /// The name of the workflow that it belongs to.
    pub workflow: Option<String>,
    /// Such as `cron(15 12 * * ? *)`.
    pub schedule: Option<String>,
    pub predicate: Option<Predicate>,
    pub actions: Vec<Action>,
    /// The number of events, and the seconds after the first one, that make it fire.
    pub event_batching: Option<(i32, Option<i32>)>,
}

/// A job or a crawler that a trigger starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The name of the job.
    pub job: Option<String>,
    /// The name of the crawler.
    pub crawler: Option<String>,
    pub timeout_minutes: Option<i32>,
    pub security_configuration: Option<String>,
}

/// The predicate of a conditional trigger. It displays as an English clause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predicate {
    /// Whether one of the conditions is enough (`ANY`); otherwise all are needed (`AND`).
    pub any: bool,
    pub conditions: Vec<Condition>,
}

/// A state that a job or a crawler has to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Such as `job etl` or `crawler orders`.
    pub target: String,
    /// The state as Glue spells it.
    pub state: String,
}

impl std::fmt::Display for Predicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let separator = if self.any { " or " } else { " and " };
        for (n, condition) in self.conditions.iter().enumerate() {
            if n > 0 {
                f.write_str(separator)?;
            }
            write!(f, "{} is {}", condition.target, condition.state)?;
        }
        Ok(())
    }
}

/// The most triggers that one `BatchGetTriggers` requests. Glue's API reference names no bound; this is the one of
/// `BatchGetCrawlers`.
pub(crate) const BATCH_SIZE: usize = 100;

/// A job run, a crawl or a workflow run that a trigger may have started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    pub id: String,
    /// The state as Glue spells it.
    pub state: String,
    /// Whether this program knows the state.
    pub is_known: bool,
    pub ended: bool,
    /// Why the run failed, in Glue's words, which may be none; `None` when it did not fail.
    pub failure: Option<String>,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub ended_on: Option<Timestamp>,
    /// Whether the trigger of the request may have started it.
    pub is_triggered: bool,
}

impl From<&Crawl> for RunSummary {
    /// Glue does not show what started a crawl, so it may have been any trigger.
    fn from(crawl: &Crawl) -> Self {
        let failed = crawl.state.is_final() && crawl.state != CrawlState::Completed;
        Self {
            id: crawl.id.clone(),
            state: crawl.state.as_str().to_owned(),
            is_known: !matches!(crawl.state, CrawlState::Unknown(_)),
            ended: crawl.state.is_final(),
            failure: failed.then(|| crawl.error_message.clone().unwrap_or_default()),
            started_on: crawl.started_on,
            ended_on: crawl.ended_on,
            is_triggered: true,
        }
    }
}

impl From<&WorkflowRunItem> for RunSummary {
    /// Glue does not show what started a workflow run, so it may have been any trigger.
    fn from(item: &WorkflowRunItem) -> Self {
        Self {
            id: item.run.id.clone(),
            state: item.run.state.as_str().to_owned(),
            is_known: !matches!(item.run.state, WorkflowRunState::Unknown(_)),
            ended: item.run.state.is_final(),
            failure: item.failure(),
            started_on: item.run.started_on,
            ended_on: item.run.completed_on,
            is_triggered: true,
        }
    }
}

/// Joins items as in an English sentence: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn join_items(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [item] => item.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_displays_as_an_english_clause() {
        let condition = |target: &str, state: &str| Condition { target: target.to_owned(), state: state.to_owned() };
        let conditions = vec![condition("job etl", "SUCCEEDED"), condition("crawler orders", "FAILED")];
        let both = Predicate { any: false, conditions: conditions.clone() };
        assert_eq!(both.to_string(), "job etl is SUCCEEDED and crawler orders is FAILED");
        let any = Predicate { any: true, conditions };
        assert_eq!(any.to_string(), "job etl is SUCCEEDED or crawler orders is FAILED");
    }

    #[test]
    fn items_are_joined_as_in_a_sentence() {
        let items: Vec<_> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            ["", "a", "a and b", "a, b and c"].map(str::to_owned).as_slice(),
            [join_items(&items[..0]), join_items(&items[..1]), join_items(&items[..2]), join_items(&items)]
        );
    }
}
