//! A run that writes to several streams, read against a model of CloudWatch Logs in simulated time.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::glue::logs::arguments::LogArguments;
use crate::glue::logs::fake_stream::{FakeStream, sorted};
use crate::glue::logs::places::LoggedRun;

/// A line: the stream, when it happens and how much later it can be read, in milliseconds after the start.
type Line = (usize, i64, i64);

const STREAMS: [&str; 4] = ["jr_1", "jr_1-1", "jr_1-2", "jr_1_attempt_1"];

/// How many tokens expire before they were used.
const EXPIRING: u32 = 10;

/// CloudWatch Logs, as it is at a time.
struct World {
    start: Instant,
    streams: BTreeMap<usize, FakeStream>,
    /// What is not there yet, by the time at which it is.
    coming: VecDeque<(i64, Line)>,
    page: usize,
    answers: u64,
    /// What each call meets: nothing, a throttle, a lost answer, or an expired token. Repeats at its end.
    faults: Vec<u8>,
    /// How many tokens have expired.
    expired: u32,
    reads: Vec<Instant>,
}

impl World {
    fn new(mut lines: Vec<Line>, page: usize, faults: Vec<u8>, start: Instant) -> Self {
        lines.sort_by_key(|(_, at, late)| at + late);
        let coming = lines.into_iter().map(|line| (line.1 + line.2, line)).collect();
        Self { start, streams: BTreeMap::new(), coming, page, answers: 0, faults, expired: 0, reads: Vec::new() }
    }

    fn fault(&mut self) -> u8 {
        self.answers += 1;
        let index = usize::try_from(self.answers).unwrap() % self.faults.len();
        self.faults[index]
    }

    fn advance(&mut self, now: Instant) {
        let now = i64::try_from(now.duration_since(self.start).as_millis()).unwrap();
        while self.coming.front().is_some_and(|(at, _)| *at <= now) {
            let (_, (stream, at, _)) = self.coming.pop_front().unwrap();
            self.streams.entry(stream).or_default().ingest(at, &format!("{stream} {at}"));
        }
    }

    fn list(&mut self) -> Result<Page<String>, ErrorKind> {
        match self.fault() {
            1 => Err(ErrorKind::Throttled),
            2 => Err(ErrorKind::Ambiguous),
            _ if self.streams.is_empty() => Err(ErrorKind::NotFound),
            _ => {
                let items = self.streams.keys().map(|stream| STREAMS[*stream].to_owned()).collect();
                Ok(Page { items, next: None })
            }
        }
    }

    fn read(&mut self, key: &StreamKey, start: &PageStart, now: Instant) -> Result<LogPage, ErrorKind> {
        self.reads.push(now);
        let size = if self.answers.is_multiple_of(5) { 0 } else { self.page };
        let (fault, nonce) = (self.fault(), self.answers);
        let stream = STREAMS.iter().position(|stream| *stream == key.stream).unwrap();
        let stream = self.streams.get_mut(&stream).unwrap();
        match fault {
            1 => return Err(ErrorKind::Throttled),
            2 => return Err(ErrorKind::Ambiguous),
            // A new look reads some minutes again. AWS's tokens live for a day, which is long enough for that.
            3 if self.expired < EXPIRING => {
                self.expired += 1;
                stream.generation += 1;
            }
            _ => {}
        }
        stream.page(start, size, nonce).ok_or(ErrorKind::Invalid)
    }
}

fn places() -> Vec<LogPlace> {
    let run = LoggedRun { id: "jr_1", group: Some("/g"), glue_version: Some("4.0") };
    LogPlace::of(run, &LogArguments::default(), Log::Output).into_iter().collect()
}

/// Reads until the reader is done. The run ends after this time.
fn read_all(world: &mut World, extent: Extent, ends: Duration) -> Vec<(StreamKey, LogEvent)> {
    let mut now = world.start;
    let (end, mut reader) = (now + ends, Reader::new(places(), extent, now));
    let mut shown = Vec::new();
    for _ in 0..20_000 {
        world.advance(now);
        if now >= end {
            reader.on_run_ended(now.duration_since(end), None, now);
        }
        match reader.next(now) {
            Next::List(index, _) => reader.on_listed(index, world.list(), now),
            Next::Read(key, start) => {
                let page = world.read(&key, &start, now);
                reader.on_read(&key, page, now);
                shown.extend(reader.take());
            }
            // Somebody tells the reader of the end.
            Next::Wait(until) => now = if now < end { until.min(end).max(now) } else { until },
            Next::Done => return shown,
        }
        assert!(!reader.is_failing(), "one fault in a row");
    }
    panic!("the reader does not come to an end")
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    // Lines of up to a minute, which appear within four seconds.
    prop::collection::vec((0..STREAMS.len(), 0..60_000_i64, 0..4000_i64), 0..80)
}

