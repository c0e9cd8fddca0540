//! Everything that can happen to a stream on the way to its reader.

use proptest::prelude::*;

use super::*;
use crate::glue::logs::fake_stream::{FakeStream, sorted};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// An event happens now.
    Write(u8),
    /// An event is ingested so much later than it happened, in seconds.
    WriteLate(u8, u16),
    /// The same event is written twice.
    WriteTwice,
    /// A page with so many events is read.
    Read(usize),
    /// The answer to a read is lost.
    Lose,
    Expire,
    LookAgain,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<u8>().prop_map(Step::Write),
        2 => (any::<u8>(), 0..500_u16).prop_map(|(message, late)| Step::WriteLate(message, late)),
        1 => Just(Step::WriteTwice),
        6 => (0..4_usize).prop_map(Step::Read),
        1 => Just(Step::Lose),
        1 => Just(Step::Expire),
        1 => Just(Step::LookAgain),
    ]
}

fn read(cursor: &mut Cursor, stream: &FakeStream, size: usize, nonce: u64, reported: &mut Vec<LogEvent>) {
    match stream.page(&cursor.next(), size, nonce) {
        Some(page) => reported.extend(cursor.read(page)),
        None => cursor.token_refused(),
    }
}

proptest! {
    #[test]
    fn every_event_is_reported_once(steps in prop::collection::vec(step(), 0..60)) {
        let (mut stream, mut cursor, mut reported) = (FakeStream::default(), Cursor::since(0), Vec::new());
        let mut now = 1_000_000;
        for (nonce, step) in (0..).zip(steps) {
            now += 300;
            match step {
                Step::Write(message) => stream.ingest(now, &message.to_string()),
                Step::WriteLate(message, late) => stream.ingest(now - i64::from(late) * 1000, &message.to_string()),
                Step::WriteTwice => {
                    stream.ingest(now, "same");
                    stream.ingest(now, "same");
                }
                Step::Read(size) => read(&mut cursor, &stream, size, nonce, &mut reported),
                Step::Lose => {}
                Step::Expire => stream.generation += 1,
                Step::LookAgain => cursor.look_again(),
            }
        }
        // A look over all that is there, once the stream has ended.
        for nonce in 1000.. {
            read(&mut cursor, &stream, 3, nonce, &mut reported);
            if cursor.is_at_end() {
                break;
            }
        }
        cursor.look_again();
        for nonce in 2000.. {
            read(&mut cursor, &stream, 3, nonce, &mut reported);
            if cursor.is_at_end() {
                break;
            }
        }
        let written = stream.events.iter().map(|(event, _)| event.clone()).collect();
        prop_assert_eq!(sorted(reported), sorted(written));
    }
}

#[test]
fn a_page_without_a_token_ends_the_look_and_the_next_one_reports_nothing_twice() {
    let event = |timestamp| LogEvent { timestamp, ingested: timestamp, message: "m".to_owned() };
    let mut cursor = Cursor::since(0);
    assert_eq!(cursor.read(LogPage { events: vec![event(1), event(2)], next: None }).len(), 2);
    assert!(cursor.is_at_end());
    let again = LogPage { events: vec![event(1), event(2), event(3)], next: None };
    assert_eq!(cursor.read(again.clone()), [event(3)]);
    cursor.look_again();
    assert_eq!(cursor.read(again), []);
}

#[test]
fn what_is_remembered_is_bounded_and_nothing_is_reported_twice() {
    let count = i64::try_from(2 * REMEMBERED).unwrap();
    let event = |timestamp| LogEvent { timestamp, ingested: 0, message: String::new() };
    let page = |from: i64, to: i64| LogPage { events: (from..to).map(event).collect(), next: Some("t".to_owned()) };
    let mut cursor = Cursor::since(0);
    for start in (0..count).step_by(10_000) {
        assert_eq!(cursor.read(page(start, start + 10_000)).len(), 10_000);
        assert!(cursor.counts.len() <= REMEMBERED + 10_000);
    }
    cursor.token_refused();
    let PageStart::Time(from) = cursor.next() else { panic!("a look begins without a token") };
    assert!(from > 0 && from < count, "{from}");
    assert_eq!(cursor.read(page(from, count)), []);
}

#[test]
fn the_last_events_are_followed_by_what_comes_after_them() {
    let event = |timestamp| LogEvent { timestamp, ingested: timestamp, message: "m".to_owned() };
    let page = LogPage { events: vec![event(5), event(6)], next: Some("t".to_owned()) };
    let (mut cursor, events) = Cursor::after(page);
    assert_eq!(events, [event(5), event(6)]);
    assert_eq!(cursor.next(), PageStart::Token("t".to_owned(), 6));
    assert_eq!(cursor.read(LogPage { events: vec![event(7)], next: Some("u".to_owned()) }), [event(7)]);
    cursor.token_refused();
    assert_eq!(cursor.next(), PageStart::Time(6));
    assert_eq!(cursor.read(LogPage { events: (3..9).map(event).collect(), next: None }), [event(8)]);
}
