//! How far a poll lists the runs of a job or a workflow, and which runs it reads one by one: the fewest calls that show all. Pure.
//!
//! The list is newest first, and a run moves down it as newer ones start. Each run is remembered with the page that
//! showed it last. Listing down to page p costs p + 1 calls and shows all runs up to there; each run below costs a call of
//! its own. So one old run behind hundreds of newer ones is read by id, and fifty runs of one job with one page. No size
//! of a page is assumed.
//!
//! A run that is not on its page any more is expected on the next. Where the list does not show it there either, it
//! may be far below: the poll lists on for as many pages as reading such runs one by one would cost, and
//! then reads them. They are remembered as below what was listed, which the next poll takes into account.

use std::collections::BTreeMap;

/// What a poll does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextCall {
    /// Read the next page of the list.
    ListPage,
    /// Read the runs that the list has not shown, one by one. There may be none.
    ReadEach,
}

/// The progress of one poll.
#[derive(Clone, Debug)]
pub(crate) struct ListPlan {
    /// How many of the runs that are not shown yet have which page.
    missing: BTreeMap<usize, usize>,
    /// How many pages were listed.
    listed: usize,
    /// How many pages showed none of the runs, while some were looked for that were not on their page.
    in_vain: usize,
    /// Whether the list is read where reading the runs one by one takes as many calls.
    prefers_list: bool,
}

impl ListPlan {
    /// A plan for runs with these pages. A run that was never seen is expected on the first page, where a new one is.
    /// `prefers_list` has a page read where reading a run takes a call, too: it also shows other runs.
    pub(crate) fn new(pages: impl Iterator<Item = Option<usize>>, prefers_list: bool) -> Self {
        let mut missing = BTreeMap::new();
        for page in pages {
            *missing.entry(page.unwrap_or(0)).or_insert(0) += 1;
        }
        Self { missing, listed: 0, in_vain: 0, prefers_list }
    }

    /// The next call.
    pub(crate) fn next(&self) -> NextCall {
        if self.prefers_list && self.listed == 0 && self.missing.contains_key(&0) {
            return NextCall::ListPage;
        }
        self.cheapest()
    }

    /// The call that makes the poll cheapest.
    pub(crate) fn cheapest(&self) -> NextCall {
        let all: usize = self.missing.values().sum();
        let late = self.late();
        let may_follow = self.in_vain < late;
        let mut left = all;
        if may_follow {
            left -= late;
        }
        let is_cheaper = |pages: usize, left: usize| pages + left < all;
        if is_cheaper(1, left) {
            return NextCall::ListPage;
        }
        for (page, count) in self.missing.range(self.listed..) {
            left -= count;
            if is_cheaper(page + 1 - self.listed, left) {
                return NextCall::ListPage;
            }
        }
        NextCall::ReadEach
    }

    /// A page was listed, which showed the runs with these pages.
    pub(crate) fn on_page(&mut self, shown: impl Iterator<Item = Option<usize>>) {
        let mut is_vain = self.late() > 0;
        for page in shown {
            is_vain = false;
            let page = page.unwrap_or(0);
            if let Some(count) = self.missing.get_mut(&page) {
                *count -= 1;
                if *count == 0 {
                    self.missing.remove(&page);
                }
            }
        }
        self.listed += 1;
        self.in_vain += usize::from(is_vain);
    }

    /// How many runs were not on their page.
    fn late(&self) -> usize {
        self.missing.range(..self.listed).map(|(_, count)| count).sum()
    }

