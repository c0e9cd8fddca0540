//! One account's Glue in one region, and how time passes in it.

use std::sync::Arc;

use super::{jobs::Jobs, runs::RunEvent, runs::RunScript, runs::Runs};
use crate::{agenda::Agenda, clock::Time};

/// What can fall due.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// Something about a job run.
    Run(RunEvent),
}

/// Everything that exists in one account and region.
#[derive(Debug)]
pub struct Region {
    /// The account's id.
    pub account: Arc<str>,
    /// The region's name.
    pub name: Arc<str>,
    now: Time,
    pub(super) agenda: Agenda<Event>,
    pub(super) jobs: Jobs,
    pub(super) runs: Runs,
    pub(crate) default_script: RunScript,
}

impl Region {
    pub(super) fn new(account: Arc<str>, name: Arc<str>, now: Time) -> Self {
        Self {
            account,
            name,
            now,
            agenda: Agenda::default(),
            jobs: Jobs::default(),
            runs: Runs::default(),
            default_script: RunScript::default(),
        }
    }

    /// The time that has come here. While events are worked off it is the time of the event.
    #[must_use]
    pub fn now(&self) -> Time {
        self.now
    }

    /// Lets everything happen that is due by `now`, each at its own time and in order.
    pub fn catch_up(&mut self, now: Time) {
        while let Some((due, event)) = self.agenda.pop_due(now) {
            self.now = self.now.max(due);
            match event {
                Event::Run(event) => self.run_event(event),
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
