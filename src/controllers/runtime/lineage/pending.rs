//! The reports that wait until their job was read. Pure.
//!
//! A job is read once for all reports that wait for it, and what was read serves later reports for a while. Of one client
//! only a few jobs are read at once, so that credentials that AWS does not answer keep no other namespace waiting. The
//! reports of one job leave in the order in which they came.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::glue::rate_limiter::ClientId;
use crate::lineage::run::Target;

/// How long what was read of a job serves later reports.
const FRESH: Duration = Duration::from_mins(10);
/// The most jobs that are read at once.
const AT_ONCE: usize = 8;
/// The most jobs of one client that are read at once.
const OF_CLIENT: usize = 2;
/// The most reports that wait.
const CAPACITY: usize = 10_000;
/// The most jobs of which it is remembered what was read.
const REMEMBERED: usize = 1_000;

/// A job, crawler or workflow as one client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The client.
    pub client: ClientId,
    /// What is read.
    pub target: Target,
}

/// What becomes of a report.
#[derive(Debug, PartialEq, Eq)]
pub enum Added<R, F> {
    /// What was read serves it.
    Ready(R, F),
    /// It waits.
    Waits,
    /// Too many wait.
    Full(R),
}

#[derive(Debug)]
struct Job<R, F> {
    waiting: VecDeque<(R, Option<Instant>)>,
    /// What was read, and when that began.
    read: Option<(F, Instant)>,
    reading_since: Option<Instant>,
}

/// The reports `R`, and what was read of their jobs, `F`.
#[derive(Debug)]
pub struct Pending<R, F> {
    jobs: HashMap<Key, Job<R, F>>,
    /// The jobs that are to be read.
    queue: VecDeque<Key>,
    by_client: HashMap<ClientId, usize>,
    reading: usize,
    waiting: usize,
}

impl<R, F> Default for Pending<R, F> {
    fn default() -> Self {
        Self { jobs: HashMap::new(), queue: VecDeque::new(), by_client: HashMap::new(), reading: 0, waiting: 0 }
    }
}

impl<R, F: Clone> Pending<R, F> {
    /// Adds a report; its job must have been read after `read_after`, where that is given.
    pub fn add(&mut self, key: Key, report: R, read_after: Option<Instant>, now: Instant) -> Added<R, F> {
        self.forget_old(now);
        let new = || Job { waiting: VecDeque::new(), read: None, reading_since: None };
        let job = self.jobs.entry(key.clone()).or_insert_with(new);
        if job.waiting.is_empty()
            && let Some((read, at)) = &job.read
            && now.saturating_duration_since(*at) < FRESH
            && read_after.is_none_or(|after| *at >= after)
        {
            return Added::Ready(report, read.clone());
        }
        if self.waiting >= CAPACITY {
            return Added::Full(report);
        }
        self.waiting += 1;
        if job.waiting.is_empty() && job.reading_since.is_none() {
            self.queue.push_back(key);
        }
        job.waiting.push_back((report, read_after));
        Added::Waits
    }

    /// The next job to read, with a report of it; it counts as being read from now on.
    pub fn next(&mut self, now: Instant) -> Option<(Key, &R)> {
        if self.reading >= AT_ONCE {
            return None;
        }
        let has_place = |key: &Key| self.by_client.get(&key.client).copied().unwrap_or_default() < OF_CLIENT;
        let position = self.queue.iter().position(has_place)?;
        let key = self.queue.remove(position)?;
        let job = self.jobs.get_mut(&key)?;
        job.reading_since = Some(now);
        self.reading += 1;
        *self.by_client.entry(key.client).or_default() += 1;
        let (report, _) = job.waiting.front()?;
        Some((key, report))
    }

    /// The job was read. Returns the reports that leave.
    pub fn answered(&mut self, key: &Key, read: F) -> Vec<(R, F)> {
        let Some(job) = self.jobs.get_mut(key) else { return Vec::new() };
        let Some(since) = job.reading_since.take() else { return Vec::new() };
        self.reading -= 1;
        if let Some(count) = self.by_client.get_mut(&key.client) {
            *count -= 1;
            if *count == 0 {
                self.by_client.remove(&key.client);
            }
        }
        let mut leaving = Vec::new();
        // One that came while the job was being read may be about what has changed since.
        while let Some((_, after)) = job.waiting.front()
            && after.is_none_or(|after| since >= after)
            && let Some((report, _)) = job.waiting.pop_front()
        {
            leaving.push((report, read.clone()));
        }
        self.waiting -= leaving.len();
        job.read = Some((read, since));
        if !job.waiting.is_empty() {
            self.queue.push_back(key.clone());
        }
        leaving
    }

