//! Which crawls of a crawler's history are newer than a baseline.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::GlueCrawlerRun;
use crate::api::run::Baseline;
use crate::glue::crawls::Crawl;
use crate::glue::{Error, Glue};

impl GlueCrawlerRun {
    /// The crawler's newest crawl, and the oldest crawl that is newer than `baseline` and that no attempt has yet.
    pub(super) async fn history(
        &self,
        client: &Glue,
        baseline: Option<&Baseline>,
    ) -> Result<(Option<Crawl>, Option<Crawl>), Error> {
        let mut newest = None;
        let mut newer: Vec<Crawl> = Vec::new();
        let mut token = None;
        loop {
            let page = client.newest_crawls(&self.spec.crawler_name, token).await?;
            if newest.is_none() {
                newest = page.items.first().cloned();
            }
            let Some(baseline) = baseline else { return Ok((newest, None)) };
            let old = page.items.iter().position(|crawl| !is_newer(crawl, baseline));
            newer.extend(page.items.iter().take(old.unwrap_or(page.items.len())).cloned());
            token = page.next;
            if old.is_some() || token.is_none() {
                // Within one second the order of the history decides, but only when the history lists the baseline.
                let shown = page.items.iter().any(|crawl| Some(&crawl.id) == baseline.id.as_ref());
                let began = baseline.started_at.as_ref().map(|started| started.0);
                let next = newer
                    .into_iter()
                    .rev()
                    .find(|crawl| (shown || began.is_none() || crawl.started_on > began) && !self.has_crawl(&crawl.id));
                return Ok((newest, next));
            }
        }
    }

    fn has_crawl(&self, id: &str) -> bool {
        let attempts = self.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default();
        attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id))
    }
}

/// Whether a crawl may have begun baseline `baseline`, by Glue's clock.
fn is_newer(crawl: &Crawl, baseline: &Baseline) -> bool {
    let began = baseline.started_at.as_ref().map(|started| started.0);
    match &baseline.id {
        Some(id) => crawl.id != *id && crawl.started_on >= began,
        None => crawl.started_on > began,
    }
}

/// The baseline before a start: the newest crawl of the history, or a later one that the crawler reports as ended and
/// the history does not list yet.
pub(super) fn newest_of(listed: Option<&Crawl>, last_crawl_started_on: Option<Timestamp>) -> Baseline {
    let started_on = listed.and_then(|crawl| crawl.started_on);
    if last_crawl_started_on > started_on {
        return Baseline { id: None, started_at: last_crawl_started_on.map(Time) };
    }
    Baseline { id: listed.map(|crawl| crawl.id.clone()), started_at: started_on.map(Time) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::crawls::CrawlState;

    #[test]
    fn what_is_newer_is_told_by_glues_clock_and_by_the_id() {
        let crawl = |id: &str, second| Crawl {
            started_on: Timestamp::from_second(second).ok(),
            ..Crawl::fixture(id, CrawlState::Running)
        };
        let listed = crawl("a", 10);
        let baseline = newest_of(Some(&listed), Timestamp::from_second(5).ok());
        assert!(is_newer(&crawl("b", 11), &baseline));
        assert!(is_newer(&crawl("b", 10), &baseline), "the order of the list decides");
        assert!(!is_newer(&crawl("a", 10), &baseline));
        assert!(!is_newer(&crawl("b", 9), &baseline));
        assert!(is_newer(&crawl("b", 9), &Baseline::default()), "there was none");
        let unlisted = newest_of(Some(&listed), Timestamp::from_second(20).ok());
        assert!(!is_newer(&crawl("b", 20), &unlisted), "it was over already, and shows late");
        assert!(is_newer(&crawl("c", 21), &unlisted));
    }
}
