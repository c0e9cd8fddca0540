//! Log groups, their streams and their events.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use serde::{Deserialize, Serialize};

use super::missing;
use crate::{clock::Time, error::AwsError};

/// The log groups of an account and region.
#[derive(Debug, Default)]
pub struct LogStore {
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) pages: LogPages,
    /// Tokens of earlier generations have expired.
    pub(super) generation: u64,
    events: u64,
}

/// How pages of events are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct LogPages {
    /// The most events of a page; none is AWS's own bound.
    pub events: Option<usize>,
    /// Whether an empty page precedes each page with events: "a returned page might only be partially full, or even
    /// empty" (`GetLogEvents`, CloudWatch Logs API reference).
    pub with_empty_pages: bool,
}

/// A log group.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub created: Time,
    pub streams: BTreeMap<String, Stream>,
}

/// A log stream. Its events are sorted by their keys.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub created: Time,
    pub events: Vec<Event>,
}

/// The position of an event in its stream: its timestamp, and its number in the region.
pub(super) type Key = (i64, u64);

/// A log event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub key: Key,
    pub ingested: Time,
    pub message: Arc<str>,
}

impl LogStore {
    /// Sets how pages are cut from now on.
    pub fn set_pages(&mut self, pages: LogPages) {
        self.pages = pages;
    }

    /// Lets all tokens expire that were given out until now.
    pub fn expire_tokens(&mut self) {
        self.generation += 1;
    }

    /// Adds an event, and its group and stream where they do not exist.
    pub(crate) fn write(&mut self, group: &str, stream: &str, timestamp: Time, now: Time, message: Arc<str>) {
        let group = self.groups.entry(group.to_owned()).or_insert_with(|| Group { created: now, ..Group::default() });
        let stream = group.streams.entry(stream.to_owned());
        let stream = stream.or_insert_with(|| Stream { created: now, ..Stream::default() });
        self.events += 1;
        let event = Event { key: (timestamp.0, self.events), ingested: now, message };
        let at = stream.events.partition_point(|other| other.key < event.key);
        stream.events.insert(at, event);
    }

    pub(super) fn group(&self, name: &str) -> Result<&Group, AwsError> {
        self.groups.get(name).ok_or_else(|| missing("group"))
    }
}

impl Group {
    pub(super) fn stream(&self, name: &str) -> Result<&Stream, AwsError> {
        self.streams.get(name).ok_or_else(|| missing("stream"))
    }
}

impl Stream {
    /// The indices of the events from `start` until before `end`.
    pub(super) fn between(&self, start: Option<i64>, end: Option<i64>) -> Range<usize> {
        let before = |time: i64| self.events.partition_point(|event| event.key.0 < time);
        let first = start.map_or(0, before);
        first..end.map_or(self.events.len(), before).max(first)
    }
}

/// The most bytes of a page: 1 MB (`GetLogEvents`, CloudWatch Logs API reference).
const PAGE_BYTES: usize = 1_048_576;
/// The most events of a page.
const PAGE_EVENTS: usize = 10_000;

impl LogPages {
    /// How many of `events` a page takes.
    pub(super) fn fitting<'a>(self, events: impl Iterator<Item = &'a Event>, limit: Option<usize>) -> usize {
        let most = limit.unwrap_or(PAGE_EVENTS).min(self.events.unwrap_or(PAGE_EVENTS));
        let mut bytes = 0;
        events
            .take(most)
            .take_while(|event| {
                bytes += event.message.len();
                bytes <= PAGE_BYTES
            })
            .count()
    }
}
