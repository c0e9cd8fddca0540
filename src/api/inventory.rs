//! `GlueInventory`: what an AWS account has in Glue, and how its newest runs went.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::declared::DeclaredStatus;
use super::lineage::{InventoryLineage, InventoryLineageStatus};
use super::rules;

/// What an AWS account has in Glue in one region: jobs, crawlers, triggers and workflows, with the state of their newest
/// runs.
///
/// An inventory only reads. It changes nothing in Glue, and its deletion leaves nothing behind.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueInventory",
    plural = "glueinventories",
    shortname = "ginv",
    category = "glue",
    namespaced,
    status = "GlueInventoryStatus",
    derive = "PartialEq",
    doc = "What an AWS account has in Glue: jobs, crawlers, triggers and workflows, with the state of their newest runs.",
    printcolumn(name = "Jobs", type_ = "integer", json_path = ".status.counts.jobs.total"),
    printcolumn(name = "Crawlers", type_ = "integer", json_path = ".status.counts.crawlers.total"),
    printcolumn(name = "Triggers", type_ = "integer", json_path = ".status.counts.triggers.total"),
    printcolumn(name = "Workflows", type_ = "integer", json_path = ".status.counts.workflows.total"),
    printcolumn(name = "Failing", type_ = "integer", json_path = ".status.failing"),
    printcolumn(name = "Running", type_ = "integer", json_path = ".status.running"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Calls", type_ = "integer", json_path = ".status.calls", priority = 1),
    printcolumn(name = "Identity", type_ = "string", json_path = ".status.identity.principalArn", priority = 1),
    printcolumn(name = "Changed", type_ = "date", json_path = ".status.lastWholeAt"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct GlueInventorySpec {
    /// How many minutes pass between the beginnings of two reads of the account. A read that takes longer is followed by
    /// the next one. Inventories with the same credentials and region share their reads, at the pace of the most frequent
    /// one. Default: 15.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1440))]
    pub every_minutes: Option<u32>,

    /// Which jobs are shown. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Selection>,

    /// Which crawlers are shown. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawlers: Option<Selection>,

    /// Which triggers are shown. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggers: Option<Selection>,

    /// Which workflows are shown. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflows: Option<Selection>,

    /// Whether an item that Glue does not have any more stays in the status for 7 days, with the time at which that was
    /// seen. Of the items that the status does not list, none is marked. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark_deleted: Option<bool>,

    /// Whether the tags of the items are read and shown: one more call for each item, and again after 6 hours.
    /// Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_tags: Option<bool>,

    /// How many of the newest runs of each job and crawler are read. Success rate and average time are over these.
    /// Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub runs_per_job: Option<u32>,

    /// The most items of the status. What needs a look stands first; the rest is counted. Default: 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_items: Option<u32>,

    /// Where OpenLineage events are sent of the runs that the inventory sees. Default: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<InventoryLineage>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,
}

impl GlueInventorySpec {
    /// The selection of a type of items; the default one where the spec has none.
    #[must_use]
    pub fn selection(&self, type_: ItemType) -> Selection {
        let selection = match type_ {
            ItemType::Job => &self.jobs,
            ItemType::Crawler => &self.crawlers,
            ItemType::Trigger => &self.triggers,
            ItemType::Workflow => &self.workflows,
        };
        selection.clone().unwrap_or_default()
    }
}

/// Which items of one type are shown, by their names.
///
/// A pattern is a regular expression in the syntax of RE2. It matches at the beginning of the name, in any case: `etl`
/// matches `etl`, `ETL-daily` and `etlx`, but not `my-etl`. Write `.*etl` to match anywhere, and `etl$` to match no longer
/// name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Whether items of this type are read at all. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Patterns, at most 20. An item is shown if one of them matches its name. Default: all items are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), transform = check_patterns)]
    pub includes: Option<Vec<String>>,
    /// Patterns, at most 20. An item is not shown if one of them matches its name, whatever `includes` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 20), transform = check_patterns)]
    pub excludes: Option<Vec<String>>,
}

impl Selection {
    /// Whether items of the type are read.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled.unwrap_or(true)
    }
}

/// The type of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ItemType {
    /// A job.
    #[default]
    Job,
    /// A crawler.
    Crawler,
    /// A trigger.
    Trigger,
    /// A workflow.
    Workflow,
}

impl ItemType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Job, Self::Crawler, Self::Trigger, Self::Workflow];

    /// Its noun, such as in `job etl`.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Crawler => "crawler",
            Self::Trigger => "trigger",
            Self::Workflow => "workflow",
        }
    }

    /// The field of the spec that selects items of the type.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Job => "jobs",
            Self::Crawler => "crawlers",
            Self::Trigger => "triggers",
            Self::Workflow => "workflows",
        }
    }
}