    /// Forgets what was read too long ago, where much was.
    fn forget_old(&mut self, now: Instant) {
        if self.jobs.len() < REMEMBERED {
            return;
        }
        let is_used = |job: &Job<R, F>| !job.waiting.is_empty() || job.reading_since.is_some();
        let is_fresh =
            |job: &Job<R, F>| job.read.as_ref().is_some_and(|(_, at)| now.saturating_duration_since(*at) < FRESH);
        self.jobs.retain(|_, job| is_used(job) || is_fresh(job));
        if self.jobs.len() >= REMEMBERED {
            self.jobs.retain(|_, job| is_used(job));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::run::JobKind;

    fn key(client: ClientId, job: &str) -> Key {
        Key { client, target: Target::new(JobKind::Job, job) }
    }

    #[test]
    fn a_job_is_read_once_for_all_that_wait_and_serves_for_a_while() {
        let (mut pending, now, etl) = (Pending::<u8, char>::default(), Instant::now(), key(ClientId::next(), "etl"));
        assert_eq!(pending.add(etl.clone(), 1, None, now), Added::Waits);
        assert_eq!(pending.add(etl.clone(), 2, None, now), Added::Waits);
        assert_eq!(pending.next(now).map(|(key, report)| (key, *report)), Some((etl.clone(), 1)));
        assert!(pending.next(now).is_none());
        assert_eq!(pending.add(etl.clone(), 3, None, now), Added::Waits);
        assert_eq!(pending.answered(&etl, 'a'), [(1, 'a'), (2, 'a'), (3, 'a')]);
        assert_eq!(pending.add(etl.clone(), 4, None, now), Added::Ready(4, 'a'));
        assert_eq!(pending.add(etl.clone(), 5, None, now + FRESH), Added::Waits);
        assert!(pending.next(now + FRESH).is_some());
    }

    #[test]
    fn what_may_have_changed_the_job_waits_until_it_is_read_again_and_nothing_overtakes_it() {
        let (mut pending, start, raw) = (Pending::<u8, char>::default(), Instant::now(), key(ClientId::next(), "raw"));
        let second = |n| start + Duration::from_secs(n);
        assert_eq!(pending.add(raw.clone(), 1, None, second(0)), Added::Waits);
        assert!(pending.next(second(0)).is_some());
        assert_eq!(pending.add(raw.clone(), 2, Some(second(1)), second(1)), Added::Waits);
        assert_eq!(pending.add(raw.clone(), 3, None, second(1)), Added::Waits);
        assert_eq!(pending.answered(&raw, 'a'), [(1, 'a')]);
        assert!(pending.next(second(2)).is_some());
        assert_eq!(pending.answered(&raw, 'b'), [(2, 'b'), (3, 'b')]);
        assert!(pending.next(second(2)).is_none());
        assert_eq!(pending.add(raw, 4, Some(second(3)), second(3)), Added::Waits);
    }

    #[test]
    fn few_jobs_of_one_client_are_read_at_once_and_others_pass() {
        let (mut pending, now) = (Pending::<usize, char>::default(), Instant::now());
        let [slow, other] = [ClientId::next(), ClientId::next()];
        for number in 0..5 {
            assert_eq!(pending.add(key(slow, &number.to_string()), number, None, now), Added::Waits);
        }
        assert_eq!(pending.add(key(other, "etl"), 9, None, now), Added::Waits);
        let first = pending.next(now).map(|(key, _)| key).expect("a job");
        assert_eq!((first.client, pending.next(now).expect("a job").0.client), (slow, slow));
        assert_eq!(pending.next(now).map(|(key, report)| (key.client, *report)), Some((other, 9)));
        assert!(pending.next(now).is_none());
        assert_eq!(pending.answered(&first, 'a').len(), 1);
        assert!(pending.next(now).is_some());
    }

    #[test]
    fn what_waits_and_what_is_remembered_is_bounded() {
        let (mut pending, now, client) = (Pending::<usize, char>::default(), Instant::now(), ClientId::next());
        for number in 0..3 * REMEMBERED {
            let key = key(client, &number.to_string());
            assert_eq!(pending.add(key.clone(), number, None, now), Added::Waits);
            assert!(pending.next(now).is_some());
            assert_eq!(pending.answered(&key, 'a').len(), 1);
        }
        assert!(pending.jobs.len() <= REMEMBERED);
        let etl = key(client, "etl");
        for number in 0..CAPACITY {
            assert_eq!(pending.add(etl.clone(), number, None, now), Added::Waits);
        }
        assert_eq!(pending.add(etl, 7, None, now), Added::Full(7));
    }
}
