//! Reads the logs of a run, stream by stream: decides which call follows, and when. Pure; its user makes the calls.
//!
//! A group or a stream that does not exist yet is a state, and not an error. A reader makes one `GetLogEvents` a second at
//! most while it follows a run, so that twenty of them stay within the 25 that an account and region has.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::cursor::Cursor;
use super::merger::Merger;
use super::places::{Log, LogPlace, Writer};
use super::{LogEvent, LogPage, PageStart};
use crate::glue::ErrorKind;
use crate::glue::poller::listing::Page;

/// The time between two reads of events while a run is followed.
const GAP_FOLLOWING: Duration = Duration::from_secs(1);
/// The same, to the end of what is there.
const GAP: Duration = Duration::from_millis(100);
/// A stream that had nothing new is read again after this time, which grows up to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause of the driver's stream.
const DRIVER_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause of an executor's stream.
const EXECUTOR_PAUSE: Duration = Duration::from_secs(15);
/// Streams are listed again after this time: until there are some, and for new ones.
const LIST_PAUSES: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(15)];
/// A stream is looked at again for events that were ingested late, so long after the last look came to its end. After the
/// end of the run there is one look at all streams together instead.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// How long after the end of a run its last events may take to appear.
const SETTLE: Duration = Duration::from_secs(5);
/// How long after the end of a run one look is enough.
const LONG_AGO: Duration = Duration::from_mins(5);
/// How long to wait for more, after a last look has found something.
const MORE: Duration = Duration::from_secs(2);
/// The pauses after a failed call.
const RETRY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(15)];
/// Calls that fail so often in a row end the reading.
const MAX_FAILURES: u32 = 8;

/// A stream of a run; the driver's is the first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Whose words it has.
    pub writer: Writer,
    /// The log that it is a part of.
    pub log: Log,
    /// The log group.
    pub group: String,
    /// Its name.
    pub stream: String,
}

/// What is read.
#[derive(Clone, Debug)]
pub struct Extent {
    /// Events from this time on, in milliseconds since the Unix epoch.
    pub from: i64,
    /// Only so many of the last events of now, and what follows.
    pub last: Option<u32>,
    /// Whether to go on until the run has ended.
    pub follow: bool,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// List the streams of this place.
    List(usize, Option<String>),
    /// Read a page of a stream.
    Read(StreamKey, PageStart),
    /// Nothing, before this time or another event.
    Wait(Instant),
    /// All is read.
    Done,
}

/// The reader of one run.
#[derive(Debug)]
pub struct Reader {
    places: Vec<Listing>,
    extent: Extent,
    streams: BTreeMap<StreamKey, Stream>,
    merger: Merger<StreamKey>,
    /// No read of events before this time.
    next_read: Instant,
    /// The run has ended, and by this time all of its events are there.
    settled: Option<Instant>,
    /// Events after this time belong to another run, where streams are shared. In milliseconds since the Unix epoch.
    until: i64,
    /// Whether the look at all streams is going on that ends the reading.
    is_last_look: bool,
    /// Whether the last look has found something.
    found_in_last_look: bool,
    /// Whether the run had ended long before it was read: nothing comes late any more.
    is_long_ago: bool,
    reported: usize,
    /// Events of the last page of each stream are held until all of them are there; then only the last of them are shown.
    cut_to: Option<u32>,
    failures: u32,
}

/// The streams of a place.
#[derive(Debug)]
struct Listing {
    place: LogPlace,
    /// The token of the next page of the list.
    token: Option<String>,
    next: Instant,
    /// Whether the whole list was read.
    is_listed: bool,
}

#[derive(Debug)]
struct Stream {
    /// None before the first read of a stream of which only the last events are shown.
    cursor: Option<Cursor>,
    next: Instant,
    pause: Duration,
    /// When a look at it last came to its end.
    looked: Instant,
    /// Whether a new look is on its way to the end.
    is_looking: bool,
    /// Whether it was read to its end once.
    was_at_end: bool,
}

impl Reader {
    /// A reader of the logs in these places.
    #[must_use]
    pub fn new(places: Vec<LogPlace>, extent: Extent, now: Instant) -> Self {
        let listing = |place| Listing { place, token: None, next: now, is_listed: false };
        Self {
            places: places.into_iter().map(listing).collect(),
            cut_to: extent.last,
            extent,
            streams: BTreeMap::new(),
            merger: Merger::default(),
            next_read: now,
            settled: None,
            until: i64::MAX,
            is_last_look: false,
            found_in_last_look: false,
            is_long_ago: false,
            reported: 0,
            failures: 0,
        }
    }

