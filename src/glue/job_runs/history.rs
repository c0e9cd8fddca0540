//! What is known of the history of one job's runs, and what must be listed to answer a search. Pure.
//!
//! Glue finds no run by its arguments, so a search lists runs, newest first. What it lists serves all later searches in
//! the job: those list only what is new, and go on down the list where an earlier one stopped, also after an error.
//!
//! A search needs everything that Glue shows at the time it begins. So the newest runs are listed again for each search,
//! down to [`OVERLAP`] before the newest that was known; a search that was asked for before such a listing began shares
//! it.
//!
//! Glue keeps runs for 90 days (AWS Glue developer guide, "Job runs") or 365 (API reference, `GetJobRun`). A search
//! looks through [`MOST_PAGES`] pages at most: what is older than those runs is not found. Where a search must go back to a
//! time that is older, [`History::goes_back_to`] says so.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::fingerprint::Fingerprint;

/// How many pages of the list a search looks through: 50,000 runs, in full pages.
const MOST_PAGES: usize = 250;
/// How many runs are kept: some 6 MB.
const MOST_ENTRIES: usize = 50_000;
/// Runs that are newer than this, before the newest known one, are listed again: Glue may show a run only some
/// seconds after it has started.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// A token of the list is not used after this time.
const TOKEN_AGE: Duration = Duration::from_mins(10);

/// A run as a search needs it. It has no arguments: they may contain secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HistoryRun {
    /// The run id.
    pub id: Box<str>,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// Whether the run has ended.
    pub is_final: bool,
    /// What stands for its arguments; `None` for a run that no [`RunMatcher`](super::RunMatcher) can match.
    pub fingerprint: Option<Fingerprint>,
}

/// A page of the history, newest first.
#[derive(Clone, Debug)]
pub(crate) struct HistoryPage {
    /// The runs.
    pub runs: Vec<HistoryRun>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// What a search does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// List a page, by its token or from the top.
    List(Part, Option<String>),
    /// Everything that the search needs is known.
    Done,
}

/// A part of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What may be newer than the known runs.
    Head,
    /// What is older than the known runs.
    Tail,
}

/// A run that some matcher can match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Box<str>,
    pub(super) is_final: bool,
    /// By Glue's clock; that of the next newer run, where Glue shows none.
    at: Timestamp,
    fingerprint: Fingerprint,
}

/// What is known of the runs of one job.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Newest first.
    entries: Vec<Entry>,
    /// When the listing began that showed the newest of them.
    as_of: Option<Instant>,
    /// When the newest known run started.
    newest: Option<Timestamp>,
    /// A listing of new runs that has not come down to the known ones yet.
    head: Option<Listing>,
    /// Where the list goes on below the known runs.
    tail: Option<Listing>,
    /// Whether older runs than the known ones were listed and forgotten.
    is_cut: bool,
}

/// A listing that goes on.
#[derive(Debug)]
struct Listing {
    begun: Instant,
    token: String,
    token_from: Instant,
    pages: usize,
    newest: Option<Timestamp>,
    oldest: Timestamp,
    entries: Vec<Entry>,
}

impl History {
    /// The next call for a search that was asked for at `asked`, through runs that started at `since` or later.
    pub(super) fn next(&mut self, asked: Instant, since: Option<Timestamp>, now: Instant) -> Next {
        let is_stale = |listing: &Listing| now.saturating_duration_since(listing.token_from) > TOKEN_AGE;
        if self.head.as_ref().is_some_and(is_stale) {
            self.head = None;
        }
        if let Some(head) = &self.head {
            return Next::List(Part::Head, Some(head.token.clone()));
        }
        if self.as_of.is_none_or(|as_of| as_of < asked) {
            return Next::List(Part::Head, None);
        }
        match &self.tail {
            Some(tail) if tail.pages >= MOST_PAGES || since.is_some_and(|since| tail.oldest < since) => Next::Done,
            Some(tail) if is_stale(tail) => {
                *self = Self::default();
                Next::List(Part::Head, None)
            }
            Some(tail) => Next::List(Part::Tail, Some(tail.token.clone())),
            None => Next::Done,
        }
    }

