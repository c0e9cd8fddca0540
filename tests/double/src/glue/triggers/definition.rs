//! A trigger's definition, in the form of Glue's API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::AwsError;

/// Glue's `TriggerType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum TriggerType {
    Scheduled,
    Conditional,
    OnDemand,
    Event,
}

/// Glue's `Logical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum Logical {
    And,
    Any,
}

/// Glue's `Condition`: a job or a crawler ends in a state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's Condition structure")]
pub struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawler_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawl_state: Option<String>,
}

/// Glue's `Predicate`: all or any of some conditions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's Predicate structure")]
pub struct Predicate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical: Option<Logical>,
    pub conditions: Vec<Condition>,
}

/// Glue's `Action`: a job or a crawler to start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's Action structure")]
pub struct Action {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_property: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawler_name: Option<String>,
}

/// Glue's `EventBatchingCondition`: when an EVENT trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EventBatchingCondition {
    /// After this many events.
    pub batch_size: u32,
    /// Or this many seconds after the first event; 900 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_window: Option<u64>,
}

/// The input of `CreateTrigger`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's Trigger structure")]
pub struct TriggerSettings {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workflow_name: Option<String>,
    #[serde(rename = "Type")]
    pub kind: TriggerType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    #[serde(default)]
    pub actions: Vec<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicate: Option<Predicate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_batching_condition: Option<EventBatchingCondition>,
}

impl TriggerSettings {
    /// Checks that the definition is valid for its type.
    pub fn check(&self) -> Result<(), AwsError> {
        if self.actions.is_empty() {
            return Err(AwsError::invalid("Actions cannot be null or empty"));
        }
        for action in &self.actions {
            match (&action.job_name, &action.crawler_name) {
                (Some(_), Some(_)) => {
                    return Err(AwsError::invalid("Both JobName and CrawlerName cannot be set together in an action"));
                }
                (None, None) => {
                    return Err(AwsError::invalid("JobName or CrawlerName in action cannot be null or empty"));
                }
                _ => {}
            }
        }
        if self.kind == TriggerType::Scheduled && self.schedule.is_none() {
            return Err(AwsError::invalid("Schedule cannot be null or empty"));
        }
        match &self.predicate {
            Some(predicate) if self.kind == TriggerType::Conditional => predicate.check(),
            None if self.kind == TriggerType::Conditional => {
                Err(AwsError::invalid("Predicate cannot be null or empty"))
            }
            _ => Ok(()),
        }
    }

    /// Whether one of its actions starts this job.
    #[must_use]
    pub fn starts_job(&self, job: &str) -> bool {
        self.actions.iter().any(|action| action.job_name.as_deref() == Some(job))
    }
}

impl Predicate {
    fn check(&self) -> Result<(), AwsError> {
        if self.conditions.is_empty() {
            return Err(AwsError::invalid("Predicate cannot be null or empty"));
        }
        if self.conditions.len() > 1 && self.logical.is_none() {
            return Err(AwsError::invalid("Logical cannot be null when there is more than one condition"));
        }
        self.conditions.iter().try_for_each(Condition::check)
    }
}

impl Condition {
    /// "The only job states that a trigger can listen for are SUCCEEDED, STOPPED, FAILED, and TIMEOUT. The only
    /// crawler states that a trigger can listen for are SUCCEEDED, FAILED, and CANCELLED" (Condition, AWS Glue API
    /// reference).
    fn check(&self) -> Result<(), AwsError> {
        // With a job's name, it is a condition on the job, even if it names a crawler too.
        let (kind, state, known) = match (&self.job_name, &self.crawler_name) {
            (Some(_), _) => ("job", &self.state, &["SUCCEEDED", "STOPPED", "FAILED", "TIMEOUT"][..]),
            (None, Some(_)) => ("crawler", &self.crawl_state, &["SUCCEEDED", "FAILED", "CANCELLED"][..]),
            (None, None) => {
                return Err(AwsError::invalid("JobName or CrawlerName in condition cannot be null or empty"));
            }
        };
        if !state.as_deref().is_some_and(|state| known.contains(&state)) {
            return Err(AwsError::invalid(format!(
                "State cannot be null or empty, choose from one of the following {kind} state: [{}]",
                known.join(", ")
            )));
        }
        if self.logical_operator.is_none() {
            return Err(AwsError::invalid("Logical operator cannot be null or empty"));
        }
        Ok(())
    }
}