    /// The run has ended so long ago. `completed` is when, in milliseconds since the Unix epoch.
    pub fn on_run_ended(&mut self, ago: Duration, completed: Option<i64>, now: Instant) {
        if self.settled.is_some() {
            return;
        }
        self.settled = Some(now + SETTLE.saturating_sub(ago));
        self.is_long_ago = ago >= LONG_AGO;
        let slack = i64::try_from(Duration::from_mins(1).as_millis()).unwrap_or_default();
        self.until = completed.map_or(i64::MAX, |completed| completed.saturating_add(slack));
        // What is there now is read soon.
        for stream in self.streams.values_mut() {
            stream.next = stream.next.min(now);
        }
    }

    /// A place whose streams are listed.
    #[must_use]
    pub fn place(&self, index: usize) -> Option<LogPlace> {
        self.places.get(index).map(|listing| listing.place.clone())
    }

    /// Whether events were found.
    #[must_use]
    pub fn has_found(&self) -> bool {
        self.reported > 0
    }

    /// The places whose groups or streams are not there yet.
    pub fn missing(&self) -> impl Iterator<Item = &LogPlace> {
        let has_stream = |place: &LogPlace| self.streams.keys().any(|key| key.log == place.log);
        self.places.iter().map(|listing| &listing.place).filter(move |place| !has_stream(place))
    }

    /// What follows now.
    pub fn next(&mut self, now: Instant) -> Next {
        if let Some((index, listing)) = self.places.iter().enumerate().find(|(_, listing)| listing.next <= now) {
            return Next::List(index, listing.token.clone());
        }
        if self.is_all_read() {
            if self.may_end(now) {
                return Next::Done;
            }
            if self.settled.is_some_and(|settled| settled <= now) {
                self.begin_last_look(now);
                return self.next(now);
            }
        }
        // What holds the others back is read first, and of equals the driver's stream.
        let behind = self.merger.furthest_behind().and_then(|key| self.streams.get_key_value(key));
        let due = |(key, stream): (&StreamKey, &Stream)| (stream.next, key.clone());
        let next = behind.map(due).or_else(|| self.streams.iter().map(due).min());
        match next {
            Some((at, key)) if at <= now && self.next_read <= now => {
                let start = self.start(&key);
                Next::Read(key, start)
            }
            next => {
                let read = next.map(|(at, _)| at.max(self.next_read));
                let list = self.places.iter().map(|listing| listing.next).min();
                let times = [read, list, self.settled.filter(|settled| *settled > now)];
                Next::Wait(times.into_iter().flatten().min().unwrap_or(now + GAP_FOLLOWING).max(now))
            }
        }
    }

    /// A page of the streams of a place was listed; or why not.
    pub fn on_listed(&mut self, index: usize, answer: Result<Page<String>, ErrorKind>, now: Instant) {
        let pause = LIST_PAUSES[usize::from(!self.streams.is_empty())];
        let page = match answer {
            Ok(page) => Some(page),
            Err(ErrorKind::NotFound) => Some(Page { items: Vec::new(), next: None }),
            Err(_) => None,
        };
        let pause = if page.is_some() { pause } else { self.failed() };
        let Some(listing) = self.places.get_mut(index) else { return };
        listing.next = now + pause;
        let Some(page) = page else {
            listing.token = None;
            return;
        };
        self.failures = 0;
        let is_first = !listing.is_listed;
        listing.is_listed = page.next.is_none();
        listing.token = page.next;
        if listing.token.is_some() {
            listing.next = now;
        }
        let place = listing.place.clone();
        let found = page.items.into_iter().filter_map(|stream| Some((place.writer(&stream)?, stream)));
        for (writer, stream) in found {
            let key = StreamKey { writer, log: place.log, group: place.group.clone(), stream };
            if self.streams.contains_key(&key) {
                continue;
            }
            // The backlog of streams that are there from the start comes in the order of time. Who follows a run sees the
            // driver's at once.
            if is_first && (!self.extent.follow || self.extent.last.is_some()) {
                self.merger.open(key.clone());
            }
            let cursor = self.cut_to.is_none().then(|| Cursor::since(self.extent.from));
            let stream =
                Stream { cursor, next: now, pause: FIRST_PAUSE, looked: now, is_looking: true, was_at_end: false };
            self.streams.insert(key, stream);
        }
    }

