//! Glue's state in one account and region, and the handling of its events.

use std::sync::Arc;

use super::{
    catalog::Catalog,
    connections::{ConnectionEvent, Connections},
    crawlers::{CrawlEvent, CrawlScript, Crawlers},
    jobs::Jobs,
    runs::{RunEvent, RunScript, Runs},
    tags::Tags,
    triggers::{TriggerEvent, Triggers, Workflows},
};
use crate::{clock::Time, event_queue::EventQueue, logs::LogStore};

/// An event of the region's queue.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Run(RunEvent),
    Crawl(CrawlEvent),
    Trigger(TriggerEvent),
    Connection(ConnectionEvent),
}

/// All resources of one account and region.
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
    pub(super) catalog: Catalog,
    pub(super) tags: Tags,
    pub(crate) logs: LogStore,
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
            catalog: Catalog::default(),
            tags: Tags::default(),
            logs: LogStore::default(),
            default_script: RunScript::default(),
            default_crawl_script: CrawlScript::default(),
        }
    }

    /// The current time in this region. While an event is handled, it is the event's time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Handles the events that are due by `now` in order, each at its own time.
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

    /// The ARN of a resource in this region; `kind` is a type such as `job`.
    #[must_use]
    pub fn arn(&self, kind: &str, name: &str) -> String {
        self.arn_in(&self.account, kind, name)
    }

    /// The ARN of a resource in this region and the catalog of an account.
    #[must_use]
    pub fn arn_in(&self, account: &str, kind: &str, name: &str) -> String {
        format!("arn:aws:glue:{}:{account}:{kind}/{name}", self.name)
    }
}
