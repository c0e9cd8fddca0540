//! `ListCrawls`: the history of a crawler, newest first, with filters and pages.

use serde::{Deserialize, Serialize};

use super::{Crawl, CrawlState};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations},
        page::{self, Page},
    },
};

/// "The default is 20, and maximum is 100" (`ListCrawls`, AWS Glue API reference).
const DEFAULT_PAGE: usize = 20;
const LARGEST_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = operations! { "crawler":
    ListCrawls("/CrawlerName") => list,
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListCrawls {
    crawler_name: String,
    max_results: Option<usize>,
    #[serde(default)]
    filters: Vec<FilterInput>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterInput {
    field_name: Option<Field>,
    filter_operator: Option<FilterOperator>,
    field_value: Option<String>,
}

#[derive(Serialize)]
struct CrawlsFilter {
    field_name: Field,
    filter_operator: FilterOperator,
    field_value: String,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Field {
    CrawlId,
    State,
    StartTime,
    EndTime,
    DpuHour,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum FilterOperator {
    Gt,
    Ge,
    Lt,
    Le,
    Eq,
    Ne,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CrawlerHistory<'a> {
    crawl_id: &'a str,
    state: CrawlState,
    start_time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    log_group: &'static str,
    log_stream: &'a str,
    message_prefix: &'a str,
    #[serde(rename = "DPUHour")]
    dpu_hour: f64,
}

impl Crawl {
    /// The state at a time.
    pub(super) fn state_at(&self, time: Time) -> CrawlState {
        if self.ended.is_some_and(|ended| ended <= time) { self.state } else { CrawlState::Running }
    }

    fn history<'a>(&'a self, crawler: &'a str, now: Time) -> CrawlerHistory<'a> {
        let state = self.state_at(now);
        let ended = state != CrawlState::Running;
        let changed = state == CrawlState::Completed;
        CrawlerHistory {
            crawl_id: &self.id,
            state,
            start_time: self.started,
            end_time: self.ended.filter(|_| ended),
            summary: changed.then(|| self.plan.summary.clone().or_else(|| self.plan.changes.summary())).flatten(),
            error_message: self.error.as_deref().filter(|_| ended),
            log_group: "/aws-glue/crawlers",
            log_stream: crawler,
            message_prefix: &self.id,
            dpu_hour: if ended { self.plan.dpu_hours } else { 0.0 },
        }
    }
}

impl CrawlsFilter {
    fn read(input: FilterInput) -> Result<Self, AwsError> {
        let FilterInput {
            field_name: Some(field_name),
            filter_operator: Some(filter_operator),
            field_value: Some(field_value),
        } = input
        else {
            return Err(AwsError::invalid(
                "Invalid Filter Provided: FieldName, FilterOperator and FieldValue are needed",
            ));
        };
        match (field_name, filter_operator) {
            (Field::CrawlId | Field::State, FilterOperator::Eq | FilterOperator::Ne) => {}
            (Field::CrawlId | Field::State, _) => {
                let name = if matches!(field_name, Field::State) { "STATE" } else { "CRAWL_ID" };
                return Err(AwsError::invalid(format!("Only EQ or NE operator is allowed for field : {name}")));
            }
            (Field::StartTime | Field::EndTime | Field::DpuHour, _) => {
                if field_value.parse::<f64>().is_err() {
                    return Err(AwsError::invalid(format!("Invalid filter value: {field_value}")));
                }
            }
        }
        Ok(Self { field_name, filter_operator, field_value })
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a double's 53 bits")]
    fn matches(&self, crawl: &CrawlerHistory<'_>) -> bool {
        match self.field_name {
            Field::CrawlId => self.compare(&crawl.crawl_id, &self.field_value.as_str()),
            Field::State => self.compare(&crawl.state.as_str(), &self.field_value.as_str()),
            Field::StartTime => self.compare_number(Some(crawl.start_time.0 as f64)),
            Field::EndTime => self.compare_number(crawl.end_time.map(|time| time.0 as f64)),
            Field::DpuHour => self.compare_number(Some(crawl.dpu_hour)),
        }
    }

    fn compare_number(&self, is: Option<f64>) -> bool {
        is.zip(self.field_value.parse().ok()).is_some_and(|(is, wanted)| self.compare(&is, &wanted))
    }

    fn compare<T: PartialOrd>(&self, is: &T, wanted: &T) -> bool {
        match self.filter_operator {
            FilterOperator::Gt => is > wanted,
            FilterOperator::Ge => is >= wanted,
            FilterOperator::Lt => is < wanted,
            FilterOperator::Le => is <= wanted,
            FilterOperator::Eq => is == wanted,
            FilterOperator::Ne => is != wanted,
        }
    }
}

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    let ListCrawls { crawler_name, max_results, filters, next_token } = input.read()?;
    let filters: Vec<CrawlsFilter> = filters.into_iter().map(CrawlsFilter::read).collect::<Result<_, _>>()?;
    let now = input.as_of.unwrap_or(region.now());
    let crawler = region.crawler(&crawler_name)?;
    let of = serde_json::to_string(&filters).unwrap_or_default();
    let list = format!("ListCrawls {crawler_name} {of}");
    // A token is the number of oldest crawls that are left.
    let left = match next_token {
        None => crawler.crawls.partition_point(|crawl| crawl.started <= now),
        Some(token) => page::position(&list, &token)?.parse().unwrap_or(0).min(crawler.crawls.len()),
    };
    let listed = crawler.crawls[..left].iter().enumerate().rev();
    let listed = listed.filter(|(_, crawl)| crawl.started + crawl.plan.hidden <= now);
    let mut matching = listed.filter_map(|(at, crawl)| {
        let shown = crawl.history(&crawler_name, now);
        filters.iter().all(|filter| filter.matches(&shown)).then_some((at, shown))
    });
    let size = max_results.unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE);
    let page: Vec<_> = matching.by_ref().take(size).collect();
    let more = matching.next().is_some();
    let next_token = page.last().filter(|_| more).map(|(at, _)| page::token(&list, &at.to_string()));
    Page { items: page.into_iter().map(|(_, crawl)| crawl).collect(), next_token }.reply("Crawls")
}
