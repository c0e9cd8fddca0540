//! Where the words are that say why a run failed. Pure.

use jiff::Timestamp;

use super::LogEvent;
use super::arguments::LogArguments;
use super::places::{Log, LogPlace, LoggedRun};

/// How many of the last events of a stream are read.
pub const EVENTS: u32 = 200;
/// Where runs share a stream, the events of one begin and end within its own times and this slack, in milliseconds: clocks
/// differ, and the last lines come late.
const SLACK: i64 = 60 * 1000;

/// The streams that may say why a run failed. The first one that has something is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureSource {
    /// Groups, each with the name of a stream.
    pub streams: Vec<(String, String)>,
    /// Events of other times belong to other runs. In milliseconds since the Unix epoch.
    times: Option<(i64, i64)>,
    /// What the events of the run begin with, in brackets, where several runs write to one stream.
    marker: Option<String>,
}

impl FailureSource {
    /// That of a job run: the streams of its driver. Python writes its traceback to standard error, which is the error log
    /// before Glue 5.0, and part of the output log from then on.
    #[must_use]
    pub fn of_job_run(
        run: LoggedRun<'_>,
        arguments: &LogArguments,
        started_on: Option<Timestamp>,
        completed_on: Option<Timestamp>,
    ) -> Self {
        let order = if run.is_realtime() {
            &[Log::Output, Log::Error][..]
        } else {
            &[Log::Error, Log::Continuous, Log::Output]
        };
        let places: Vec<_> = order.iter().filter_map(|log| LogPlace::of(run, arguments, *log)).collect();
        let is_shared = places.iter().any(LogPlace::is_shared);
        let times = started_on.zip(completed_on).filter(|_| is_shared);
        let times = times.map(|(from, to)| (from.as_millisecond() - SLACK, to.as_millisecond() + SLACK));
        let streams =
            places.iter().flat_map(|place| place.driver_streams().map(|stream| (place.group.clone(), stream)));
        Self { streams: streams.collect(), times, marker: None }
    }

    /// That of a crawl, whose events have its id in brackets. All crawls of a crawler write to one stream.
    #[must_use]
    pub fn of_crawl(group: &str, stream: &str, marker: &str) -> Self {
        let streams = vec![(group.to_owned(), stream.to_owned())];
        Self { streams, times: None, marker: Some(format!("[{marker}]")) }
    }

    /// Whether an event is one of the run.
    #[must_use]
    pub fn has(&self, event: &LogEvent) -> bool {
        self.times.is_none_or(|(from, to)| (from..=to).contains(&event.timestamp))
            && self.marker.as_ref().is_none_or(|marker| event.message.contains(marker.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(timestamp: i64, message: &str) -> LogEvent {
        LogEvent { timestamp, ingested: timestamp, message: message.to_owned() }
    }

    #[test]
    fn the_words_of_python_are_looked_for_where_its_glue_version_writes_them() {
        let source = |version, arguments: &LogArguments| {
            let run = LoggedRun { id: "jr_1", group: Some("/aws-glue/jobs"), glue_version: Some(version) };
            let at = |second| Timestamp::from_second(second).ok();
            FailureSource::of_job_run(run, arguments, at(1000), at(2000))
        };
        let names = |source: &FailureSource| {
            source.streams.iter().map(|(group, stream)| format!("{group} {stream}")).collect::<Vec<_>>()
        };
        let plain = source("4.0", &LogArguments::default());
        assert_eq!(names(&plain)[0], "/aws-glue/jobs/error jr_1");
        assert!(plain.has(&event(0, "of any time")));
        let realtime = source("5.0", &LogArguments::default());
        assert!(names(&realtime)[0].starts_with("/aws-glue/jobs/output jr_1"), "{realtime:?}");
        let shared = source("5.0", &LogArguments { stream_prefix: Some("all".to_owned()), ..LogArguments::default() });
        assert_eq!(names(&shared)[0], "/aws-glue/jobs/output all-driver");
        for (second, has) in [(0, false), (945, true), (2059, true), (2061, false)] {
            assert_eq!(shared.has(&event(second * 1000, "a")), has, "{second}");
        }
    }

    #[test]
    fn a_crawl_has_the_events_with_its_id() {
        let source = FailureSource::of_crawl("/aws-glue/crawlers", "raw", "c-1");
        assert!(source.has(&event(0, "[c-1] ERROR : no bucket")) && !source.has(&event(0, "[c-12] INFO")));
    }
}