/// What the account has, as far as the spec selects it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueInventoryStatus {
    /// Observed generation, identity and conditions.
    #[serde(flatten)]
    pub declared: DeclaredStatus,
    /// When the read ended that showed what this status shows. Later reads that showed the same are not written, except
    /// for the first one of a day (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_whole_at: Option<Time>,
    /// How many calls to Glue that read took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u32>,
    /// The number of items of each type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// How many items failed the last time that they ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<u32>,
    /// How many items are running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// The items: those that fail first, then those that run, deleted ones, those that ran last, and the rest by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// How many items are counted but not listed, because of `maxItems` or the size of the status.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unlisted: u32,
    /// How far the lineage has come; absent where none is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<InventoryLineageStatus>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The number of items of each type that the spec selects. Absent for a type that is not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Jobs, by the state of the newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<Count>,
    /// Crawlers, by the state of the newest crawl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawlers: Option<Count>,
    /// Triggers, by their state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggers: Option<Count>,
    /// Workflows, by the state of the newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflows: Option<Count>,
}

impl Counts {
    /// The counts of a type.
    pub fn of_mut(&mut self, type_: ItemType) -> &mut Option<Count> {
        match type_ {
            ItemType::Job => &mut self.jobs,
            ItemType::Crawler => &mut self.crawlers,
            ItemType::Trigger => &mut self.triggers,
            ItemType::Workflow => &mut self.workflows,
        }
    }
}

/// The number of items of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// All of them.
    pub total: u32,
    /// How many are in each state, as Glue spells it; `NEVER_RUN` for those without a run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub states: BTreeMap<String, u32>,
}

/// A job, a crawler, a trigger or a workflow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The type.
    #[serde(rename = "type")]
    pub type_: ItemType,
    /// The name in Glue.
    pub name: String,
    /// Of a job or workflow the state of its newest run, of a crawler that of its newest crawl, of a trigger its own, as
    /// Glue spells it. `NEVER_RUN` where there is no run.
    pub state: String,
    /// Whether the newest run that has ended failed: any end but success, and a workflow run that Glue has completed
    /// although one of its actions failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failing: bool,
    /// The newest run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<LastRun>,
    /// The ended runs among the newest ones that were read (`runsPerJob`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_runs: Option<EndedRuns>,
    /// When it runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ItemSchedule>,
    /// The workflow that it belongs to. A job or crawler that belongs to several shows the first one by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// When it was first seen that Glue does not have it any more, by the controller's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    /// At most 20 of its tags in Glue.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The most tags of an item.
pub(crate) const MAX_TAGS: usize = 20;

/// A run of a job or workflow, or a crawl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// Glue's id of the run or crawl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The state as Glue spells it.
    pub state: String,
    /// When it started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The run time in seconds, without the time to start; of a run that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// The DPU hours that Glue charges for it, as far as Glue shows that; of a run that has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpu_hours: Option<f64>,
    /// Why it failed, in Glue's words, at most 256 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How the runs ended that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndedRuns {
    /// How many have ended.
    pub total: u32,
    /// How many of them succeeded.
    pub succeeded: u32,
    /// The part of them that succeeded, in percent, rounded down.
    pub success_percent: u32,
    /// The average run time of those that succeeded, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_seconds: Option<i64>,
}

/// When an item runs by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemSchedule {
    /// Glue's cron expression in UTC, such as cron(15 12 * * ? *). Of a job or workflow that of the first activated
    /// trigger that starts it.
    pub expression: String,
    /// When it runs next. Absent while the schedule is not active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Time>,
}

/// The most characters of a pattern.
const MAX_PATTERN: u32 = 256;

/// The API server compiles each pattern (RE2), and refuses one that is invalid by its index.
fn check_patterns(schema: &mut Schema) {
    let Some(items) = schema.ensure_object().get_mut("items").and_then(|items| <&mut Schema>::try_from(items).ok())
    else {
        return;
    };
    let object = items.ensure_object();
    object.insert("minLength".to_owned(), 1.into());
    object.insert("maxLength".to_owned(), MAX_PATTERN.into());
    let message = "a pattern is a regular expression in the syntax of RE2, which has neither look-around nor \
                   back-references";
    rules::add(items, [Rule::new("'a'.matches(self) in [true, false]").message(message)]);
}

fn add_rules(schema: &mut Schema) {
    let remedy = "create another object for another region";
    let fields = ItemType::ALL.map(ItemType::field);
    let is_off = |field: &str| format!("has(self.{field}) && has(self.{field}.enabled) && !self.{field}.enabled");
    let all_off = fields.map(is_off).join(" && ");
    rules::add(
        schema,
        [
            rules::immutable("region", remedy),
            Rule::new(format!("!({all_off})"))
                .message("jobs, crawlers, triggers and workflows are all off: enable one of them"),
        ],
    );
}
