//! The state changes of crawlers: start, stop, ready, and starts by schedule.

use std::sync::Arc;

use super::{Crawl, CrawlOutcome, CrawlState, CrawlerState};
use crate::{
    error::AwsError,
    glue::{Region, region::Event, schedule::Schedule, triggers::Origin},
    wire::random_uuid,
};

/// An event of a crawler, with the crawler's name, uid and generation. A crawler that is deleted and created again
/// has another uid.
#[derive(Clone, Debug)]
pub(in crate::glue) enum CrawlEvent {
    /// The crawl has done its work: the crawler becomes STOPPING.
    WorkDone(Arc<str>, u64, u64),
    /// The crawl has ended: the crawler becomes READY.
    Ready(Arc<str>, u64, u64, CrawlState),
    /// A scheduled time is reached. The number is the version of the schedule.
    ScheduleTick(Arc<str>, u64, u64),
}

impl Region {
    /// Starts a crawl.
    pub(in crate::glue) fn start_crawl(&mut self, name: &str, origin: Option<Origin>) -> Result<String, AwsError> {
        let now = self.now();
        let crawler = self.crawler_mut(name)?;
        if crawler.state != CrawlerState::Ready {
            return Err(AwsError::modelled(
                "CrawlerRunningException",
                format!("Crawler with name {name} has already started"),
            ));
        }
        let plan = crawler.script.next(&mut crawler.plans_used);
        let id = random_uuid();
        crawler.state = CrawlerState::Running;
        crawler.generation += 1;
        let planned = (plan.outcome != CrawlOutcome::Never).then(|| now + plan.running);
        crawler.crawls.push(Crawl {
            id: id.clone(),
            plan,
            started: now,
            ended: None,
            state: CrawlState::Running,
            error: None,
            origin,
        });
        let event = CrawlEvent::WorkDone(name.into(), crawler.uid, crawler.generation);
        if let Some(at) = planned {
            self.events.push(at, Event::Crawl(event));
        }
        if let Some(origin) = origin {
            self.workflows.on_crawl(origin, name, &id);
        }
        Ok(id)
    }

    /// Stops the running crawl of a crawler.
    pub(in crate::glue) fn stop_crawl(&mut self, name: &str) -> Result<(), AwsError> {
        let state = self.crawler(name)?.state;
        match state {
            CrawlerState::Ready => {
                Err(AwsError::modelled("CrawlerNotRunningException", format!("Crawler with name {name} isn't running")))
            }
            CrawlerState::Stopping => {
                Err(AwsError::modelled("CrawlerStoppingException", format!("Crawler with name {name} is stopping")))
            }
            CrawlerState::Running => {
                self.begin_stopping(name, CrawlState::Stopped);
                Ok(())
            }
        }
    }

    fn begin_stopping(&mut self, name: &str, outcome: CrawlState) {
        let now = self.now();
        let Ok(crawler) = self.crawler_mut(name) else { return };
        crawler.state = CrawlerState::Stopping;
        crawler.generation += 1;
        let duration = crawler.crawls.last().map(|crawl| crawl.plan.stopping).unwrap_or_default();
        let event = CrawlEvent::Ready(name.into(), crawler.uid, crawler.generation, outcome);
        self.events.push(now + duration, Event::Crawl(event));
    }

    pub(in crate::glue) fn crawl_event(&mut self, event: CrawlEvent) {
        match event {
            CrawlEvent::WorkDone(name, uid, generation) if self.is_current_crawl_event(&name, uid, generation) => {
                let crawl = self.crawler(&name).ok().and_then(|crawler| crawler.crawls.last());
                let outcome = match crawl.map(|crawl| &crawl.plan.outcome) {
                    Some(CrawlOutcome::Failed(_)) => CrawlState::Failed,
                    _ => CrawlState::Completed,
                };
                self.begin_stopping(&name, outcome);
            }
            CrawlEvent::Ready(name, uid, generation, outcome)
                if self.is_current_crawl_event(&name, uid, generation) =>
            {
                self.end_crawl(&name, outcome);
            }
            CrawlEvent::ScheduleTick(name, uid, version) => self.tick(&name, uid, version),
            _ => {}
        }
    }

    fn is_current_crawl_event(&self, name: &str, uid: u64, generation: u64) -> bool {
        self.crawler(name).is_ok_and(|crawler| crawler.uid == uid && crawler.generation == generation)
    }

    fn end_crawl(&mut self, name: &str, outcome: CrawlState) {
        let now = self.now();
        let Ok(crawler) = self.crawler_mut(name) else { return };
        crawler.state = CrawlerState::Ready;
        let Some(crawl) = crawler.crawls.last_mut() else { return };
        crawl.ended = Some(now);
        crawl.state = outcome;
        if let (CrawlState::Failed, CrawlOutcome::Failed(message)) = (outcome, &crawl.plan.outcome) {
            crawl.error = Some(message.clone());
        }
        let (origin, id) = (crawl.origin, crawl.id.clone());
        self.crawl_ended(name, &id, outcome, origin);
    }

    /// Sets and activates a crawler's schedule.
    pub(super) fn set_crawler_schedule(&mut self, name: &str, schedule: Option<Schedule>) {
        let Ok(crawler) = self.crawler_mut(name) else { return };
        crawler.scheduled = schedule.is_some();
        crawler.schedule = schedule;
        self.plan_tick(name);
    }

    /// Activates or deactivates a crawler's schedule.
    pub(super) fn set_schedule_active(&mut self, name: &str, active: bool) {
        let Ok(crawler) = self.crawler_mut(name) else { return };
        crawler.scheduled = active;
        self.plan_tick(name);
    }

    fn plan_tick(&mut self, name: &str) {
        let now = self.now();
        let Ok(crawler) = self.crawler_mut(name) else { return };
        crawler.schedule_version += 1;
        let next =
            crawler.schedule.as_ref().filter(|_| crawler.scheduled).and_then(|schedule| schedule.next_after(now));
        let event = CrawlEvent::ScheduleTick(name.into(), crawler.uid, crawler.schedule_version);
        if let Some(at) = next {
            self.events.push(at, Event::Crawl(event));
        }
    }

    fn tick(&mut self, name: &str, uid: u64, version: u64) {
        let current = self.crawler(name).is_ok_and(|crawler| crawler.uid == uid && crawler.schedule_version == version);
        if current {
            // A crawler that is still running skips this start.
            let _ = self.start_crawl(name, None);
            self.plan_tick(name);
        }
    }
}
