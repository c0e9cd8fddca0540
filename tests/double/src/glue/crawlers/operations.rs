//! The operations on crawlers: definitions, starting, stopping, schedules. The history is in `history.rs`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Crawler, CrawlerSettings, CrawlerState};
use crate::{
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Named, Operation, Reply, operations, reply, reply_to_batch},
        page::Paging,
        schedule::Schedule,
    },
};

const DEFAULT_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = operations! { "crawler":
    CreateCrawler("/Name") => create,
    GetCrawler("/Name") => get,
    GetCrawlers("") => get_all,
    ListCrawlers("") => list,
    BatchGetCrawlers("") => batch_get,
    UpdateCrawler("/Name") => update,
    DeleteCrawler("/Name") => delete,
    StartCrawler("/Name") => start,
    StopCrawler("/Name") => stop,
    UpdateCrawlerSchedule("/CrawlerName") => update_schedule,
    StartCrawlerSchedule("/CrawlerName") => start_schedule,
    StopCrawlerSchedule("/CrawlerName") => stop_schedule,
};

fn create(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    let crawler = region.crawler(&name)?;
    reply(&json!({ "Crawler": crawler.view(region.now(), input.as_of) }))
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Reply {
    let paging: Paging = input.read()?;
    let crawlers = region.crawlers.by_name.iter();
    let views = crawlers.map(|(name, crawler)| (&**name, crawler.view(region.now(), input.as_of)));
    paging.by_name("GetCrawlers", views, DEFAULT_PAGE)?.reply("Crawlers")
}

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    let paging: Paging = input.read()?;
    let names = region.crawlers.by_name.keys();
    let tagged = names.filter(|name| region.has_tags("crawler", name, paging.tags.as_ref()));
    paging.by_name("ListCrawlers", tagged.map(|name| (&**name, &**name)), DEFAULT_PAGE)?.reply("CrawlerNames")
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Reply {
    reply_to_batch(input, ["Crawlers", "CrawlersNotFound"], |name| {
        Some(region.crawler(name).ok()?.view(region.now(), input.as_of))
    })
}

fn update(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    refuse_while_running(region.crawler(&name)?)?;
    region.crawlers.by_name.remove(name.as_str());
    region.forget_tags("crawler", &name);
    reply(&json!({}))
}

fn start(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    region.start_crawl(&name, None)?;
    reply(&json!({}))
}

fn stop(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    region.stop_crawl(&name)?;
    reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleRequest {
    crawler_name: String,
    schedule: Option<String>,
}

fn update_schedule(region: &mut Region, input: &Input<'_>) -> Reply {
    let ScheduleRequest { crawler_name, schedule } = input.read()?;
    let schedule = schedule.as_deref().map(Schedule::parse).transpose()?;
    region.crawler(&crawler_name)?;
    region.set_crawler_schedule(&crawler_name, schedule);
    reply(&json!({}))
}

fn start_schedule(region: &mut Region, input: &Input<'_>) -> Reply {
    let ScheduleRequest { crawler_name, .. } = input.read()?;
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
    region.set_schedule_active(&crawler_name, true);
    reply(&json!({}))
}

fn stop_schedule(region: &mut Region, input: &Input<'_>) -> Reply {
    let ScheduleRequest { crawler_name, .. } = input.read()?;
    let crawler = region.crawler(&crawler_name)?;
    if !crawler.scheduled {
        return Err(AwsError::modelled(
            "SchedulerNotRunningException",
            format!("The scheduler of crawler {crawler_name} is not running"),
        ));
    }
    region.set_schedule_active(&crawler_name, false);
    reply(&json!({}))
}