fn faults() -> impl Strategy<Value = Vec<u8>> {
    // Never two faults in a row.
    prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => 1..4_u8], 1..20)
        .prop_map(|faults| faults.into_iter().flat_map(|fault| [0, fault]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_follower_shows_every_line_of_the_run_once_and_stays_within_a_read_a_second(
        lines in lines(), page in 1..40_usize, faults in faults(),
    ) {
        let mut world = World::new(lines.clone(), page, faults, Instant::now());
        let extent = Extent { from: 0, last: None, follow: true };
        let shown = read_all(&mut world, extent, Duration::from_mins(1));
        let own = |stream: usize| stream < 3;
        let written = world.streams.iter().filter(|(stream, _)| own(**stream)).flat_map(|(_, stream)| &stream.events);
        let written: Vec<_> = written.map(|(event, _)| event.clone()).collect();
        prop_assert_eq!(written.len(), lines.iter().filter(|(stream, ..)| own(*stream)).count());
        prop_assert_eq!(sorted(shown.into_iter().map(|(_, event)| event).collect()), sorted(written));
        for pair in world.reads.windows(2) {
            prop_assert!(pair[1].duration_since(pair[0]) >= GAP_FOLLOWING);
        }
    }

    #[test]
    fn a_finished_run_is_shown_in_the_order_of_time(lines in lines(), page in 1..40_usize) {
        let start = Instant::now() + Duration::from_mins(10);
        let mut world = World::new(lines, page, vec![0], start);
        world.start = start - Duration::from_mins(2);
        world.advance(start);
        world.start = start;
        let shown = read_all(&mut world, Extent { from: 0, last: None, follow: false }, Duration::ZERO);
        let times: Vec<_> = shown.iter().map(|(key, event)| (event.timestamp, key.clone())).collect();
        prop_assert!(times.is_sorted(), "{times:?}");
        let own = world.streams.iter().filter(|(stream, _)| **stream < 3);
        prop_assert_eq!(shown.len(), own.map(|(_, stream)| stream.events.len()).sum::<usize>());
    }

    #[test]
    fn the_tail_of_a_finished_run_is_its_last_lines(lines in lines(), last in 1..20_u32) {
        let start = Instant::now() + Duration::from_mins(10);
        let mut world = World::new(lines, 10, vec![0], start - Duration::from_mins(2));
        world.advance(start);
        world.start = start;
        let shown = read_all(&mut world, Extent { from: 0, last: Some(last), follow: false }, Duration::ZERO);
        let own = world.streams.iter().filter(|(stream, _)| **stream < 3).flat_map(|(_, stream)| &stream.events);
        let mut times: Vec<_> = own.map(|(event, _)| event.timestamp).collect();
        times.sort_unstable();
        let expected = times[times.len().saturating_sub(usize::try_from(last).unwrap())..].to_vec();
        prop_assert_eq!(shown.iter().map(|(_, event)| event.timestamp).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_run_that_writes_nothing_ends_with_its_end_and_says_what_is_missing() {
    let mut world = World::new(Vec::new(), 10, vec![0], Instant::now());
    let shown = read_all(&mut world, Extent { from: 0, last: None, follow: true }, Duration::from_secs(30));
    assert!(shown.is_empty() && world.reads.is_empty());
    let reader = Reader::new(places(), Extent { from: 0, last: None, follow: true }, world.start);
    assert_eq!(reader.missing().map(|place| place.group.as_str()).collect::<Vec<_>>(), ["/g/output"]);
}

#[test]
fn a_run_that_goes_on_is_read_to_what_is_there_now() {
    let mut world = World::new(vec![(0, 0, 0), (0, 1, 0)], 10, vec![0], Instant::now());
    let shown = read_all(&mut world, Extent { from: 0, last: None, follow: false }, Duration::from_hours(1));
    assert_eq!(shown.len(), 2);
}

#[test]
fn calls_that_fail_again_and_again_end_the_reading() {
    let now = Instant::now();
    let mut reader = Reader::new(places(), Extent { from: 0, last: None, follow: true }, now);
    for _ in 0..MAX_FAILURES {
        assert!(!reader.is_failing());
        reader.on_listed(0, Err(ErrorKind::ExpiredCredentials), now);
    }
    assert!(reader.is_failing());
    reader.on_listed(0, Ok(Page { items: Vec::new(), next: None }), now);
    assert!(!reader.is_failing());
}
