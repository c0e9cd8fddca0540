//! A job's definition, in the form of Glue's API, and the builder for tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::glue::runs::RunScript;

/// The default Glue version (`CreateJob`, AWS Glue API reference).
const DEFAULT_GLUE_VERSION: &str = "6.0";

/// Glue's `JobCommand`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Command {
    /// `glueetl`, `gluestreaming`, `pythonshell` or `glueray`.
    pub name: String,
    /// The S3 path of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_location: Option<String>,
    /// All other members, unchanged.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Glue's `ExecutionProperty`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecutionProperty {
    /// The most runs at once; Glue's default is 1.
    #[serde(default = "one")]
    pub max_concurrent_runs: u32,
}

fn one() -> u32 {
    1
}

impl Default for ExecutionProperty {
    fn default() -> Self {
        Self { max_concurrent_runs: 1 }
    }
}

/// The input of `CreateJob`. Members that the double does not use are stored unchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the names and meanings are those of Glue's Job structure")]
pub struct JobSettings {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub command: Command,
    pub execution_property: ExecutionProperty,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_arguments: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub non_overridable_arguments: Option<BTreeMap<String, String>>,
    pub max_retries: u32,
    /// In minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocated_capacity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_workers: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glue_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_configuration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notification_property: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_run_queuing_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_mode: Option<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl JobSettings {
    /// Whether this is a Spark job; otherwise it is a Python shell or Ray job.
    #[must_use]
    pub fn is_spark(&self) -> bool {
        matches!(self.command.name.as_str(), "glueetl" | "gluestreaming")
    }

    /// The major number of the Glue version; 0 when there is none.
    #[must_use]
    pub fn major_version(&self) -> u32 {
        self.glue_version.as_deref().and_then(|v| v.split('.').next()?.parse().ok()).unwrap_or(0)
    }

    /// The timeout in minutes when neither the run nor the job sets one; none for streaming jobs.
    #[must_use]
    pub fn default_timeout(&self) -> Option<u32> {
        match self.command.name.as_str() {
            "gluestreaming" => None,
            "glueetl" if self.major_version() >= 5 => Some(480),
            _ => Some(2880),
        }
    }

    /// Adds Glue's defaults for missing members.
    #[must_use]
    pub fn with_defaults(mut self) -> Self {
        if self.command.name.is_empty() {
            "glueetl".clone_into(&mut self.command.name);
        }
        self.glue_version.get_or_insert_with(|| DEFAULT_GLUE_VERSION.to_owned());
        self.timeout = self.timeout.or_else(|| self.default_timeout());
        self.job_mode.get_or_insert_with(|| "SCRIPT".to_owned());
        self
    }
}

/// A job for a test: its definition, and how its runs end.
///
/// ```
/// # use std::time::Duration;
/// # use kube_glue_double::{JobDefinition, RunScript};
/// let job = JobDefinition::new("etl")
///     .default_argument("--bucket", "raw")
///     .max_concurrent_runs(3)
///     .script(RunScript::succeeds().running(Duration::from_secs(30)));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobDefinition {
    /// The definition, with all members of `CreateJob`.
    pub settings: JobSettings,
    /// How its runs change state and end.
    #[serde(default)]
    pub script: RunScript,
}

impl JobDefinition {
    /// A Spark job with Glue's defaults whose runs succeed.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let settings = JobSettings {
            name: name.to_owned(),
            role: Some("arn:aws:iam::123456789012:role/glue".to_owned()),
            command: Command {
                name: "glueetl".to_owned(),
                script_location: Some(format!("s3://scripts/{name}.py")),
                rest: Map::new(),
            },
            ..JobSettings::default()
        };
        Self { settings, script: RunScript::default() }
    }

    /// Sets how its runs change state and end.
    #[must_use]
    pub fn script(mut self, script: RunScript) -> Self {
        self.script = script;
        self
    }

    /// Sets the command: `glueetl` (the default), `gluestreaming`, `pythonshell` or `glueray`.
    #[must_use]
    pub fn command(mut self, name: &str) -> Self {
        name.clone_into(&mut self.settings.command.name);
        self
    }

    /// Adds a default argument. A run can override it.
    #[must_use]
    pub fn default_argument(mut self, key: &str, value: &str) -> Self {
        self.settings.default_arguments.get_or_insert_default().insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets `MaxConcurrentRuns`, the number of slots.
    #[must_use]
    pub fn max_concurrent_runs(mut self, runs: u32) -> Self {
        self.settings.execution_property.max_concurrent_runs = runs;
        self
    }

    /// Sets how often Glue retries a failed run.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.settings.max_retries = retries;
        self
    }

    /// Sets the timeout of runs in minutes.
    #[must_use]
    pub fn timeout_minutes(mut self, minutes: u32) -> Self {
        self.settings.timeout = Some(minutes);
        self
    }

    /// Sets the worker type and the number of workers.
    #[must_use]
    pub fn workers(mut self, kind: &str, number: u32) -> Self {
        self.settings.worker_type = Some(kind.to_owned());
        self.settings.number_of_workers = Some(number);
        self
    }

    /// Sets the Glue version.
    #[must_use]
    pub fn glue_version(mut self, version: &str) -> Self {
        self.settings.glue_version = Some(version.to_owned());
        self
    }

    /// Sets whether runs queue (WAITING) when all slots are taken.
    #[must_use]
    pub fn queuing(mut self, enabled: bool) -> Self {
        self.settings.job_run_queuing_enabled = Some(enabled);
        self
    }
}
