//! Everything about crawlers but their history: definitions, starting, stopping, schedules.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Crawl, Crawler, CrawlerSettings, CrawlerState, not_found};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, reply},
        page,
        schedule::Schedule,
    },
};

const DEFAULT_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateCrawler", resource: "crawler", subject: "/Name", run: create },
    Operation { name: "GetCrawler", resource: "crawler", subject: "/Name", run: get },
    Operation { name: "GetCrawlers", resource: "crawler", subject: "", run: get_all },
    Operation { name: "ListCrawlers", resource: "crawler", subject: "", run: list },
    Operation { name: "BatchGetCrawlers", resource: "crawler", subject: "", run: batch_get },
    Operation { name: "UpdateCrawler", resource: "crawler", subject: "/Name", run: update },
    Operation { name: "DeleteCrawler", resource: "crawler", subject: "/Name", run: delete },
    Operation { name: "StartCrawler", resource: "crawler", subject: "/Name", run: start },
    Operation { name: "StopCrawler", resource: "crawler", subject: "/Name", run: stop },
    Operation { name: "UpdateCrawlerSchedule", resource: "crawler", subject: "/CrawlerName", run: update_schedule },
    Operation { name: "StartCrawlerSchedule", resource: "crawler", subject: "/CrawlerName", run: start_schedule },
    Operation { name: "StopCrawlerSchedule", resource: "crawler", subject: "/CrawlerName", run: stop_schedule },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Paging {
    next_token: Option<String>,
    max_results: Option<usize>,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CrawlerView<'a> {
    #[serde(flatten)]
    settings: &'a CrawlerSettings,
    state: CrawlerState,
    /// Milliseconds.
    crawl_elapsed_time: u128,
    creation_time: Time,
    last_updated: Time,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_crawl: Option<LastCrawlInfo<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastCrawlInfo<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    log_group: &'static str,
    log_stream: &'a str,
    message_prefix: &'a str,
    start_time: Time,
}

impl Crawler {
    /// The crawler now, or as it was.
    fn view(&self, now: Time, as_of: Option<Time>) -> CrawlerView<'_> {
        let now = as_of.unwrap_or(now);
        let running =
            self.crawls.last().filter(|crawl| crawl.started <= now && crawl.ended.is_none_or(|end| end > now));
        let state = match running {
            None => CrawlerState::Ready,
            Some(_) if as_of.is_some() => CrawlerState::Running,
            Some(_) => self.state,
        };
        let over = |crawl: &&Crawl| crawl.ended.is_some_and(|ended| ended <= now);
        CrawlerView {
            settings: &self.settings,
            state,
            crawl_elapsed_time: running.map_or(0, |crawl| now.since(crawl.started).as_millis()),
            creation_time: self.created_on,
            last_updated: self.modified_on,
            version: self.version,
            schedule: self.schedule.as_ref().map(|schedule| {
                let state = if self.scheduled { "SCHEDULED" } else { "NOT_SCHEDULED" };
                json!({ "ScheduleExpression": schedule.expression(), "State": state })
            }),
            last_crawl: self.crawls.iter().rev().find(over).map(|crawl| LastCrawlInfo {
                status: crawl.state.as_last_crawl(),
                error_message: crawl.error.as_deref(),
                log_group: "/aws-glue/crawlers",
                log_stream: &self.settings.name,
                message_prefix: &crawl.id,
                start_time: crawl.started,
            }),
        }
    }
}

fn create(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let settings: CrawlerSettings = input.read()?;
    if region.crawler(&settings.name).is_ok() {
        return Err(AwsError::exists(format!("Crawler with name {} already exists", settings.name)));
    }
    if !settings.has_targets() {
        return Err(AwsError::invalid("At least one target must be specified for the crawler."));
    }
    region.define_crawler(settings.with_defaults(), region.default_crawl_script.clone())?;
    reply(&json!({}))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    let crawler = region.crawler(&name)?;
    reply(&json!({ "Crawler": crawler.view(region.now(), input.as_of) }))
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let paging: Paging = input.read()?;
    let crawlers = region.crawlers.by_name.iter();
    let views = crawlers.map(|(name, crawler)| (&**name, crawler.view(region.now(), input.as_of)));
    let size = paging.max_results.unwrap_or(DEFAULT_PAGE);
    let (page, next) = page::by_name("GetCrawlers", views, paging.next_token.as_deref(), size)?;
    reply(&page::answer("Crawlers", &page, next))
}

