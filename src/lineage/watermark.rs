//! Which events of lineage an inventory has to send, by each picture of its account. Pure.
//!
//! A picture is what one read of the account showed: the newest runs of each job, crawler and workflow, most of which the read
//! before it showed, too. [`Reported`] keeps the stage of each run of the last picture in memory. [`Reported::until`] is in
//! the status of the inventory and survives a restart: each run that ended before it was reported, or ended before the first
//! picture and is not reported.
//!
//! That time is the beginning of a read, and not the newest end that the read showed. A read takes minutes: a run of a job
//! that was read early may have ended before a run of a job that was read late, and only the next read shows it.
//!
//! A run that newer ones push out of the list while it runs has no end here.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::openlineage::EventType;
use super::progress::{self, Stage};
use super::run::{RunSight, Target, run_id};

/// How far Glue's clock, which says when a run ended, may be behind that of the controller, which says when a read began.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);
/// The most runs that are remembered of targets that the last picture does not have.
const MAX_UNREAD: usize = 10_000;

/// What was reported of the runs of an account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    until: Option<Timestamp>,
    runs: BTreeMap<Uuid, (Target, Stage)>,
    /// The earliest and the latest of the ends that were reported and that no written time covers.
    uncovered: Option<(Timestamp, Timestamp)>,
}

/// What a picture asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advance {
    /// The runs of which there is something new, with the events to send, in their order.
    pub events: Vec<(RunSight, Vec<EventType>)>,
    /// Whether [`Reported::until`] is to be written: it covers an end that was reported and that, after a restart, the time
    /// written before would ask for again. An end that came while the account was read is covered by the next read.
    pub is_to_write: bool,
}

impl Reported {
    /// What a process knows after a restart: the time that was written, or `None` if nothing was reported yet.
    #[must_use]
    pub fn new(until: Option<Timestamp>) -> Self {
        Self { until, ..Self::default() }
    }

    /// Each run that ended before this time was reported, or is history. `None` before the first whole picture.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// What the runs of a picture ask for. `read_began` is when the read of it began, by the controller's clock; `None`
    /// where Glue refused a part, so that runs may have ended that the picture does not have.
    ///
    /// Until there was a whole picture, only the newest run of each target is reported, and those that have not ended.
    /// After that, each run that has not ended or that ended after [`Reported::until`] is reported. A run of which nothing
    /// says when it ended counts as ended when it was started.
    pub fn advance(&mut self, picture: Vec<RunSight>, read_began: Option<Timestamp>) -> Advance {
        let newest = newest(&picture);
        let read: BTreeSet<Target> = picture.iter().map(|run| run.target.clone()).collect();
        let mut now = BTreeMap::new();
        let mut events = Vec::new();
        for run in picture {
            let id = run_id(&run.id);
            let before = now.get(&id).or_else(|| self.runs.get(&id)).map(|(_, stage)| *stage);
            let asked = match before {
                None if !self.is_new(&run, newest.contains(&id)) => Vec::new(),
                before => progress::events(before, run.stage),
            };
            now.insert(id, (run.target.clone(), progress::furthest(before, run.stage)));
            if !asked.is_empty() {
                events.push((run, asked));
            }
        }
        let before = std::mem::replace(&mut self.runs, now);
        for ended in events.iter().filter_map(|(run, asked)| end_of(run, asked)) {
            let (first, last) = self.uncovered.unwrap_or((ended, ended));
            self.uncovered = Some((first.min(ended), last.max(ended)));
        }
        let is_to_write = read_began.is_some_and(|began| self.cover(began));
        if read_began.is_none() {
            let unread = before.into_iter().filter(|(_, (target, _))| !read.contains(target));
            self.runs.extend(unread.take(MAX_UNREAD));
        }
        Advance { events, is_to_write }
    }

    /// Moves [`Self::until`] to the beginning of a whole read. Whether it is to be written.
    fn cover(&mut self, read_began: Timestamp) -> bool {
        let until = read_began.saturating_sub(CLOCK_SKEW).unwrap_or(read_began);
        let until = self.until.map_or(until, |before| before.max(until));
        let is_first = self.until.replace(until).is_none();
        let Some((_, last)) = self.uncovered.filter(|(first, _)| *first < until) else { return is_first };
        self.uncovered = (last >= until).then_some((last, last));
        true
    }

    /// Whether a run that no picture had before is to be reported.
    fn is_new(&self, run: &RunSight, is_newest: bool) -> bool {
        match (run.stage, self.until) {
            (Stage::Pending | Stage::Running, _) => true,
            (Stage::Ended(_), None) => is_newest,
            (Stage::Ended(_), Some(until)) => run.time_of(run.stage.event()).is_some_and(|ended| ended >= until),
        }
    }
}

/// When a run ended of which the end is among these events.
fn end_of(run: &RunSight, asked: &[EventType]) -> Option<Timestamp> {
    asked.iter().find(|event| event.is_end()).and_then(|end| run.time_of(*end))
}

/// The newest run of each target: the one that began last.
fn newest(picture: &[RunSight]) -> BTreeSet<Uuid> {
    let mut newest: BTreeMap<&Target, &RunSight> = BTreeMap::new();
    for run in picture {
        let known = newest.entry(&run.target).or_insert(run);
        if run.time_of(EventType::Start) > known.time_of(EventType::Start) {
            *known = run;
        }
    }
    newest.values().map(|run| run_id(&run.id)).collect()
}

#[cfg(test)]
mod tests;
