//! Reads the pages of a list, newest first: as far as that makes a poll cheapest, or as far as a search needs.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Extras;
use super::calls::Calls;
use super::list_plan::{ListPlan, NextCall};
use crate::glue::Error;

/// How many pages a search reads at most.
pub(crate) const MOST_PAGES: usize = 100;
/// How long a search takes at most: meanwhile its object is not stopped or deleted.
pub(crate) const LONGEST_SEARCH: Duration = Duration::from_mins(1);

/// A page of a list, newest first.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The token of the next page.
    pub next: Option<String>,
}

/// What the pages of a list showed.
#[derive(Debug)]
pub struct Listing<T> {
    plan: ListPlan,
    /// The items by id, each with its page.
    pub items: HashMap<String, (T, usize)>,
    /// How many pages were read.
    pub pages: usize,
    /// Why the next page could not be read.
    pub error: Option<Arc<Error>>,
}

impl<T> Listing<T> {
    /// The page of an item that the list has not shown.
    pub fn page_of_missing(&self, before: Option<usize>) -> Option<usize> {
        self.plan.page_of_missing(before)
    }
}

/// Lists as many pages as make the poll cheapest. `wanted` are the ids that are polled, each with the page that showed it
/// last.
pub async fn list<T, F>(
    calls: &mut Calls,
    wanted: impl Iterator<Item = (String, Option<usize>)>,
    extras: Extras,
    id: impl Fn(&T) -> &str,
    read: impl Fn(Option<String>) -> F,
) -> Listing<T>
where
    T: Send,
    F: Future<Output = Result<Page<T>, Error>> + Send,
{
    let wanted: HashMap<String, Option<usize>> = wanted.collect();
    let prefers_list = extras.history || extras.siblings;
    let plan = ListPlan::new(wanted.values().copied(), prefers_list);
    let mut list = Listing { plan, items: HashMap::new(), pages: 0, error: None };
    let mut token = None;
    while list.plan.next() == NextCall::ListPage {
        let page = match calls.make(read(token.take())).await {
            Ok(page) => page,
            Err(error) => {
                // A page that was only preferred hides nothing: its items are read one by one.
                list.error = Some(error).filter(|_| list.plan.cheapest() == NextCall::ListPage);
                break;
            }
        };
        // An item that a new one has pushed down between two calls is on both pages.
        let is_new = |item: &&T| !list.items.contains_key(id(item));
        let shown: Vec<_> = page.items.iter().filter(is_new).filter_map(|item| wanted.get(id(item))).copied().collect();
        list.plan.on_page(shown.into_iter());
        let pages = list.pages;
        list.items.extend(page.items.into_iter().map(|item| (id(&item).to_owned(), (item, pages))));
        list.pages += 1;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    list
}

/// Reads the pages of a list until `is_enough` accepts one, the list ends, or [`MOST_PAGES`] were read. Whether it has read all
/// that it must: not in the last case.
///
/// # Errors
///
/// A page cannot be read, or the search would take longer than [`LONGEST_SEARCH`]. `operation` and `object` are those of the
/// error then.
pub(crate) async fn read_until<T, F>(
    operation: &'static str,
    object: &str,
    read: impl Fn(Option<String>) -> F,
    mut is_enough: impl FnMut(Vec<T>) -> bool,
) -> Result<bool, Error>
where
    F: Future<Output = Result<Page<T>, Error>>,
{
    let search = async {
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let page = read(token).await?;
            token = page.next;
            if is_enough(page.items) || token.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    tokio::time::timeout(LONGEST_SEARCH, Box::pin(search)).await.unwrap_or_else(|_| {
        let message = "the search through the list of runs takes too long, such as where AWS throttles the calls";
        Err(Error::search_not_finished(operation, object.to_owned(), message))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// How many pages were read of a list of so many, and whether that was enough.
    async fn read(pages: usize, enough: usize) -> (usize, bool) {
        let count = Cell::new(0);
        let page = async |_: Option<String>| {
            count.set(count.get() + 1);
            Ok(Page { items: vec![count.get()], next: (count.get() < pages).then(String::new) })
        };
        let is_enough = read_until("GetJobRuns", "job etl", page, |items| items == [enough]).await.expect("an answer");
        (count.get(), is_enough)
    }

    #[tokio::test]
    async fn a_list_is_read_as_far_as_needed_and_not_for_ever() {
        assert_eq!(read(5, 3).await, (3, true));
        assert_eq!(read(5, 9).await, (5, true));
        assert_eq!(read(MOST_PAGES, 0).await, (MOST_PAGES, true));
        assert_eq!(read(usize::MAX, 0).await, (MOST_PAGES, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_search_that_takes_too_long_ends_with_an_error() {
        let page = async |_: Option<String>| {
            tokio::time::sleep(LONGEST_SEARCH / 10).await;
            Ok(Page { items: vec![0], next: Some(String::new()) })
        };
        let error = read_until("GetJobRuns", "job etl", page, |_| false).await.expect_err("an error");
        assert_eq!((error.code.as_str(), error.object.as_str()), ("SearchNotFinished", "job etl"));
    }
}
