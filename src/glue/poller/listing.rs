//! Reads the pages of a list, newest first, as far as that makes a poll cheapest.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use super::Extras;
use super::calls::Calls;
use super::list_plan::{ListPlan, NextCall};
use crate::glue::Error;

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
