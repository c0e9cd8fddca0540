//! Glue's triggers in our own words.

pub mod source;

use std::fmt::Write;

use crate::glue::crawls::Crawl;

/// All that `TriggerState` can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerState {
    /// Being created.
    Creating,
    /// Created, and never activated.
    Created,
    /// On its way to ACTIVATED.
    Activating,
    /// It fires by its schedule, its conditions or its events.
    Activated,
    /// On its way to DEACTIVATED.
    Deactivating,
    /// It does not fire.
    Deactivated,
    /// Being deleted.
    Deleting,
    /// Being changed.
    Updating,
    /// A state newer than this program, in Glue's own word.
    Unknown(String),
}

impl TriggerState {
    /// Glue's word for it.
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

    /// Whether it is on its way to another. A state that we do not know is waited out as well.
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

/// All that `TriggerType` can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerType {
    /// It fires by a schedule.
    Scheduled,
    /// It fires when jobs or crawlers have ended.
    Conditional,
    /// It fires when it is started.
    OnDemand,
    /// It fires when events arrive.
    Event,
    /// A type newer than this program, in Glue's own word.
    Unknown(String),
}

impl TriggerType {
    /// Glue's word for it.
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

/// A trigger as Glue shows it. The arguments of its actions stay in the adapter, since they may hold secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_: TriggerType,
    /// Its state.
    pub state: TriggerState,
    /// Its description.
    pub description: Option<String>,
    /// The workflow that it belongs to.
    pub workflow: Option<String>,
    /// Its schedule, such as `cron(15 12 * * ? *)`.
    pub schedule: Option<String>,
    /// What it waits for.
    pub predicate: Option<Predicate>,
    /// What it starts.
    pub actions: Vec<Action>,
    /// So many events, or so many seconds after the first, make it fire.
    pub event_batching: Option<(i32, Option<i32>)>,
}

/// What a trigger starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// A job.
    pub job: Option<String>,
    /// Or a crawler.
    pub crawler: Option<String>,
    /// Minutes.
    pub timeout_minutes: Option<i32>,
    /// Its name.
    pub security_configuration: Option<String>,
}

/// What a conditional trigger waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predicate {
    /// Whether one of the conditions is enough.
    pub any: bool,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// The end of a job or of a crawler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Such as `job etl` or `crawler orders`.
    pub what: String,
    /// Glue's word for the state that is waited for.
    pub state: String,
}

impl std::fmt::Display for Predicate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let between = if self.any { " or " } else { " and " };
        for (place, condition) in self.conditions.iter().enumerate() {
            if place > 0 {
                f.write_str(between)?;
            }
            write!(f, "{} is {}", condition.what, condition.state)?;
        }
        Ok(())
    }
}

/// The most triggers that one `BatchGetTriggers` is asked for. Glue's API reference names no bound for it; this one is
/// that of `BatchGetCrawlers`.
pub const BATCH: usize = 100;

/// A run that something of ours may have started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    /// Glue's id.
    pub id: String,
    /// Glue's word for its state.
    pub state: String,
    /// Whether it has ended.
    pub ended: bool,
    /// Whether the trigger that was asked about may have started it.
    pub is_triggered: bool,
}

impl From<&Crawl> for RunSummary {
    /// Glue does not say what started a crawl: it may have been any trigger.
    fn from(crawl: &Crawl) -> Self {
        let state = crawl.state.as_str().to_owned();
        Self { id: crawl.id.clone(), state, ended: crawl.state.is_final(), is_triggered: true }
    }
}

/// Joins words for a person: `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn listed(words: &[String]) -> String {
    let mut text = String::new();
    for (place, word) in words.iter().enumerate() {
        let between = match place {
            0 => "",
            place if place + 1 == words.len() => " and ",
            _ => ", ",
        };
        // Writing to a String does not fail.
        let _ = write!(text, "{between}{word}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_reads_as_a_sentence() {
        let condition = |what: &str, state: &str| Condition { what: what.to_owned(), state: state.to_owned() };
        let conditions = vec![condition("job etl", "SUCCEEDED"), condition("crawler orders", "FAILED")];
        let both = Predicate { any: false, conditions: conditions.clone() };
        assert_eq!(both.to_string(), "job etl is SUCCEEDED and crawler orders is FAILED");
        let any = Predicate { any: true, conditions };
        assert_eq!(any.to_string(), "job etl is SUCCEEDED or crawler orders is FAILED");
    }

    #[test]
    fn words_are_listed_as_people_list_them() {
        let words: Vec<_> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(
            ["", "a", "a and b", "a, b and c"].map(str::to_owned).as_slice(),
            [listed(&words[..0]), listed(&words[..1]), listed(&words[..2]), listed(&words)]
        );
    }
}
