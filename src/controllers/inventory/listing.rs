//! Which items the status lists, in which order, and how many bytes they take. Pure.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::api::inventory::{Count, Counts, Item, ItemType};
use crate::glue::inventory::Picture;
use crate::glue::inventory::demand::Selected;

/// The most bytes of all listed items as JSON. The API server admits objects of some 1.5 MB, and etcd requests of as much.
pub const MAX_BYTES: usize = 900_000;

/// The items that are listed.
#[derive(Debug, Default)]
pub struct Listing {
    /// In their order.
    pub items: Vec<Item>,
    /// How many more Glue has.
    pub unlisted: u32,
}

/// Lists the items that need a look first: at most `most`, and at most [`MAX_BYTES`].
#[must_use]
pub fn list(mut items: Vec<Item>, most: u32) -> Listing {
    items.sort_by_cached_key(order);
    let present = |items: &[Item]| items.iter().filter(|item| item.deleted_at.is_none()).count();
    let total = present(&items);
    items.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let mut bytes = 0;
    let fitting = items.iter().take_while(|item| {
        bytes += size(item);
        bytes <= MAX_BYTES
    });
    let fitting = fitting.count();
    items.truncate(fitting);
    let unlisted = u32::try_from(total - present(&items)).unwrap_or(u32::MAX);
    Listing { items, unlisted }
}

/// The bytes of an item as JSON, with the comma behind it.
fn size(item: &Item) -> usize {
    serde_json::to_vec(item).map_or(usize::MAX / 2, |json| json.len() + 1)
}

/// Those that fail first, then those that run, deleted ones, those that have run, and the rest; each in the order of their
/// newest runs, and then by name.
fn order(item: &Item) -> (u8, Reverse<Option<Timestamp>>, ItemType, String) {
    let rank = match item {
        Item { deleted_at: Some(_), .. } => 2,
        Item { failing: true, .. } => 0,
        item if is_running(item) => 1,
        Item { last_run: Some(_), .. } => 3,
        _ => 4,
    };
    let started_at = item.last_run.as_ref().and_then(|run| run.started_at.as_ref()).map(|time| time.0);
    let seen_at = item.deleted_at.as_ref().map(|time| time.0).or(started_at);
    (rank, Reverse(seen_at), item.type_, item.name.clone())
}

/// Whether the newest run of the item has not ended.
fn is_running(item: &Item) -> bool {
    item.deleted_at.is_none()
        && item.type_ != ItemType::Trigger
        && matches!(item.state.as_str(), "STARTING" | "RUNNING" | "STOPPING" | "WAITING")
}

/// The number of items of each type that Glue has, of those that fail, and of those that run.
#[must_use]
pub fn count(selected: &Selected, picture: &Picture, items: &[Item]) -> (Counts, u32, u32) {
    let mut counts = Counts::default();
    for type_ in ItemType::ALL {
        let is_whole = match type_ {
            ItemType::Job => picture.jobs.is_whole,
            ItemType::Crawler => picture.crawlers.is_whole,
            ItemType::Trigger => picture.triggers.is_whole,
            ItemType::Workflow => picture.workflows.is_whole,
        };
        if !selected.reads(type_) || !is_whole {
            continue;
        }
        let mut count = Count::default();
        for item in items.iter().filter(|item| item.type_ == type_) {
            count.total += 1;
            *count.states.entry(item.state.clone()).or_default() += 1;
        }
        *counts.of_mut(type_) = Some(count);
    }
    let number =
        |is_such: &dyn Fn(&&Item) -> bool| u32::try_from(items.iter().filter(is_such).count()).unwrap_or(u32::MAX);
    let (failing, running) = (number(&|item| item.failing), number(&|item| is_running(item)));
    (counts, failing, running)
}