    /// A page of a stream was read; or why not.
    pub fn on_read(&mut self, key: &StreamKey, answer: Result<LogPage, ErrorKind>, now: Instant) {
        // Counted from the answer, so that slow calls do not arrive close together.
        self.next_read = now + if self.extent.follow { GAP_FOLLOWING } else { GAP };
        let failure = match &answer {
            Ok(_) | Err(ErrorKind::NotFound | ErrorKind::Invalid) => None,
            Err(_) => Some(self.failed()),
        };
        let (from, until) = (self.extent.from, self.until);
        let is_following = self.extent.follow && self.settled.is_none_or(|settled| now < settled);
        let Some(stream) = self.streams.get_mut(key) else { return };
        let page = match answer {
            Ok(page) => page,
            // The stream is gone, or not there yet.
            Err(ErrorKind::NotFound) => LogPage::default(),
            Err(ErrorKind::Invalid) => {
                // The token has expired. Without one, the next failure of this kind counts.
                if let Some(cursor) = stream.cursor.as_mut().filter(|cursor| cursor.has_token()) {
                    cursor.token_refused();
                } else {
                    self.failures += 1;
                }
                return;
            }
            Err(_) => {
                stream.next = now + failure.unwrap_or_default();
                return;
            }
        };
        self.failures = 0;
        let (mut events, is_tail) = if let Some(cursor) = &mut stream.cursor {
            (cursor.read(page), false)
        } else {
            let (cursor, events) = Cursor::after(page);
            stream.cursor = Some(cursor);
            (events, true)
        };
        events.retain(|event| (from..=until).contains(&event.timestamp));
        stream.was_at_end |= stream.is_at_end() || is_tail;
        if events.is_empty() {
            stream.pause = (stream.pause * 3 / 2).min(key.longest_pause());
        } else {
            stream.pause = FIRST_PAUSE;
            self.found_in_last_look |= self.is_last_look;
        }
        stream.next = if stream.is_at_end() { now + stream.pause } else { now };
        if stream.is_at_end() {
            let is_due = !stream.is_looking && now.saturating_duration_since(stream.looked) >= LOOK_AGAIN;
            if std::mem::take(&mut stream.is_looking) {
                stream.looked = now;
            }
            if is_due && is_following {
                stream.look_again(now);
            }
        }
        self.reported += events.len();
        self.merger.add(key, events, stream.was_at_end);
    }

    /// Takes the events that can be shown.
    pub fn take(&mut self) -> Vec<(StreamKey, LogEvent)> {
        let Some(most) = self.cut_to else { return self.merger.release() };
        let is_complete = self.places.iter().all(|listing| listing.is_listed)
            && self.streams.values().all(|stream| stream.was_at_end);
        if self.streams.is_empty() || !is_complete {
            return Vec::new();
        }
        self.cut_to = None;
        let mut events = self.merger.release();
        let surplus = events.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
        events.drain(..surplus);
        events
    }

    /// Whether calls fail again and again.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    fn failed(&mut self) -> Duration {
        self.failures += 1;
        let [first, longest] = RETRY;
        (first * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(10))).min(longest)
    }

    fn start(&self, key: &StreamKey) -> PageStart {
        let cursor = self.streams.get(key).and_then(|stream| stream.cursor.as_ref());
        cursor.map_or(PageStart::Last(self.extent.last.unwrap_or(1)), Cursor::next)
    }

    /// Whether all that can be read now was read.
    fn is_all_read(&self) -> bool {
        self.places.iter().all(|listing| listing.is_listed) && self.streams.values().all(Stream::is_at_end)
    }

    /// Whether the reading ends with what was read.
    fn may_end(&mut self, now: Instant) -> bool {
        if !self.extent.follow && self.reported > 0 && self.settled.is_none() {
            // Of a run that goes on, what is there now.
            return true;
        }
        if self.is_long_ago {
            return true;
        }
        if !self.is_last_look {
            return false;
        }
        if self.found_in_last_look {
            self.is_last_look = false;
            self.settled = Some(now + MORE);
            return false;
        }
        true
    }

    fn begin_last_look(&mut self, now: Instant) {
        (self.is_last_look, self.found_in_last_look) = (true, false);
        for listing in &mut self.places {
            (listing.next, listing.token, listing.is_listed) = (now, None, false);
        }
        for stream in self.streams.values_mut() {
            stream.look_again(now);
        }
    }
}

impl StreamKey {
    fn longest_pause(&self) -> Duration {
        if self.writer == Writer::Driver { DRIVER_PAUSE } else { EXECUTOR_PAUSE }
    }
}

impl Stream {
    fn is_at_end(&self) -> bool {
        self.cursor.as_ref().is_some_and(Cursor::is_at_end)
    }

    fn look_again(&mut self, now: Instant) {
        if let Some(cursor) = &mut self.cursor {
            cursor.look_again();
        }
        (self.is_looking, self.next) = (true, now);
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
