//! One read of an account: which call comes next, and what its answer means. Pure.
//!
//! Lists are read page by page to their end. Jobs come with their newest runs, one call each, since no call of Glue shows
//! the runs of several jobs. Crawls are read only of a crawler of which they have changed. Workflows come in batches with
//! their graphs, or one by one where the batch is denied.
//!
//! An error that may pass leaves the call to be made again. What Glue refuses is left out and reported: one item hides no
//! other, and an operation that was refused for many items in a row is not called for the rest.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::demand::Union;
use super::{Crawler, Job, Picture, Section, Tags, Workflow};
use crate::api::inventory::ItemType;
use crate::glue::crawls::Crawl;
use crate::glue::job_runs::JobRun;
use crate::glue::poller::listing::Page;
use crate::glue::triggers::Trigger;
use crate::glue::{Error, ErrorKind};

/// The most workflows that one `BatchGetWorkflows` shows (Glue API reference: 1 to 25).
const WORKFLOW_BATCH_SIZE: usize = 25;
/// After so many refusals in a row an operation is not called for the rest of the items.
const MOST_REFUSALS: usize = 5;
/// How often a list begins again from its first page when Glue does not take its token any more.
const MOST_RESTARTS: usize = 2;
/// Tags are read again after this time.
const TAGS_KEPT: Duration = Duration::from_hours(6);

/// A call to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A page of all jobs (`GetJobs`).
    Jobs(Option<String>),
    /// A page of all triggers (`GetTriggers`).
    Triggers(Option<String>),
    /// A page of all crawlers (`GetCrawlers`).
    Crawlers(Option<String>),
    /// A page of the names of all workflows (`ListWorkflows`).
    WorkflowNames(Option<String>),
    /// Workflows with their graphs and last runs (`BatchGetWorkflows`).
    Workflows(Vec<String>),
    /// One of them (`GetWorkflow`).
    Workflow(String),
    /// The newest runs of a job, so many (`GetJobRuns`).
    JobRuns(String, usize),
    /// The newest crawls of a crawler, so many (`ListCrawls`).
    Crawls(String, usize),
    /// The tags of an item (`GetTags`).
    Tags(ItemType, String),
}

impl Ask {
    /// A list of all items of a type; `None` for a call about some of them.
    fn listed(&self) -> Option<ItemType> {
        match self {
            Self::Jobs(_) => Some(ItemType::Job),
            Self::Triggers(_) => Some(ItemType::Trigger),
            Self::Crawlers(_) => Some(ItemType::Crawler),
            Self::WorkflowNames(_) => Some(ItemType::Workflow),
            _ => None,
        }
    }

    fn has_token(&self) -> bool {
        matches!(
            self,
            Self::Jobs(token) | Self::Triggers(token) | Self::Crawlers(token) | Self::WorkflowNames(token)
                if token.is_some()
        )
    }

    /// The first page of a list.
    fn first(type_: ItemType) -> Self {
        match type_ {
            ItemType::Job => Self::Jobs(None),
            ItemType::Trigger => Self::Triggers(None),
            ItemType::Crawler => Self::Crawlers(None),
            ItemType::Workflow => Self::WorkflowNames(None),
        }
    }
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Jobs without their runs.
    Jobs(Page<(String, Job)>),
    /// Triggers.
    Triggers(Page<Trigger>),
    /// Crawlers without their crawls.
    Crawlers(Page<(String, Crawler)>),
    /// Names of workflows.
    WorkflowNames(Page<String>),
    /// Those of the workflows that exist.
    Workflows(Vec<(String, Workflow)>),
    /// Runs, newest first.
    JobRuns(Vec<JobRun>),
    /// Crawls, newest first.
    Crawls(Vec<Crawl>),
    /// Tags.
    Tags(Tags),
}

/// When tags of items were read.
pub type TagTimes = BTreeMap<(ItemType, String), Instant>;

/// A read that is under way.
#[derive(Debug)]
pub struct Reading {
    wanted: Union,
    /// What the read before it showed.
    before: Option<Arc<Picture>>,
    asks: VecDeque<Ask>,
    picture: Picture,
    names: Vec<String>,
    tag_times: TagTimes,
    /// How many refusals in a row the last operation had.
    refusals: usize,
    restarts: usize,
}

impl Reading {
    /// Begins to read what `wanted` selects, at `began_at`. `before` is what the last read showed, and `tag_times` when tags
    /// were read.
    #[must_use]
    pub fn new(wanted: Union, before: Option<Arc<Picture>>, tag_times: TagTimes, began_at: Timestamp) -> Self {
        let asks = ItemType::ALL.into_iter().filter(|type_| wanted.reads(*type_)).map(Ask::first).collect();
        let picture = Picture { began_at, ..Picture::default() };
        Self { wanted, before, asks, picture, names: Vec::new(), tag_times, refusals: 0, restarts: 0 }
    }