    /// The page of a run that the list has not shown.
    pub(crate) fn page_of_missing(&self, before: Option<usize>) -> Option<usize> {
        before.max((self.listed > 0).then_some(self.listed))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Polls runs that are on the pages `truth`, and of which `known` are known. The calls, and what is known then.
    fn poll(truth: &[usize], known: &[Option<usize>], pages: usize) -> (usize, Vec<Option<usize>>) {
        let mut plan = ListPlan::new(known.iter().copied(), false);
        let (mut shown, mut calls, mut page) = (vec![None; truth.len()], 0, 0);
        while page < pages && plan.next() == NextCall::ListPage {
            let on_page: Vec<_> = (0..truth.len()).filter(|run| truth[*run] == page).collect();
            plan.on_page(on_page.iter().map(|run| known[*run]));
            for run in on_page {
                shown[run] = Some(page);
            }
            (page, calls) = (page + 1, calls + 1);
        }
        let missing = shown.iter().filter(|shown| shown.is_none()).count();
        let after = shown.iter().zip(known).map(|(shown, known)| shown.or_else(|| plan.page_of_missing(*known)));
        (calls + missing, after.collect())
    }

    /// The fewest calls that show all runs.
    fn fewest(truth: &[usize], pages: usize) -> usize {
        let cost = |listed: usize| listed + truth.iter().filter(|page| **page >= listed).count();
        (0..=pages).map(cost).min().unwrap_or(0)
    }

    #[test]
    fn the_cheaper_way_is_taken() {
        for (truth, calls) in [
            (vec![], 0),
            (vec![0], 1),
            (vec![0; 50], 1),
            ([vec![0; 10], vec![7]].concat(), 2),
            (vec![2; 40], 3),
            ((0..500).map(|run| run / 200).collect(), 3),
        ] {
            let known: Vec<_> = truth.iter().map(|page| Some(*page)).collect();
            assert_eq!(poll(&truth, &known, 100).0, calls, "{truth:?}");
        }
    }

    #[test]
    fn the_list_is_preferred_where_it_costs_as_much() {
        for (known, next) in [
            (vec![None], NextCall::ListPage),
            (vec![Some(0)], NextCall::ListPage),
            (vec![Some(3)], NextCall::ReadEach),
            (vec![], NextCall::ReadEach),
        ] {
            let mut plan = ListPlan::new(known.iter().copied(), true);
            assert_eq!(plan.next(), next, "{known:?}");
            assert_eq!(plan.cheapest(), NextCall::ReadEach);
            plan.on_page(std::iter::empty());
            assert_eq!(plan.next(), NextCall::ReadEach, "one page, not more");
        }
    }

    #[test]
    fn all_runs_of_a_job_are_found_after_a_restart() {
        // 10,000 runs on 50 pages, none of which was seen.
        let truth: Vec<_> = (0..10_000).map(|run| run / 200).collect();
        let (calls, known) = poll(&truth, &vec![None; truth.len()], 50);
        assert_eq!(calls, 50);
        // All have moved down by a page since.
        let truth: Vec<_> = truth.iter().map(|page| page + 1).collect();
        assert_eq!(poll(&truth, &known, 51).0, 51);
        // 300 old runs below 30 pages of ended ones.
        let truth: Vec<_> = (0..300).map(|run| 30 + run / 200).collect();
        assert_eq!(poll(&truth, &vec![None; 300], 100).0, 32);
    }

    proptest! {
        #[test]
        fn no_poll_costs_much_more_than_the_fewest_calls_and_soon_hardly_more(
            runs in prop::collection::vec((0..60_usize, prop::option::of(0..60_usize)), 1..80),
        ) {
            let truth: Vec<_> = runs.iter().map(|(page, _)| *page).collect();
            // A run only moves down.
            let mut known: Vec<_> = runs.iter().map(|(page, known)| known.map(|known| known.min(*page))).collect();
            let fewest = fewest(&truth, 61);
            let mut costs = Vec::new();
            for _ in 0..12 {
                let (calls, after) = poll(&truth, &known, 61);
                for (before, after) in known.iter().zip(&after) {
                    prop_assert!(before <= after, "a page is not forgotten");
                }
                prop_assert!(after.iter().zip(&truth).all(|(known, truth)| known.is_none_or(|known| known <= *truth)));
                known = after;
                costs.push(calls);
            }
            prop_assert!(costs.iter().all(|cost| *cost <= 3 * runs.len() + 1), "{:?} of {}", costs, fewest);
            let late = &costs[costs.len() / 2..];
            prop_assert!(late.iter().all(|cost| *cost <= fewest + fewest / 5 + 2), "{:?} of {}", costs, fewest);
        }
    }
}
