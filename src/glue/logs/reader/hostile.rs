//! Whatever CloudWatch Logs answers: the reader comes to an end, asks no more often than it may, and shows nothing that is
//! not of the run.

use proptest::prelude::*;

use super::*;
use crate::glue::logs::arguments::LogArguments;
use crate::glue::logs::excerpt::{MAX_BYTES, MAX_LINES, bounded, end_of_log, last_bytes};
use crate::glue::logs::places::LoggedRun;

/// The most calls of one reading, with [`ANSWERS`] of any kind and orderly ones after them.
const CALLS: usize = 2000;
/// The most answers of any kind.
const ANSWERS: usize = 40;

/// An answer to either call.
type Answer = Result<(Vec<String>, LogPage), ErrorKind>;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "\\PC{0,20}",
        2 => "[a-z\n\r\t ]{0,30}",
        1 => (0..4000_usize).prop_map(|count| "失x".repeat(count)),
        1 => Just(String::new()),
        1 => Just("24/01/31 12:00:00 INFO a: b".to_owned()),
    ]
}

fn time() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 0..120_000_i64, 1 => any::<i64>(), 1 => prop::sample::select(&[i64::MIN, i64::MAX, -1][..])]
}

fn events() -> impl Strategy<Value = Vec<LogEvent>> {
    let event = (time(), time(), text());
    let event = event.prop_map(|(timestamp, ingested, message)| LogEvent { timestamp, ingested, message });
    prop::collection::vec(event, 0..6)
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let token = prop::option::weighted(0.9, prop_oneof![Just("t1".to_owned()), Just("t2".to_owned()), text()]);
    let stream = prop_oneof![
        3 => prop::sample::select(&["jr_1", "jr_1-1", "jr_1-driver", "jr_1_g-2", "jr_1-progress-bar", "jr_10"][..]).prop_map(str::to_owned),
        1 => text(),
    ];
    let page = (events(), token).prop_map(|(events, next)| LogPage { events, next });
    let kinds =
        [ErrorKind::NotFound, ErrorKind::Invalid, ErrorKind::Throttled, ErrorKind::Denied, ErrorKind::Ambiguous];
    let answer = prop_oneof![
        6 => (prop::collection::vec(stream, 0..6), page).prop_map(Ok),
        2 => prop::sample::select(kinds.to_vec()).prop_map(Err),
    ];
    prop::collection::vec(answer, 0..ANSWERS)
}

fn extent() -> impl Strategy<Value = Extent> {
    (time(), prop::option::of(any::<u32>()), any::<bool>()).prop_map(|(from, last, follow)| Extent {
        from,
        last,
        follow,
    })
}

/// The page after the last event.
fn end(start: &PageStart) -> LogPage {
    let next = match start {
        PageStart::Token(token, _) => token.clone(),
        PageStart::Time(_) | PageStart::Last(_) => "end".to_owned(),
    };
    LogPage { events: Vec::new(), next: Some(next) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_answers_of_the_log_api_lead_to_an_end(
        answers in answers(), extent in extent(), ends in 0..90_u64, completed in prop::option::of(time()),
    ) {
        let run = LoggedRun { id: "jr_1", group: Some("/g"), glue_version: Some("4.0") };
        let places = [Log::Output, Log::Error].iter().filter_map(|log| LogPlace::of(run, &LogArguments::default(), *log));
        let start = Instant::now();
        let (mut now, end_of_run) = (start, start + Duration::from_secs(ends));
        let gap = if extent.follow { GAP_FOLLOWING } else { GAP };
        let mut reader = Reader::new(places.collect(), extent.clone(), now);
        let (mut answers, mut last_read, mut given, mut shown) = (answers.into_iter(), None, 0, 0);
        let mut is_over = false;
        for _ in 0..CALLS {
            if now >= end_of_run {
                reader.on_run_ended(now.duration_since(end_of_run), completed, now);
            }
            if reader.is_failing() {
                is_over = true;
                break;
            }
            match reader.next(now) {
                Next::List(index, _) => {
                    let page = answers.next().unwrap_or_else(|| Ok(Default::default()));
                    // A list has an end.
                    let next = |next: Option<String>| next.filter(|_| answers.len() > 0);
                    let page = page.map(|(items, page)| Page { items, next: next(page.next) });
                    reader.on_listed(index, page, now);
                }
                Next::Read(key, from) => {
                    prop_assert!(last_read.is_none_or(|last| now >= last + gap), "reads follow one another too soon");
                    last_read = Some(now);
                    let page = answers.next().map_or_else(|| Ok(end(&from)), |answer| answer.map(|(_, page)| page));
                    given += page.as_ref().map_or(0, |page| page.events.len());
                    reader.on_read(&key, page, now);
                    let taken = reader.take();
                    prop_assert!(taken.iter().all(|(_, event)| event.timestamp >= extent.from), "{taken:?}");
                    shown += taken.len();
                }
                Next::Wait(until) => {
                    prop_assert!(until >= now);
                    // Somebody tells the reader of the end of the run.
                    now = if now < end_of_run { until.min(end_of_run) } else { until };
                }
                Next::Done => {
                    is_over = true;
                    break;
                }
            }
        }
        prop_assert!(is_over, "the reader does not come to an end");
        prop_assert!(shown <= given, "{shown} of {given} events");
    }

    #[test]
    fn what_a_status_shows_of_any_log_is_bounded(events in events(), most in 3..2000_usize) {
        let end = end_of_log(events.iter().map(|event| event.message.as_str()));
        let shown = bounded(&end);
        prop_assert!(shown.len() <= MAX_BYTES && shown.lines().count() <= MAX_LINES, "{} bytes", shown.len());
        prop_assert!(last_bytes(&shown, most).len() <= most);
        let has_text = events.iter().any(|event| event.message.lines().any(|line| !line.trim_end().is_empty()));
        prop_assert_eq!(shown.is_empty(), !has_text);
    }
}