    /// The next call; `None` when the read is over.
    #[must_use]
    pub fn next(&self) -> Option<&Ask> {
        self.asks.front()
    }

    /// Takes the answer to [`Reading::next`]. An error that may pass comes back: the call is made again.
    pub fn answer(&mut self, answer: Result<Answer, Error>, now: Instant) -> Result<(), Error> {
        self.picture.calls += 1;
        let Some(ask) = self.asks.pop_front() else { return Ok(()) };
        match answer {
            Ok(answer) => {
                self.refusals = 0;
                self.take(ask, answer, now);
                Ok(())
            }
            Err(error) => self.take_error(ask, error),
        }
    }

    /// The picture, and when its tags were read.
    #[must_use]
    pub fn finish(mut self, read_at: Timestamp) -> (Picture, TagTimes) {
        self.picture.read_at = read_at;
        let tags = &self.picture.tags;
        self.tag_times.retain(|item, _| tags.contains_key(item));
        (self.picture, self.tag_times)
    }

    fn take(&mut self, ask: Ask, answer: Answer, now: Instant) {
        match (ask, answer) {
            (_, Answer::Jobs(page)) => {
                let next = page.next.map(|token| Ask::Jobs(Some(token)));
                let jobs = page.items.into_iter().filter(|(name, _)| self.wanted.has(ItemType::Job, name));
                self.picture.jobs.items.extend(jobs);
                self.picture.jobs.is_whole = self.go_on(next, ItemType::Job, now);
            }
            (_, Answer::Triggers(page)) => {
                let next = page.next.map(|token| Ask::Triggers(Some(token)));
                // Triggers say which workflow a job belongs to, and when it runs.
                let triggers = page.items.into_iter().map(|trigger| (trigger.name.clone(), trigger));
                self.picture.triggers.items.extend(triggers);
                self.picture.triggers.is_whole = self.go_on(next, ItemType::Trigger, now);
            }
            (_, Answer::Crawlers(page)) => {
                let next = page.next.map(|token| Ask::Crawlers(Some(token)));
                let crawlers = page.items.into_iter().filter(|(name, _)| self.wanted.has(ItemType::Crawler, name));
                self.picture.crawlers.items.extend(crawlers);
                self.picture.crawlers.is_whole = self.go_on(next, ItemType::Crawler, now);
            }
            (_, Answer::WorkflowNames(page)) => {
                let next = page.next.map(|token| Ask::WorkflowNames(Some(token)));
                let names = page.items.into_iter().filter(|name| self.wanted.has(ItemType::Workflow, name));
                self.names.extend(names);
                self.picture.workflows.is_whole = self.go_on(next, ItemType::Workflow, now);
            }
            (ask, Answer::Workflows(workflows)) => {
                if let Ask::Workflows(names) = ask {
                    self.picture.workflows.items.retain(|name, _| !names.contains(name));
                }
                self.picture.workflows.items.extend(workflows);
            }
            (Ask::JobRuns(name, wanted), Answer::JobRuns(mut runs)) => {
                runs.truncate(wanted);
                if let Some(job) = self.picture.jobs.items.get_mut(&name) {
                    job.runs = Some(runs);
                }
            }
            (Ask::Crawls(name, wanted), Answer::Crawls(mut crawls)) => {
                crawls.truncate(wanted);
                if let Some(crawler) = self.picture.crawlers.items.get_mut(&name) {
                    (crawler.crawls, crawler.asked) = (crawls, wanted);
                }
            }
            (Ask::Tags(type_, name), Answer::Tags(tags)) => {
                self.tag_times.insert((type_, name.clone()), now);
                self.picture.tags.insert((type_, name), tags);
            }
            // The caller answers what was asked.
            _ => {}
        }
    }

    /// Goes on with the next page of a list, or with what follows from the whole of it. Whether the list is whole.
    fn go_on(&mut self, next: Option<Ask>, type_: ItemType, now: Instant) -> bool {
        if let Some(next) = next {
            self.asks.push_front(next);
            return false;
        }
        match type_ {
            ItemType::Job => self.ask_for_runs(),
            ItemType::Crawler => self.ask_for_crawls(),
            ItemType::Workflow => self.ask_for_workflows(),
            ItemType::Trigger => {}
        }
        self.ask_for_tags(type_, now);
        self.restarts = 0;
        true
    }

    fn ask_for_runs(&mut self) {
        for name in self.picture.jobs.items.keys() {
            let wanted = self.wanted.runs(ItemType::Job, name);
            self.asks.push_back(Ask::JobRuns(name.clone(), wanted));
        }
    }

