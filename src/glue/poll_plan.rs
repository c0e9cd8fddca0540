//! The pure half of the poller: how long to wait, and the cheapest way to ask for a set of runs.

use std::time::Duration;

/// How long a group waits between two polls.
///
/// `base` is for few groups with young items. With many groups of one identity the pause grows, so that
/// all of them together ask about `60 / (0.15 * base)` times a minute at most (80 at the default of 5 s).
/// What has run for hours is asked for up to six times more rarely: nobody waits for that second.
#[must_use]
pub fn interval(base: Duration, groups: usize, youngest: Duration) -> Duration {
    #[allow(clippy::cast_precision_loss)]
    let spread = (groups as f64 * 0.15).max(1.0);
    let calm = (youngest.as_secs_f64() / 1200.0).clamp(1.0, 6.0);
    base.mul_f64(spread * calm)
}

/// What to ask for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Pages of the list, newest first; 0 for none.
    pub pages: usize,
    /// Runs to ask for one by one.
    pub by_id: Vec<String>,
}

/// The cheapest way to see every run in `wanted`, each with the page of the list on which it was seen
/// last (`None`: never seen there, which for a fresh run means the first page).
///
/// Listing down to page p costs p + 1 calls and shows all that stands above; each run below costs a
/// call of its own. One old run behind hundreds of newer ones is thus asked for by id, and fifty runs
/// of one job by one page.
#[must_use]
pub fn cheapest(wanted: &[(String, Option<usize>)]) -> Ask {
    let page_of = |page: &Option<usize>| page.unwrap_or(0);
    let deepest = wanted.iter().map(|(_, page)| page_of(page) + 1).max().unwrap_or(0);
    let pages = (0..=deepest)
        .min_by_key(|pages| pages + wanted.iter().filter(|(_, page)| page_of(page) >= *pages).count())
        .unwrap_or(0);
    let by_id = wanted.iter().filter(|(_, page)| page_of(page) >= pages).map(|(id, _)| id.clone()).collect();
    Ask { pages, by_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(pages: &[Option<usize>]) -> Vec<(String, Option<usize>)> {
        pages.iter().enumerate().map(|(n, page)| (format!("jr_{n}"), *page)).collect()
    }

    #[test]
    fn twenty_jobs_stay_under_a_hundred_calls_a_minute() {
        let pause = interval(Duration::from_secs(5), 20, Duration::ZERO);
        assert!(20.0 * 60.0 / pause.as_secs_f64() <= 100.0, "{pause:?}");
        assert_eq!(interval(Duration::from_secs(5), 1, Duration::ZERO), Duration::from_secs(5));
        assert_eq!(interval(Duration::from_secs(5), 1, Duration::from_hours(24)), Duration::from_secs(30));
    }

    #[test]
    fn one_run_is_asked_by_id_and_many_by_a_page() {
        assert_eq!(cheapest(&wanted(&[])), Ask { pages: 0, by_id: vec![] });
        assert_eq!(cheapest(&wanted(&[None])), Ask { pages: 0, by_id: vec!["jr_0".to_owned()] });
        assert_eq!(cheapest(&wanted(&[None; 50])), Ask { pages: 1, by_id: vec![] });
    }

    #[test]
    fn an_old_run_behind_newer_ones_is_asked_by_id() {
        let mut pages = vec![Some(0); 10];
        pages.push(Some(7));
        assert_eq!(cheapest(&wanted(&pages)), Ask { pages: 1, by_id: vec!["jr_10".to_owned()] });
        assert_eq!(cheapest(&wanted(&[Some(2); 40])), Ask { pages: 3, by_id: vec![] });
    }
}
