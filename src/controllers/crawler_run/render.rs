//! The crawl as Glue shows it, in the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::Value;

use crate::api::crawler_run::{CatalogChanges, ChangeCounts, CrawlEstimate};
use crate::api::run::{Phase, RunStatus};
use crate::api::{GlueCrawlerRun, GlueCrawlerRunStatus};
use crate::controllers::run::links;
use crate::controllers::runtime::text::{duration, truncated};
use crate::controllers::runtime::time::whole_seconds;
use crate::glue::crawls::{Crawl, CrawlState, Estimate};

/// The status, from the part that all runs share and from the crawl as it was observed last.
pub(super) fn status(
    object: &GlueCrawlerRun,
    region: Option<&str>,
    run: RunStatus,
    observed: Option<(&Crawl, Estimate)>,
) -> GlueCrawlerRunStatus {
    let id = run.attempt().and_then(|attempt| attempt.id.clone());
    let before = object.status.clone().unwrap_or_default();
    match observed.filter(|(crawl, _)| Some(&crawl.id) == id.as_ref()) {
        Some((crawl, estimate)) => {
            let links = region.map(|region| links::crawl(region, &object.spec.crawler_name, crawl));
            // A process that has not asked yet keeps what another was answered.
            let before_estimate = before.estimate.filter(|_| before.crawl_id == id);
            let estimate = shown_estimate(estimate).or(before_estimate).map(|estimate| CrawlEstimate {
                time_left_seconds: estimate.time_left_seconds.filter(|_| !crawl.state.is_final()),
                ..estimate
            });
            GlueCrawlerRunStatus { links: links.or(before.links), estimate, ..shown(run, crawl) }
        }
        // Nothing newer is known: what the status shows of this crawl stays.
        None if before.crawl_id == id => GlueCrawlerRunStatus { run, ..before },
        None => GlueCrawlerRunStatus { run, crawl_id: id, ..GlueCrawlerRunStatus::default() },
    }
}

/// The phase of Glue's state.
pub(super) fn phase(state: &CrawlState) -> Phase {
    match state {
        CrawlState::Running => Phase::Running,
        CrawlState::Completed => Phase::Succeeded,
        CrawlState::Failed => Phase::Failed,
        CrawlState::Stopped => Phase::Stopped,
        CrawlState::Unknown(_) => Phase::Unknown,
    }
}

fn shown(run: RunStatus, crawl: &Crawl) -> GlueCrawlerRunStatus {
    let over = crawl.state.is_final();
    let summary = crawl.summary.as_deref().filter(|_| over);
    let changes = summary.and_then(changes);
    GlueCrawlerRunStatus {
        run,
        crawl_id: Some(crawl.id.clone()),
        started_at: crawl.started_on.map(Time),
        completed_at: crawl.ended_on.filter(|_| over).map(Time),
        duration: crawl.started_on.zip(crawl.ended_on).filter(|_| over).map(|(from, to)| duration(from, to)),
        dpu_hours: over.then_some(crawl.dpu_hours),
        summary: summary.filter(|_| changes.is_none()).map(truncated),
        changes,
        log_group: crawl.log_group.clone(),
        log_stream: crawl.log_stream.clone(),
        estimate: None,
        links: None,
        error_message: crawl.error_message.as_deref().map(truncated),
        failure: None,
    }
}

/// Glue's estimate; `None` before the first answer.
fn shown_estimate(estimate: Estimate) -> Option<CrawlEstimate> {
    estimate.at.map(|at| CrawlEstimate {
        time_left_seconds: estimate.seconds_left,
        median_runtime_seconds: estimate.median_seconds,
        observed_at: Time(whole_seconds(at)),
    })
}

/// The changes in a crawl's summary: a JSON object by `TABLE` and `PARTITION`, of objects by `ADD`, `UPDATE` and
/// `DELETE`, each inner object written as a JSON string. AWS's documentation does not describe the form; a summary with
/// anything else in it is shown as text.
fn changes(summary: &str) -> Option<CatalogChanges> {
    let summary: Value = serde_json::from_str(summary).ok()?;
    let mut changes = CatalogChanges::default();
    for (resource, value) in summary.as_object()? {
        let counts = match resource.as_str() {
            "TABLE" => &mut changes.tables,
            "PARTITION" => &mut changes.partitions,
            _ => return None,
        };
        *counts = match value {
            Value::String(text) => self::counts(&serde_json::from_str(text).ok()?)?,
            value => self::counts(value)?,
        };
    }
    Some(changes)
}

fn counts(changes: &Value) -> Option<ChangeCounts> {
    let mut counts = ChangeCounts::default();
    for (change, value) in changes.as_object()? {
        let count = match change.as_str() {
            "ADD" => &mut counts.added,
            "UPDATE" => &mut counts.updated,
            "DELETE" => &mut counts.deleted,
            _ => return None,
        };
        *count = value.get("Count")?.as_i64()?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_whole_or_not_at_all() {
        let tables = |added, updated, deleted| CatalogChanges {
            tables: ChangeCounts { added, updated, deleted },
            ..CatalogChanges::default()
        };
        for (summary, read) in [
            (r#"{"TABLE":"{\"ADD\":{\"Details\":{\"names\":[\"a\",\"b\"]},\"Count\":2}}"}"#, Some(tables(2, 0, 0))),
            (r#"{"TABLE":{"UPDATE":{"Count":1},"DELETE":{"Count":3}}}"#, Some(tables(0, 1, 3))),
            (
                r#"{"PARTITION":"{\"ADD\":{\"Count\":7}}"}"#,
                Some(CatalogChanges {
                    partitions: ChangeCounts { added: 7, ..ChangeCounts::default() },
                    ..CatalogChanges::default()
                }),
            ),
            ("{}", Some(CatalogChanges::default())),
            (r#"{"VIEW":"{}"}"#, None),
            (r#"{"TABLE":"{\"MERGE\":{\"Count\":2}}"}"#, None),
            (r#"{"TABLE":"{\"ADD\":{}}"}"#, None),
            (r#"{"TABLE":"many"}"#, None),
            ("[]", None),
            ("2 tables added", None),
        ] {
            assert_eq!(changes(summary), read, "{summary}");
        }
    }
}