    /// Crawls are read of a crawler that runs, and of one whose last crawl is not the one that was read before.
    fn ask_for_crawls(&mut self) {
        let before = self.before.as_ref().map(|before| &before.crawlers.items);
        for (name, crawler) in &mut self.picture.crawlers.items {
            let wanted = self.wanted.runs(ItemType::Crawler, name);
            let is_idle = crawler.state == "READY";
            let known = before.and_then(|before| before.get(name)).filter(|known| {
                is_idle
                    && known.state == crawler.state
                    && known.last_crawl == crawler.last_crawl
                    && known.asked >= wanted
            });
            match known {
                Some(known) => (crawler.crawls, crawler.asked) = (known.crawls.clone(), known.asked),
                None if is_idle && crawler.last_crawl.is_none() => {}
                None => self.asks.push_back(Ask::Crawls(name.clone(), wanted)),
            }
        }
    }

    fn ask_for_workflows(&mut self) {
        self.names.sort();
        self.names.dedup();
        let unread = self.names.iter().map(|name| (name.clone(), Workflow::default()));
        self.picture.workflows.items.extend(unread);
        let batches = self.names.chunks(WORKFLOW_BATCH_SIZE).map(|names| Ask::Workflows(names.to_vec()));
        self.asks.extend(batches);
    }

    /// Tags are read of what somebody wants them of, unless they were read a while ago.
    fn ask_for_tags(&mut self, type_: ItemType, now: Instant) {
        let names: Vec<_> = match type_ {
            ItemType::Job => self.picture.jobs.items.keys().cloned().collect(),
            ItemType::Crawler => self.picture.crawlers.items.keys().cloned().collect(),
            ItemType::Trigger => self.picture.triggers.items.keys().cloned().collect(),
            ItemType::Workflow => self.names.clone(),
        };
        for name in names.into_iter().filter(|name| self.wanted.has_tags(type_, name)) {
            let item = (type_, name);
            let read_at = self.tag_times.get(&item);
            let is_recent = read_at.is_some_and(|at| now.saturating_duration_since(*at) < TAGS_KEPT);
            let known = self.before.as_ref().and_then(|before| before.tags.get(&item)).filter(|_| is_recent);
            match known {
                Some(tags) => {
                    self.picture.tags.insert(item, tags.clone());
                }
                None => self.asks.push_back(Ask::Tags(item.0, item.1)),
            }
        }
    }

    fn take_error(&mut self, ask: Ask, error: Error) -> Result<(), Error> {
        match error.kind {
            ErrorKind::NotFound => self.forget(&ask),
            ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::LimitExceeded => self.refuse(&ask, error),
            ErrorKind::Conflict
            | ErrorKind::Busy
            | ErrorKind::Throttled
            | ErrorKind::ExpiredCredentials
            | ErrorKind::Ambiguous
            | ErrorKind::Transient => {
                self.asks.push_front(ask);
                return Err(error);
            }
        }
        Ok(())
    }

    /// The item does not exist any more.
    fn forget(&mut self, ask: &Ask) {
        match ask {
            Ask::JobRuns(name, _) => drop(self.picture.jobs.items.remove(name)),
            Ask::Crawls(name, _) => drop(self.picture.crawlers.items.remove(name)),
            Ask::Workflow(name) => drop(self.picture.workflows.items.remove(name)),
            _ => {}
        }
    }

    fn refuse(&mut self, ask: &Ask, error: Error) {
        if let Ask::Workflows(names) = ask {
            // The rights may be those of GetWorkflow alone, or one of the names is not allowed.
            let mut names = names.clone();
            if error.kind == ErrorKind::Denied {
                self.asks.retain(|other| !matches!(other, Ask::Workflows(_)));
                let unread = self.picture.workflows.items.iter().filter(|(_, workflow)| !workflow.is_read);
                names = unread.map(|(name, _)| name.clone()).collect();
            }
            self.asks.extend(names.into_iter().map(Ask::Workflow));
            return;
        }
        if let Some(type_) = ask.listed().filter(|_| ask.has_token() && self.restarts < MOST_RESTARTS) {
            self.restarts += 1;
            self.asks.push_front(Ask::first(type_));
            return;
        }
        self.refusals += 1;
        let is_first = !self.picture.refused.iter().any(|refused| refused.operation == error.operation);
        if is_first {
            self.picture.refused.push(Arc::new(error));
        }
        if let Some(type_) = ask.listed() {
            self.clear(type_);
        } else if self.refusals >= MOST_REFUSALS {
            let refused = std::mem::discriminant(ask);
            self.asks.retain(|other| std::mem::discriminant(other) != refused);
            self.refusals = 0;
        }
    }

    /// Nothing is known of the items of a type.
    fn clear(&mut self, type_: ItemType) {
        match type_ {
            ItemType::Job => self.picture.jobs = Section::default(),
            ItemType::Crawler => self.picture.crawlers = Section::default(),
            ItemType::Trigger => self.picture.triggers = Section::default(),
            ItemType::Workflow => self.picture.workflows = Section::default(),
        }
    }
}
