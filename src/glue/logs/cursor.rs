//! Reads one log stream: reports each event once, whatever happens to pages, calls and tokens. Pure.
//!
//! A *look* begins at a time without a token and follows the tokens from there. Within a look, each event comes once. A new
//! look begins where a token has expired, and from time to time ([`Cursor::look_again`]), since an event that is ingested
//! late lies before the token. Looks overlap: an event is new when the look has shown it more often than it was reported.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use super::{LogEvent, LogPage, PageStart};

/// How far back of the newest event a new look begins, in milliseconds. An event that is ingested later than that after
/// newer ones is not reported.
const OVERLAP: i64 = 10 * 60 * 1000;
/// The most events that are remembered for the next look: a look that begins later overlaps less.
const REMEMBERED: usize = 50_000;

/// Where the reader of a stream is.
#[derive(Debug)]
pub struct Cursor {
    /// No event before this time is reported, in milliseconds since the Unix epoch.
    from: i64,
    /// The look begins here.
    look_from: i64,
    /// Before this time, it is not known any more what was reported.
    known_from: i64,
    /// The token of the next page of this look.
    token: Option<String>,
    is_at_end: bool,
    /// How often each event from `look_from` on was reported, and shown in this look; by its time and the hash of the rest.
    counts: BTreeMap<(i64, u64), Count>,
    hashes: RandomState,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    reported: u32,
    shown: u32,
}

impl Cursor {
    /// Begins with the earliest event at or after this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn since(from: i64) -> Self {
        Self {
            from,
            look_from: from,
            known_from: from,
            token: None,
            is_at_end: false,
            counts: BTreeMap::new(),
            hashes: RandomState::new(),
        }
    }

    /// Begins with the events of a page that has been read, and goes on after it. What is ingested later with an older
    /// timestamp is not reported. The events of the page are returned.
    #[must_use]
    pub fn after(page: LogPage) -> (Self, Vec<LogEvent>) {
        let from = page.events.first().map_or(0, |event| event.timestamp);
        let mut cursor = Self::since(from);
        let events = cursor.read(page);
        // The page may not have all events of its first time.
        let from = from.saturating_add(1);
        (cursor.from, cursor.look_from, cursor.known_from) = (from, from, from);
        (cursor, events)
    }

    /// What is to be read next.
    #[must_use]
    pub fn next(&self) -> PageStart {
        match &self.token {
            Some(token) => PageStart::Token(token.clone(), self.look_from),
            None => PageStart::Time(self.look_from),
        }
    }

    /// A page was read. Returns what is new.
    pub fn read(&mut self, page: LogPage) -> Vec<LogEvent> {
        let is_at_end = page.next.is_none() || page.next == self.token;
        self.token = page.next;
        let mut events = page.events;
        let position = events.last().map(|event| event.timestamp);
        events.retain(|event| self.is_new(event));
        if let Some(position) = position {
            self.forget_before(position);
        }
        if self.token.is_none() {
            // A page without a token cannot be followed: what comes is found by the next look.
            self.begin_look();
        }
        self.is_at_end = is_at_end;
        events
    }

    /// AWS refused the token: it has expired.
    pub fn token_refused(&mut self) {
        self.begin_look();
    }

    /// Looks again for events that were ingested late. Without effect before the end of the stream was reached.
    pub fn look_again(&mut self) {
        if self.is_at_end {
            self.begin_look();
        }
    }

    /// Whether the next page is read by a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether everything that can be read now was read.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    fn begin_look(&mut self) {
        let newest = self.counts.last_key_value().map_or(self.from, |((time, _), _)| *time);
        self.look_from = self.known_from.max(newest.saturating_sub(OVERLAP));
        self.known_from = self.look_from;
        self.counts = self.counts.split_off(&(self.look_from, 0));
        self.counts.values_mut().for_each(|count| count.shown = 0);
        self.token = None;
        self.is_at_end = false;
    }

    fn is_new(&mut self, event: &LogEvent) -> bool {
        if event.timestamp < self.look_from {
            return false;
        }
        let hash = self.hashes.hash_one((event.ingested, &event.message));
        let count = self.counts.entry((event.timestamp, hash)).or_default();
        count.shown += 1;
        let is_new = count.shown > count.reported;
        count.reported = count.reported.max(count.shown);
        is_new
    }

    /// Bounds the memory. This look has shown everything before `position`; the next one begins after what is forgotten.
    fn forget_before(&mut self, position: i64) {
        let surplus = self.counts.len().saturating_sub(REMEMBERED);
        let last = surplus.checked_sub(1).and_then(|last| self.counts.keys().nth(last));
        let Some((time, _)) = last else { return };
        // All of one time are forgotten together.
        self.known_from = time.saturating_add(1).min(position);
        self.counts = self.counts.split_off(&(self.known_from, 0));
    }
}

#[cfg(test)]
mod tests;