    /// Takes the page that [`History::next`] asked for, and that was asked for at `sent`.
    pub(super) fn on_page(&mut self, part: Part, page: HistoryPage, sent: Instant) {
        let before = match part {
            Part::Head => self.head.take(),
            Part::Tail => self.tail.take(),
        };
        let mut listing = before.unwrap_or_else(|| Listing {
            begun: sent,
            token: String::new(),
            token_from: sent,
            pages: 0,
            newest: None,
            oldest: Timestamp::MAX,
            entries: Vec::new(),
        });
        for run in page.runs {
            listing.newest = listing.newest.or(run.started_on);
            listing.oldest = run.started_on.unwrap_or(listing.oldest);
            let (at, is_final) = (listing.oldest, run.is_final);
            let entry = run.fingerprint.map(|fingerprint| Entry { id: run.id, is_final, at, fingerprint });
            listing.entries.extend(entry);
        }
        listing.pages += 1;
        let ends = page.next.is_none();
        listing.token = page.next.unwrap_or_default();
        listing.token_from = sent;
        match part {
            Part::Tail => {
                self.entries.append(&mut listing.entries);
                self.tail = Some(listing).filter(|_| !ends);
            }
            Part::Head => self.on_head(listing, ends),
        }
        if self.entries.len() > MOST_ENTRIES {
            // What is cut off counts as too old to be found.
            self.entries.truncate(MOST_ENTRIES);
            self.tail = None;
            self.is_cut = true;
        }
    }

    /// Joins the newest runs with the known ones, if the listing has come down to them.
    fn on_head(&mut self, mut listing: Listing, ends: bool) {
        let known_below = self.newest.and_then(|newest| newest.checked_sub(OVERLAP).ok());
        if !ends && known_below.is_some_and(|known_below| listing.oldest >= known_below) {
            self.head = Some(listing);
            return;
        }
        let mut entries = std::mem::take(&mut listing.entries);
        (self.as_of, self.newest) = (Some(listing.begun), listing.newest.or(self.newest));
        // An earlier listing may have stopped above the place that this one has come down to.
        let is_deeper = ends || self.tail.as_ref().is_some_and(|tail| listing.oldest <= tail.oldest);
        match known_below {
            Some(known_below) if !is_deeper => {
                entries.retain(|entry| entry.at >= known_below);
                entries.extend(self.entries.drain(..).filter(|entry| entry.at < known_below));
            }
            Some(_) | None => (self.tail, self.is_cut) = (Some(listing).filter(|_| !ends), false),
        }
        self.entries = entries;
    }

    /// The runs whose fingerprint `is_match` accepts and that started at `since` or later, newest first.
    pub(super) fn matching(
        &self,
        is_match: impl Fn(&Fingerprint) -> bool,
        since: Option<Timestamp>,
    ) -> impl Iterator<Item = &Entry> {
        let is_since = move |entry: &&Entry| since.is_none_or(|since| entry.at >= since);
        self.entries.iter().filter(is_since).filter(move |entry| is_match(&entry.fingerprint))
    }

    /// Whether all runs are known that started at `since` or later.
    pub(super) fn goes_back_to(&self, since: Timestamp) -> bool {
        match &self.tail {
            Some(tail) => tail.oldest < since,
            None => !self.is_cut || self.entries.last().is_some_and(|oldest| oldest.at < since),
        }
    }

