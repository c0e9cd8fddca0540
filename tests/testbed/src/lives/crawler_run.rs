//! The lives of a GlueCrawlerRun.

use std::time::Duration;

use kube_glue_double::{CrawlOutcome, CrawlPlan, CrawlScript};
use serde_json::{Value, json};

use super::{Life, MINUTE, Step, Until, create, patch, site::Glue, stop, wait};

/// The crawler of the lives.
pub(super) const CRAWLER: &str = "crawler";

fn define(glue: &Glue, outcomes: &[CrawlOutcome]) {
    let plan = |outcome: &CrawlOutcome| CrawlPlan {
        running: MINUTE,
        stopping: Duration::ZERO,
        outcome: outcome.clone(),
        ..CrawlPlan::default()
    };
    glue.define_crawler(CRAWLER, CrawlScript::sequence(outcomes.iter().map(plan)));
}

fn completes(glue: &Glue) {
    define(glue, &[CrawlOutcome::Completed]);
}

fn never_ends(glue: &Glue) {
    define(glue, &[CrawlOutcome::Never]);
}

fn spec(extra: Value) -> Value {
    super::site::merged(json!({ "crawlerName": CRAWLER }), extra)
}

/// A crawl is RUNNING at once.
fn runs(attempt: usize) -> [Step; 2] {
    [wait(Until::Run(attempt)), wait(Until::Phase("Running"))]
}

pub(super) fn lives() -> Vec<Life> {
    let to_success = || [Step::Pass, wait(Until::Finished("Succeeded"))];
    vec![
        Life {
            name: "succeeds",
            prepare: completes,
            steps: [vec![create(spec(json!({})))], runs(0).into(), to_success().into()].concat(),
        },
        Life {
            name: "is retried",
            prepare: |glue| define(glue, &[CrawlOutcome::Failed("no such path".to_owned()), CrawlOutcome::Completed]),
            steps: [
                vec![create(spec(json!({ "retry": { "limit": 2, "backoffSeconds": 0, "maxBackoffSeconds": 0 } })))],
                runs(0).into(),
                vec![Step::Pass],
                runs(1).into(),
                to_success().into(),
            ]
            .concat(),
        },
        Life {
            name: "is stopped",
            prepare: never_ends,
            steps: [vec![create(spec(json!({})))], runs(0).into(), vec![stop(), wait(Until::Finished("Stopped"))]]
                .concat(),
        },
        Life {
            name: "is suspended and resumed",
            prepare: |glue| define(glue, &[CrawlOutcome::Never, CrawlOutcome::Completed]),
            steps: [
                vec![create(spec(json!({ "suspend": true }))), wait(Until::Phase("Suspended"))],
                vec![patch(json!({ "suspend": false }))],
                runs(0).into(),
                vec![patch(json!({ "suspend": true })), wait(Until::Phase("Suspended"))],
                vec![patch(json!({ "suspend": false }))],
                runs(1).into(),
                to_success().into(),
            ]
            .concat(),
        },
        Life {
            name: "is deleted and created again",
            prepare: never_ends,
            steps: [
                vec![create(spec(json!({})))],
                runs(0).into(),
                vec![Step::Delete, wait(Until::Gone), create(spec(json!({})))],
                runs(0).into(),
                vec![stop(), wait(Until::Finished("Stopped"))],
            ]
            .concat(),
        },
    ]
}