fn list(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let paging: Paging = input.read()?;
    let names = region
        .crawlers
        .by_name
        .keys()
        .filter(|name| region.tags.carries(&region.arn("crawler", name), paging.tags.as_ref()))
        .map(|name| (&**name, &**name));
    let size = paging.max_results.unwrap_or(DEFAULT_PAGE);
    let (page, next) = page::by_name("ListCrawlers", names, paging.next_token.as_deref(), size)?;
    reply(&page::answer("CrawlerNames", &page, next))
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        crawler_names: Vec<String>,
    }
    let Request { crawler_names } = input.read()?;
    let (found, missing): (Vec<_>, Vec<_>) = crawler_names.iter().partition(|name| region.crawler(name).is_ok());
    let found: Vec<_> = found
        .into_iter()
        .filter_map(|name| region.crawler(name).ok())
        .map(|crawler| crawler.view(region.now(), input.as_of))
        .collect();
    reply(&json!({ "Crawlers": found, "CrawlersNotFound": missing }))
}

fn update(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        schedule: Option<String>,
        #[serde(flatten)]
        changes: Map<String, Value>,
    }
    let Request { name, schedule, changes } = input.read()?;
    let schedule = schedule.as_deref().map(Schedule::parse).transpose()?;
    let now = region.now();
    let crawler = region.crawler_mut(&name)?;
    refuse_while_running(crawler)?;
    crawler.settings.rest.extend(changes.into_iter().filter(|(_, value)| !value.is_null()));
    crawler.version += 1;
    crawler.modified_on = now;
    if schedule.is_some() {
        region.set_crawler_schedule(&name, schedule);
    }
    reply(&json!({}))
}

fn refuse_while_running(crawler: &Crawler) -> Result<(), AwsError> {
    if crawler.state == CrawlerState::Ready {
        return Ok(());
    }
    let name = &crawler.settings.name;
    Err(AwsError::modelled("CrawlerRunningException", format!("Crawler with name {name} is currently running")))
}

fn delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    refuse_while_running(region.crawler(&name)?)?;
    region.crawlers.by_name.remove(name.as_str());
    let arn = region.arn("crawler", &name);
    region.tags.forget(&arn);
    reply(&json!({}))
}

fn start(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    region.start_crawl(&name, None)?;
    reply(&json!({}))
}

fn stop(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    region.stop_crawl(&name)?;
    reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfSchedule {
    crawler_name: String,
    schedule: Option<String>,
}

fn update_schedule(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let OfSchedule { crawler_name, schedule } = input.read()?;
    let schedule = schedule.as_deref().map(Schedule::parse).transpose()?;
    region.crawler(&crawler_name)?;
    region.set_crawler_schedule(&crawler_name, schedule);
    reply(&json!({}))
}

fn start_schedule(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let OfSchedule { crawler_name, .. } = input.read()?;
    let crawler = region.crawler(&crawler_name)?;
    if crawler.schedule.is_none() {
        return Err(AwsError::modelled("NoScheduleException", format!("Crawler {crawler_name} has no schedule")));
    }
    if crawler.scheduled {
        return Err(AwsError::modelled(
            "SchedulerRunningException",
            format!("The scheduler of crawler {crawler_name} is already running"),
        ));
    }
    region.follow_schedule(&crawler_name, true);
    reply(&json!({}))
}

fn stop_schedule(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let OfSchedule { crawler_name, .. } = input.read()?;
    let crawler = region.crawlers.by_name.get(crawler_name.as_str()).ok_or_else(|| not_found(&crawler_name))?;
    if !crawler.scheduled {
        return Err(AwsError::modelled(
            "SchedulerNotRunningException",
            format!("The scheduler of crawler {crawler_name} is not running"),
        ));
    }
    region.follow_schedule(&crawler_name, false);
    reply(&json!({}))
}
