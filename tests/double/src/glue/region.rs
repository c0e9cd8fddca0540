//! One account's Glue in one region, and how time passes in it.

use std::sync::Arc;

use super::{
    connections::{ConnectionEvent, Connections},
    crawlers::{CrawlEvent, CrawlScript, Crawlers},
    jobs::Jobs,
    runs::{RunEvent, RunScript, Runs},
    tags::Tags,
    triggers::{TriggerEvent, Triggers, Workflows},
};
use crate::{clock::Time, event_queue::EventQueue};

/// What can fall due.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Something about a job run.
    Run(RunEvent),
    /// Something about a crawler.
    Crawl(CrawlEvent),
    /// Something about a trigger.
    Trigger(TriggerEvent),
    /// Something about a connection.
    Connection(ConnectionEvent),
}

/// Everything that exists in one account and region.
#[derive(Debug)]
pub struct Region {
    /// The account's id.
    pub account: Arc<str>,
    /// The region's name.
    pub name: Arc<str>,
    now: Time,
    pub(super) events: EventQueue<Event>,
    pub(super) jobs: Jobs,
    pub(super) runs: Runs,
    pub(super) crawlers: Crawlers,
    pub(super) triggers: Triggers,
    pub(super) workflows: Workflows,
    pub(super) connections: Connections,
    pub(super) tags: Tags,
    pub(crate) default_script: RunScript,
    pub(crate) default_crawl_script: CrawlScript,
}

impl Region {
    pub(super) fn new(account: Arc<str>, name: Arc<str>, now: Time) -> Self {
        Self {
            account,
            name,
            now,
            events: EventQueue::default(),
            jobs: Jobs::default(),
            runs: Runs::default(),
            crawlers: Crawlers::default(),
            triggers: Triggers::default(),
            workflows: Workflows::default(),
            connections: Connections::default(),
            tags: Tags::default(),
            default_script: RunScript::default(),
            default_crawl_script: CrawlScript::default(),
        }
    }

    /// The time that has come here. While events are executed off it is the time of the event.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Lets everything happen that is due by `now`, each at its own time and in order.
    pub fn catch_up(&mut self, now: Time) {
        while let Some((due, event)) = self.events.pop_due(now) {
            self.now = self.now.max(due);
            match event {
                Event::Run(event) => self.run_event(event),
                Event::Crawl(event) => self.crawl_event(event),
                Event::Trigger(event) => self.trigger_event(event),
                Event::Connection(event) => self.connection_event(event),
            }
        }
        self.now = self.now.max(now);
    }

    /// The ARN of something in this region.
    #[must_use]
    pub fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:glue:{}:{}:{kind}/{name}", self.name, self.account)
    }
}
