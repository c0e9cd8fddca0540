//! Searches through lists that never end.

use serde_json::json;

use super::fixture::{Answers, block_on, client, identity};
use crate::api::trigger::{Target, TargetKind};
use crate::glue::ErrorKind;
use crate::glue::rate_limiter::Priority;
use crate::glue::workflow_runs::search::{OfAttempt, find, followers};

/// A page of every list, after which there is always another.
fn endless() -> Answers {
    let run = json!({"Id": "jr_1", "JobRunState": "SUCCEEDED", "StartedOn": 1.7e9});
    let crawl = json!({"CrawlId": "c", "State": "COMPLETED", "StartTime": 1.7e9});
    let workflow_run = json!({"WorkflowRunId": "wr_1", "Status": "COMPLETED", "StartedOn": 1.7e9});
    let page = json!({"JobRuns": [run], "Crawls": [crawl], "Runs": [workflow_run], "NextToken": "more"});
    Answers::new(200, "", page.to_string())
}

#[test]
fn a_search_ends_and_what_it_has_not_reached_is_not_known() {
    block_on(async {
        let glue = client(identity(false), endless()).await;
        let mut errors = Vec::new();
        for kind in [TargetKind::Job, TargetKind::Crawler, TargetKind::Workflow] {
            let target = Target { kind, name: "etl".to_owned() };
            errors.push(glue.newer_runs(&target, "go", Some("earlier")).await.unwrap_err());
            assert_eq!(glue.may_have_started(&target, "go").await, Ok(true));
        }
        let wanted = OfAttempt { property: "kube-glue-run", base: "a/uid", number: Some(0) };
        let since = jiff::Timestamp::from_second(1_600_000_000).ok();
        errors.push(find(&glue, "daily", wanted, since, Priority::Search, |_| false).await.unwrap_err());
        errors.push(followers(&glue, "daily", "wr_0", Priority::Search).await.unwrap_err());
        for error in errors {
            assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Transient, "SearchNotFinished"), "{error}");
        }
        // Without a time, the newest runs are enough.
        assert_eq!(find(&glue, "daily", wanted, None, Priority::Search, |_| false).await, Ok(None));
    });
}
