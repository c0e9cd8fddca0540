//! A log stream as CloudWatch Logs keeps it, for tests.

use super::{LogEvent, LogPage, PageStart};

/// A stream as CloudWatch Logs keeps it. A token is the position among its events that it follows.
#[derive(Clone, Debug, Default)]
pub struct FakeStream {
    /// By time, then by the order of their ingestion.
    pub events: Vec<(LogEvent, u64)>,
    ingested: u64,
    /// Tokens of earlier generations have expired.
    pub generation: u64,
}

impl FakeStream {
    pub fn ingest(&mut self, timestamp: i64, message: &str) {
        self.ingested += 1;
        let event = LogEvent { timestamp, ingested: timestamp + 1, message: message.to_owned() };
        let at = self.events.partition_point(|(other, _)| other.timestamp <= timestamp);
        self.events.insert(at, (event, self.ingested));
    }

    /// A page of at most `size` events; `None` where the token has expired. A size of 0 is an empty page.
    pub fn page(&self, start: &PageStart, size: usize, nonce: u64) -> Option<LogPage> {
        let (from, after) = match start {
            PageStart::Time(from) => (*from, None),
            PageStart::Last(count) => {
                let count = usize::try_from(*count).unwrap();
                let events = &self.events[self.events.len().saturating_sub(count)..];
                let (time, number) = events.last().map_or((0, 0), |(event, number)| (event.timestamp, *number));
                let next = Some(format!("{}/{time}/{number}/{nonce}", self.generation));
                return Some(LogPage { events: events.iter().map(|(event, _)| event.clone()).collect(), next });
            }
            PageStart::Token(token, from) => {
                let parts: Vec<i64> = token.split('/').map(|part| part.parse().unwrap()).collect();
                if parts[0] != i64::try_from(self.generation).unwrap() {
                    return None;
                }
                (*from, Some((parts[1], parts[2])))
            }
        };
        let position = |event: &LogEvent, number: u64| (event.timestamp, i64::try_from(number).unwrap());
        let rest = self.events.iter().filter(|(event, number)| {
            event.timestamp >= from && after.is_none_or(|after| position(event, *number) > after)
        });
        let shown: Vec<_> = rest.clone().take(size).collect();
        let last = shown.last().map(|(event, number)| position(event, *number)).or(after);
        let (time, number) = last.unwrap_or((from - 1, 0));
        let has_more = rest.count() > shown.len();
        let given = if let PageStart::Token(token, _) = start { Some(token.clone()) } else { None };
        // At the end the token is the one that was given; an empty page before it has another.
        let fresh = format!("{}/{time}/{number}/{nonce}", self.generation);
        let next = if shown.is_empty() && !has_more { given.or(Some(fresh)) } else { Some(fresh) };
        Some(LogPage { events: shown.into_iter().map(|(event, _)| event.clone()).collect(), next })
    }
}

/// In an order in which two sets of events can be compared.
pub fn sorted(mut events: Vec<LogEvent>) -> Vec<LogEvent> {
    events.sort_by(|one, other| {
        (one.timestamp, one.ingested, &one.message).cmp(&(other.timestamp, other.ingested, &other.message))
    });
    events
}
