//! `GlueCrawlerRun`: one crawl of an existing Glue crawler, from its start to its outcome.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::CustomResource;
use kube::core::Rule;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::credentials::Aws;
use super::rules;
use super::run::{self, RunPolicy, RunStatus};

/// One crawl of an existing Glue crawler.
///
/// What to crawl stands in the crawler; a new crawl is a new object.
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
    doc = "One crawl of an existing AWS Glue crawler, from its start to its outcome.",
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
    /// The name of the Glue crawler.
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[^\x00-\x08\x0A-\x1F]+$"))]
    pub crawler_name: String,

    /// Follows a crawl of the crawler that was started elsewhere; never starts one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    pub crawl_id: Option<String>,

    /// What is done while the crawler is busy with a crawl that was there before: Wait for its end and
    /// start another (it may have missed what this object is about), Attach to it, or Fail. Default: Wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_already_running: Option<OnAlreadyRunning>,

    /// Whether a crawl that began after this object began to wait is taken for its own, whoever started it:
    /// it covers all that was there to crawl, and so one crawl serves all objects that waited. With false
    /// each has a crawl of its own, one after the other. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coalesce: Option<bool>,

    /// Where, and as whom.
    #[serde(flatten)]
    pub aws: Aws,

    /// How the crawl lives.
    #[serde(flatten)]
    pub policy: RunPolicy,
}

/// What is done while the crawler is busy with a crawl that was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OnAlreadyRunning {
    /// Its end is waited for; then the crawler is started.
    #[default]
    Wait,
    /// It is followed as if this object had started it.
    Attach,
    /// The object ends as Failed.
    Fail,
}

/// What became of the crawl.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GlueCrawlerRunStatus {
    /// What every kind of run has.
    #[serde(flatten)]
    pub run: RunStatus,
    /// Glue's id of the crawl that counts now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crawl_id: Option<String>,
    /// When it began, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, by Glue's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// How long it took, for people: 1m12s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// The DPU hours that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpu_hours: Option<f64>,
    /// What it changed in the Data Catalog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<CatalogChanges>,
    /// Glue's summary of the crawl as it stands, where it cannot be read as changes; 1,024 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The CloudWatch log group of the crawl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_group: Option<String>,
    /// The stream in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_stream: Option<String>,
    /// Where crawler and log can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<CrawlLinks>,
    /// Glue's own words about its failure; 1,024 characters at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
}

/// What a crawl changed in the Data Catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CatalogChanges {
    /// Tables.
    pub tables: ChangeCounts,
    /// Partitions.
    pub partitions: ChangeCounts,
}

/// How many were changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeCounts {
    /// How many are new.
    pub added: i64,
    /// How many are different.
    pub updated: i64,
    /// How many are gone.
    pub deleted: i64,
}

/// Pages of the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CrawlLinks {
    /// The crawler, with its crawls.
    pub console: String,
    /// The crawl's messages in CloudWatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

fn add_rules(schema: &mut Schema) {
    let fixed = |field| rules::fixed(field, "a new crawl is a new object");
    rules::add(schema, ["crawlerName", "crawlId", "region"].map(fixed));
    run::add_policy_rules(schema);
    rules::add(
        schema,
        [
            Rule::new("!has(self.idempotencyKey)")
                .message("a crawl carries no key in Glue, by which it could be found again: remove idempotencyKey")
                .field_path(".idempotencyKey"),
            Rule::new("!has(self.retry) || !has(self.retry.states) || self.retry.states.all(state, state == 'FAILED')")
                .message("a crawl ends as COMPLETED, FAILED or STOPPED: FAILED is what can be tried again")
                .field_path(".retry.states"),
            rules::excludes(
                "crawlId",
                &["onAlreadyRunning", "coalesce", "retry", "suspend", "startDeadlineSeconds"],
                "crawlId follows a crawl that was started elsewhere: remove what says how to start one",
            ),
        ],
    );
}
