//! The events of several streams in the order of time. Pure.
//!
//! An event is held back while a stream that is not read to its end may still have an earlier one. Once all streams are
//! read to their ends, nothing is held back: what is ingested later comes later.

use std::collections::BTreeMap;

use super::LogEvent;

/// Merges streams, which are told apart by `S`; of events of the same time, those of the lower `S` come first.
#[derive(Debug)]
pub struct Merger<S> {
    streams: BTreeMap<S, Progress>,
    /// By time and stream, and then in the order in which the stream had them.
    held: BTreeMap<(i64, S, u64), LogEvent>,
    added: u64,
}

/// How far a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// All of its events before this time were added.
    Before(i64),
    AtEnd,
}

impl<S: Clone + Ord> Default for Merger<S> {
    fn default() -> Self {
        Self { streams: BTreeMap::new(), held: BTreeMap::new(), added: 0 }
    }
}

impl<S: Clone + Ord> Merger<S> {
    /// Adds a stream of which nothing is read yet.
    pub fn open(&mut self, stream: S) {
        self.streams.insert(stream, Progress::Before(i64::MIN));
    }

    /// Adds what was read of a stream, and whether that was all.
    pub fn add(&mut self, stream: &S, events: Vec<LogEvent>, is_at_end: bool) {
        let newest = events.iter().map(|event| event.timestamp).max();
        let before = match self.streams.get(stream) {
            Some(Progress::Before(time)) => *time,
            Some(Progress::AtEnd) | None => i64::MIN,
        };
        let before = Progress::Before(newest.unwrap_or(i64::MIN).max(before));
        self.streams.insert(stream.clone(), if is_at_end { Progress::AtEnd } else { before });
        for event in events {
            self.added += 1;
            self.held.insert((event.timestamp, stream.clone(), self.added), event);
        }
    }

    /// The stream to read next, so that events can be shown: the one that is furthest behind, and not at its end.
    #[must_use]
    pub fn furthest_behind(&self) -> Option<&S> {
        let behind = self.streams.iter().filter_map(|(stream, progress)| match progress {
            Progress::Before(time) => Some((time, stream)),
            Progress::AtEnd => None,
        });
        behind.min().map(|(_, stream)| stream)
    }

    /// Takes the events that nothing earlier can precede any more, in order.
    pub fn release(&mut self) -> Vec<(S, LogEvent)> {
        let mut behind = self.streams.iter().filter_map(|(stream, progress)| match progress {
            Progress::Before(time) => Some((*time, stream)),
            Progress::AtEnd => None,
        });
        let Some(first) = behind.next() else {
            return std::mem::take(&mut self.held).into_iter().map(|((_, stream, _), event)| (stream, event)).collect();
        };
        // What this stream still has may be of the same time.
        let (time, stream) = behind.fold(first, Ord::min);
        let rest = self.held.split_off(&(time, stream.clone(), 0));
        let released = std::mem::replace(&mut self.held, rest);
        released.into_iter().map(|((_, stream, _), event)| (stream, event)).collect()
    }

    /// How many events are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(timestamp: i64) -> LogEvent {
        LogEvent { timestamp, ingested: timestamp, message: timestamp.to_string() }
    }

    fn times(released: Vec<(usize, LogEvent)>) -> Vec<(i64, usize)> {
        released.into_iter().map(|(stream, event)| (event.timestamp, stream)).collect()
    }

    proptest! {
        #[test]
        fn streams_that_are_read_page_by_page_come_out_in_the_order_of_time(
            streams in prop::collection::vec(prop::collection::vec(0..100_i64, 0..20), 1..5),
            size in 1..7_usize,
        ) {
            let mut merger = Merger::default();
            let mut left: Vec<Vec<i64>> = streams.clone();
            for (stream, events) in left.iter_mut().enumerate() {
                events.sort_unstable();
                merger.open(stream);
            }
            let mut shown = Vec::new();
            while let Some(stream) = merger.furthest_behind().copied() {
                let count = size.min(left[stream].len());
                let page: Vec<_> = left[stream].drain(..count).map(event).collect();
                merger.add(&stream, page, left[stream].is_empty());
                shown.extend(times(merger.release()));
            }
            let mut expected: Vec<_> =
                streams.iter().enumerate().flat_map(|(stream, of)| of.iter().map(move |time| (*time, stream))).collect();
            expected.sort_unstable();
            prop_assert_eq!(shown, expected);
            prop_assert_eq!(merger.held(), 0);
        }
    }

    #[test]
    fn at_the_ends_of_all_streams_nothing_is_held_back() {
        let mut merger = Merger::default();
        merger.open(0);
        merger.open(1);
        merger.add(&0, vec![event(1), event(5)], true);
        assert_eq!((times(merger.release()), merger.furthest_behind()), (vec![], Some(&1)));
        merger.add(&1, vec![event(2)], true);
        assert_eq!(times(merger.release()), [(1, 0), (2, 1), (5, 0)]);
        merger.add(&1, vec![event(3)], true);
        assert_eq!(times(merger.release()), [(3, 1)]);
    }
}
