//! The poll interval of a group, and the cheapest calls that show a set of runs. Pure.

use std::time::Duration;

/// The pause between two polls of a group.
///
/// `base` applies to few groups with young items. With many groups of one client the interval grows, so that all of
/// them together make about `60 / (0.15 * base)` polls a minute at most (80 at the default of 5 s). The interval also
/// grows with the age of the youngest item, up to six times at two hours.
#[must_use]
pub fn interval(base: Duration, groups: usize, youngest: Duration) -> Duration {
    #[allow(clippy::cast_precision_loss)]
    let by_groups = (groups as f64 * 0.15).max(1.0);
    let by_age = (youngest.as_secs_f64() / 1200.0).clamp(1.0, 6.0);
    base.mul_f64(by_groups * by_age)
}

/// The calls of one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollCalls {
    /// How many pages of the list to read, newest first. May be 0.
    pub pages: usize,
    /// The runs to read one by one.
    pub by_id: Vec<String>,
}

/// The cheapest calls that show every run in `runs`. Each comes with the page of the list that showed it last;
/// `None` counts as the first page, where a new run is.
///
/// Listing down to page p costs p + 1 calls and shows all runs up to there. Each run below costs a call of its own.
/// So one old run behind hundreds of newer ones is read by id, and fifty runs of one job with one page.
#[must_use]
pub fn cheapest_calls(runs: &[(String, Option<usize>)]) -> PollCalls {
    let page_of = |page: &Option<usize>| page.unwrap_or(0);
    let deepest = runs.iter().map(|(_, page)| page_of(page) + 1).max().unwrap_or(0);
    let pages = (0..=deepest)
        .min_by_key(|pages| pages + runs.iter().filter(|(_, page)| page_of(page) >= *pages).count())
        .unwrap_or(0);
    let by_id = runs.iter().filter(|(_, page)| page_of(page) >= pages).map(|(id, _)| id.clone()).collect();
    PollCalls { pages, by_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(pages: &[Option<usize>]) -> Vec<(String, Option<usize>)> {
        pages.iter().enumerate().map(|(n, page)| (format!("jr_{n}"), *page)).collect()
    }

    #[test]
    fn twenty_groups_stay_under_a_hundred_calls_a_minute() {
        let pause = interval(Duration::from_secs(5), 20, Duration::ZERO);
        assert!(20.0 * 60.0 / pause.as_secs_f64() <= 100.0, "{pause:?}");
        assert_eq!(interval(Duration::from_secs(5), 1, Duration::ZERO), Duration::from_secs(5));
        assert_eq!(interval(Duration::from_secs(5), 1, Duration::from_hours(24)), Duration::from_secs(30));
    }

    #[test]
    fn one_run_is_read_by_id_and_many_with_a_page() {
        assert_eq!(cheapest_calls(&runs(&[])), PollCalls { pages: 0, by_id: vec![] });
        assert_eq!(cheapest_calls(&runs(&[None])), PollCalls { pages: 0, by_id: vec!["jr_0".to_owned()] });
        assert_eq!(cheapest_calls(&runs(&[None; 50])), PollCalls { pages: 1, by_id: vec![] });
    }

    #[test]
    fn an_old_run_behind_newer_ones_is_read_by_id() {
        let mut pages = vec![Some(0); 10];
        pages.push(Some(7));
        assert_eq!(cheapest_calls(&runs(&pages)), PollCalls { pages: 1, by_id: vec!["jr_10".to_owned()] });
        assert_eq!(cheapest_calls(&runs(&[Some(2); 40])), PollCalls { pages: 3, by_id: vec![] });
    }
}
