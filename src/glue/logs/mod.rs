//! The model of logs in CloudWatch Logs.
//!
//! | module | what it does |
//! |---|---|
//! | [`arguments`] | what the arguments of a run and of its job say of its logs; pure |
//! | [`places`] | in which group the logs of a run are, and which streams are its own; pure |
//! | [`cursor`] | reads one stream: reports each event once, across pages, retries and expired tokens; pure |
//! | [`merger`] | the events of several streams in the order of time; pure |
//! | [`reader`] | reads the logs of a run: which call follows, and when; pure |
//! | [`failure`] | where the words are that say why a run failed; pure |
//! | [`excerpt`] | the end of a log, as a status shows it; pure |
//!
//! Facts about CloudWatch Logs, with their source:
//!
//! - `GetLogEvents` reads one stream. A page may be short or empty; the end is where the token of the next page is the one
//!   that was given. A token expires after 24 hours. (CloudWatch Logs API reference, `GetLogEvents`)
//! - An account and region has 25 `GetLogEvents` and 25 `DescribeLogStreams` a second, but 5 `FilterLogEvents`. (CloudWatch
//!   Logs quotas) So logs are read stream by stream.
//! - An event of `GetLogEvents` has no id. What tells two events apart is all that they have, and how many of the same there
//!   are.
//! - An event can be ingested late, with an older timestamp than those that were read already. It lies before the token
//!   then: only a second look finds it. (Not documented)

pub mod arguments;
pub mod cursor;
pub mod excerpt;
pub mod failure;
#[cfg(test)]
mod fake_stream;
pub mod merger;
pub mod places;
pub mod reader;

/// An event of a log stream: mostly one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    /// When it happened, in milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// When CloudWatch Logs received it, in milliseconds since the Unix epoch.
    pub ingested: i64,
    /// The text, without the line end.
    pub message: String,
}

/// A page of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPage {
    /// In the order of their timestamps. May be empty although there are more.
    pub events: Vec<LogEvent>,
    /// The token of the page that follows.
    pub next: Option<String>,
}

/// What a page of a stream begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// The earliest event at or after this time, in milliseconds since the Unix epoch.
    Time(i64),
    /// What a token stands for, within the events at or after a time.
    Token(String, i64),
    /// So many events before the end of the stream.
    Last(u32),
}
