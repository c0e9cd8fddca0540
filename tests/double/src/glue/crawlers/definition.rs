//! A crawler's definition, in the form of Glue's API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The input of `CreateCrawler`. Members that the double does not use are stored unchanged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CrawlerSettings {
    /// The crawler's name.
    pub name: String,
    /// A cron expression; `GetCrawler` shows it in `Schedule`.
    #[serde(skip_serializing)]
    pub schedule: Option<String>,
    /// Tags; only `GetTags` shows them.
    #[serde(skip_serializing)]
    pub tags: Option<BTreeMap<String, String>>,
    /// All other members: role, targets, policies, ...
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl CrawlerSettings {
    /// A crawler of one S3 path.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut rest = Map::new();
        rest.insert("Role".to_owned(), "arn:aws:iam::123456789012:role/glue".into());
        rest.insert("DatabaseName".to_owned(), "raw".into());
        rest.insert("Targets".to_owned(), serde_json::json!({ "S3Targets": [{ "Path": format!("s3://raw/{name}") }] }));
        Self { name: name.to_owned(), rest, ..Self::default() }
    }

    /// Sets a schedule, such as `cron(15 12 * * ? *)`.
    #[must_use]
    pub fn schedule(mut self, expression: &str) -> Self {
        self.schedule = Some(expression.to_owned());
        self
    }

    /// Whether there is at least one target.
    #[must_use]
    pub fn has_targets(&self) -> bool {
        let targets = self.rest.get("Targets").and_then(Value::as_object);
        targets.is_some_and(|kinds| kinds.values().any(|kind| kind.as_array().is_some_and(|list| !list.is_empty())))
    }

    /// Adds Glue's defaults for missing members.
    #[must_use]
    pub fn with_defaults(mut self) -> Self {
        let mut fill = |name: &str, value: Value| {
            self.rest.entry(name).or_insert(value);
        };
        fill("RecrawlPolicy", serde_json::json!({ "RecrawlBehavior": "CRAWL_EVERYTHING" }));
        fill(
            "SchemaChangePolicy",
            serde_json::json!({ "UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DEPRECATE_IN_DATABASE" }),
        );
        fill("LineageConfiguration", serde_json::json!({ "CrawlerLineageSettings": "DISABLE" }));
        fill("Classifiers", serde_json::json!([]));
        self
    }
}