    /// How many runs it keeps.
    pub(super) fn len(&self) -> usize {
        self.entries.len() + self.head.as_ref().map_or(0, |head| head.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PAGE: usize = 5;

    /// The list of a job: the runs' start times in seconds and fingerprints, newest first.
    #[derive(Debug, Default)]
    struct Job {
        runs: Vec<(i64, u64)>,
    }

    impl Job {
        fn start(&mut self, at: i64, fingerprint: u64) {
            self.runs.insert(0, (at, fingerprint));
        }

        fn page(&self, token: Option<&str>) -> HistoryPage {
            // A token names the last run of the page before, as a cursor does.
            let older: Vec<_> = match token {
                None => self.runs.iter().collect(),
                Some(token) => self.runs.iter().filter(|(at, _)| *at < token.parse().expect("a number")).collect(),
            };
            let page = older.iter().take(PAGE);
            let runs: Vec<_> = page
                .map(|(at, fingerprint)| HistoryRun {
                    id: at.to_string().into(),
                    started_on: Timestamp::from_second(*at).ok(),
                    is_final: true,
                    fingerprint: (*fingerprint > 0).then_some(Fingerprint::Key(*fingerprint)),
                })
                .collect();
            let next = (older.len() > PAGE).then(|| older[PAGE - 1].0.to_string());
            HistoryPage { runs, next }
        }
    }

    /// Lists until the search is done or `fails` pages were read. The pages, and whether it is done.
    fn list(history: &mut History, job: &Job, asked: Instant, since: Option<Timestamp>, fails: usize) -> (usize, bool) {
        for pages in 0..fails {
            match history.next(asked, since, asked) {
                Next::Done => return (pages, true),
                Next::List(part, token) => history.on_page(part, job.page(token.as_deref()), asked),
            }
        }
        (fails, history.next(asked, since, asked) == Next::Done)
    }

    fn found(history: &History, fingerprint: u64, since: Option<Timestamp>) -> Vec<i64> {
        history
            .matching(move |of| *of == Fingerprint::Key(fingerprint), since)
            .map(|entry| entry.id.parse().expect("a number"))
            .collect()
    }

    #[test]
    fn one_listing_serves_all_keys_and_later_searches_list_what_is_new() {
        let (mut job, mut history, start) = (Job::default(), History::default(), Instant::now());
        for run in 0..100 {
            job.start(run * 1000, u64::try_from(run).unwrap_or_default());
        }
        assert_eq!(list(&mut history, &job, start, None, 100), (20, true));
        assert_eq!((found(&history, 7, None), found(&history, 70, None)), (vec![7000], vec![70_000]));
        assert_eq!(list(&mut history, &job, start, None, 100), (0, true), "it was asked for before the listing began");
        let later = start + Duration::from_mins(1);
        job.start(100_000, 7);
        assert_eq!(list(&mut history, &job, later, None, 100), (1, true));
        assert_eq!(found(&history, 7, None), [100_000, 7000]);
        let much_later = later + TOKEN_AGE * 10;
        assert_eq!(list(&mut history, &job, much_later, None, 100), (1, true), "a whole list needs no token");
    }

    #[test]
    fn a_search_goes_on_where_an_error_stopped_it_and_no_further_than_it_must() {
        let (mut job, mut history, start) = (Job::default(), History::default(), Instant::now());
        for run in 0..100 {
            job.start(run * 1000, 1);
        }
        let since = Timestamp::from_second(72_000).ok();
        assert_eq!(list(&mut history, &job, start, since, 3), (3, false));
        assert_eq!(list(&mut history, &job, start, since, 100), (3, true), "three more pages of six");
        assert_eq!(found(&history, 1, since).len(), 28);
        // After a long time the token is not used any more.
        let late = start + TOKEN_AGE * 2;
        assert_eq!(list(&mut history, &job, late, None, 100), (1 + 20, true));
    }

    #[test]
    fn a_listing_that_passes_what_is_known_loses_no_run_and_lists_none_again() {
        // A burst of runs within `OVERLAP`, and older ones below it.
        for (burst, older, calls) in [(5, 3, 2), (14, 7, 5), (5, 20, 5), (30, 1, 7)] {
            let (mut job, mut history, start) = (Job::default(), History::default(), Instant::now());
            (0..older).for_each(|run| job.start(run, 1));
            (0..burst).for_each(|run| job.start(100_000 + run, 1));
            assert_eq!(list(&mut history, &job, start, None, 1), (1, false), "an error after the first page");
            let later = start + Duration::from_secs(1);
            assert_eq!(list(&mut history, &job, later, None, 100), (calls, true), "{burst} and {older} runs");
            let all: Vec<_> = job.runs.iter().map(|(at, _)| *at).collect();
            assert_eq!(found(&history, 1, None), all, "{burst} and {older} runs");
        }
    }

    #[test]
    fn a_search_ends_after_the_most_pages() {
        let (mut history, start) = (History::default(), Instant::now());
        for page in 0.. {
            let Next::List(part, _) = history.next(start, None, start) else {
                assert_eq!(page, MOST_PAGES);
                break;
            };
            let next = Some(page.to_string());
            history.on_page(part, HistoryPage { runs: Vec::new(), next }, start);
        }
    }

    proptest! {
        #[test]
        fn a_finished_search_knows_what_the_list_showed_when_it_was_asked_for(
            steps in prop::collection::vec((0..4_usize, 0..4_u64, 1..200_i64, 1..30_usize), 1..120),
            since in prop::option::of(0..5000_i64),
        ) {
            let (mut job, mut history) = (Job::default(), History::default());
            let (mut now, mut clock) = (Instant::now(), 0);
            let since = since.map(|since| Timestamp::from_second(since).expect("a time"));
            for (step, fingerprint, pause, fails) in steps {
                clock += pause;
                now += Duration::from_secs(u64::try_from(pause).expect("a pause"));
                if step < 3 {
                    job.start(clock, fingerprint);
                    continue;
                }
                let (_, is_done) = list(&mut history, &job, now, since, fails);
                for fingerprint in 1..4 {
                    let found = found(&history, fingerprint, since);
                    let since = since.map_or(i64::MIN, Timestamp::as_second);
                    let all = job.runs.iter().filter(|(at, of)| *of == fingerprint && *at >= since).map(|(at, _)| *at);
                    let all: Vec<_> = all.collect();
                    if is_done {
                        prop_assert_eq!(&found, &all);
                    } else {
                        prop_assert!(found.iter().all(|run| all.contains(run)));
                        prop_assert!(found.windows(2).all(|pair| pair[0] > pair[1]), "no run twice");
                    }
                }
            }
        }
    }
}
