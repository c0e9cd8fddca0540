//! `GlueCrawlerRun`: one crawl of an existing Glue crawler, from start to end.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::rules;
use super::run::{self, Failure, RunPolicy, RunStatus};

/// One crawl of an existing Glue crawler.
///
/// The crawler defines what to crawl. Another crawl needs another object.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "kube-glue.dev",
    version = "v1alpha1",
    kind = "GlueCrawlerRun",
    plural = "gluecrawlerruns",
    shortname = "gcr",
    category = "glue",
    namespaced,
    status = "GlueCrawlerRunStatus",
    derive = "PartialEq",
    doc = "One crawl of an existing AWS Glue crawler, from start to end.",
    selectable = ".spec.crawlerName",
    selectable = ".status.phase",
    printcolumn(name = "Crawler", type_ = "string", json_path = ".spec.crawlerName"),
    printcolumn(name = "State", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Crawl Id", type_ = "string", json_path = ".status.crawlId", priority = 1),
    printcolumn(name = "Started", type_ = "date", json_path = ".status.startedAt"),
    printcolumn(name = "Duration", type_ = "string", json_path = ".status.duration"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type=='Ready')].reason"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].message",
        priority = 1
    ),
    printcolumn(name = "Identity", type_ = "string", json_path = ".status.identity.principalArn", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct GlueCrawlerRunSpec {
    /// The name of the Glue crawler. Cannot be changed.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub crawler_name: String,

    /// The id of a crawl of this crawler that was started elsewhere. The object follows that crawl and never starts
    /// one. Cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub crawl_id: Option<String>,

    /// What to do while the crawler runs a crawl that began before this object: Wait waits for its end and starts
    /// another crawl, since the running one may have missed new data; Attach follows the running crawl; Fail ends
    /// the object as Failed. Default: Wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_already_running: Option<OnAlreadyRunning>,

    /// Whether a crawl that began after this object began to wait counts as the object's own, whoever started it.
    /// Such a crawl covers all data that existed by then, so one crawl serves every waiting object. With false,
    /// each object gets its own crawl, one after the other. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<bool>,

    /// Region and credentials.
    #[serde(flatten)]
    pub aws: Aws,

    /// Suspension, stop, retries, deadlines and deletion.
    #[serde(flatten)]
    pub policy: RunPolicy,
}

/// What to do while the crawler runs a crawl that began before the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnAlreadyRunning {
    /// Wait for the end of the crawl, then start the crawler.
    #[default]
    Wait,
    /// Follow the crawl as if this object had started it.
    Attach,
    /// End the object as Failed.
    Fail,
}

/// The observed state of the crawl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueCrawlerRunStatus {
    /// The part that job runs and crawls share.
    #[serde(flatten)]
    pub run: RunStatus,
    /// Glue's id of the crawl of the latest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawl_id: Option<String>,
    /// When the crawl started, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the crawl ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The time from start to end in readable form, such as 1m12s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The DPU hours that the crawl consumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpu_hours: Option<f64>,
    /// How many tables and partitions the crawl changed in the Data Catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<CatalogChanges>,
    /// Glue's summary of the crawl, at most 1,024 characters. Only when it cannot be parsed into changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What Glue expects of the crawl. Glue is asked after two minutes, and then once an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<CrawlEstimate>,
    /// The CloudWatch log group of the crawl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
    /// The log stream of the crawl in that log group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_stream: Option<String>,
    /// Links to the crawler and its log in the AWS console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<CrawlLinks>,
    /// Glue's message about the failure, at most 1,024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// The end of the log, where the crawl failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What Glue expects of a crawl (GetCrawlerMetrics).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrawlEstimate {
    /// The seconds from observedAt to the end of the crawl. Absent while Glue is estimating, and when the crawl has
    /// ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_left_seconds: Option<u32>,
    /// The median of the crawler's run times, in seconds. Absent when the crawler has not run before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_runtime_seconds: Option<u32>,
    /// When Glue was asked, by the controller's clock.
    pub observed_at: Time,
}

/// The changes of a crawl in the Data Catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogChanges {
    /// Changed tables.
    pub tables: ChangeCounts,
    /// Changed partitions.
    pub partitions: ChangeCounts,
}

/// Counts of changes by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeCounts {
    /// Added by the crawl.
    pub added: i64,
    /// Updated by the crawl.
    pub updated: i64,
    /// Deleted by the crawl.
    pub deleted: i64,
}

/// URLs in the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrawlLinks {
    /// The page of the crawler, with its crawls.
    pub console: String,
    /// The crawl's log stream in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

fn add_rules(schema: &mut Schema) {
    let remedy = "create another object for another crawl";
    rules::add(schema, ["crawlerName", "crawlId", "region"].map(|field| rules::immutable(field, remedy)));
    run::add_policy_rules(schema);
    rules::add(
        schema,
        [
            Rule::new("!has(self.idempotencyKey)")
                .message("Glue stores no key with a crawl, so none can identify it: remove idempotencyKey")
                .field_path(".idempotencyKey"),
            Rule::new("!has(self.retry) || !has(self.retry.states) || self.retry.states.all(state, state == 'FAILED')")
                .message("a crawl ends as COMPLETED, FAILED or STOPPED: only FAILED can be retried")
                .field_path(".retry.states"),
            run::no_execution_class(),
            rules::excludes(
                "crawlId",
                &["onAlreadyRunning", "coalesce", "retry", "suspend", "startDeadlineSeconds"],
                "crawlId follows a crawl that was started elsewhere: remove the fields for starting one",
            ),
        ],
    );
}
