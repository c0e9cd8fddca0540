//! A line of a log as it is printed.

use std::fmt::Write as _;
use std::io::{self, IsTerminal};

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::table::printable;
use crate::glue::logs::LogEvent;
use crate::glue::logs::places::{Log, LogPlace, Writer};
use crate::glue::logs::reader::StreamKey;

/// Words of log levels that mark an error.
const LEVELS: [&str; 4] = ["ERROR", "FATAL", "CRITICAL", "SEVERE"];
/// What the first line of a stack trace of Python begins with.
const TRACEBACK: &str = "Traceback (most recent call last)";

/// How lines are printed.
#[derive(Debug)]
pub(super) struct Lines {
    timestamps: bool,
    /// Whether lines of several logs are printed, which are told apart then.
    with_log: bool,
    is_terminal: bool,
    error: Option<Style>,
}

impl Lines {
    /// Lines of the logs in these places, on standard output. Colours are for terminals, unless `NO_COLOR` is set.
    pub(super) fn new(places: &[LogPlace], timestamps: bool) -> Self {
        let is_terminal = io::stdout().is_terminal();
        let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let error = (is_terminal && !is_plain).then(|| AnsiColor::Red.on_default());
        Self { timestamps, with_log: places.len() > 1, is_terminal, error }
    }

    /// An event of a stream, without a line end.
    pub(super) fn line(&self, key: &StreamKey, event: &LogEvent) -> String {
        let mut line = String::new();
        // Writing to a String does not fail.
        if self.timestamps {
            let at = Timestamp::from_millisecond(event.timestamp).unwrap_or_default();
            let _ = write!(line, "{at:.3} ");
        }
        let log = self.with_log.then_some(match key.log {
            Log::Output => "output",
            Log::Error => "error",
            Log::Continuous => "continuous",
        });
        let executor = match &key.writer {
            Writer::Driver => None,
            Writer::Executor(name) => Some(name.as_str()),
        };
        match (log, executor) {
            (None, None) => {}
            (Some(one), None) | (None, Some(one)) => line.extend(["[", one, "] "]),
            (Some(log), Some(executor)) => line.extend(["[", log, " ", executor, "] "]),
        }
        // On a terminal, a log must not be able to control it.
        let message = if self.is_terminal { printable(&event.message) } else { event.message.clone() };
        match self.error.filter(|_| is_error(&message)) {
            Some(style) => {
                let _ = write!(line, "{style}{message}{style:#}");
            }
            None => line.push_str(&message),
        }
        line
    }
}

/// Whether a line says that something went wrong: by its level, or as the name of an exception.
fn is_error(line: &str) -> bool {
    let is_level = |word: &str| LEVELS.contains(&word.trim_matches(|letter: char| !letter.is_ascii_alphabetic()));
    let first = line.split([':', ' ']).next().unwrap_or_default();
    let is_exception = first.len() > "Error".len() && (first.ends_with("Error") || first.ends_with("Exception"));
    line.starts_with(TRACEBACK) || is_exception || line.split_whitespace().take(6).any(is_level)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(writer: Writer) -> StreamKey {
        StreamKey { writer, log: Log::Error, group: "/g".to_owned(), stream: "s".to_owned() }
    }

    fn event(message: &str) -> LogEvent {
        LogEvent { timestamp: 1_767_225_600_250, ingested: 0, message: message.to_owned() }
    }

    #[test]
    fn a_line_names_what_tells_it_from_others() {
        let executor = || key(Writer::Executor("2".to_owned()));
        let plain = Lines { timestamps: false, with_log: false, is_terminal: false, error: None };
        assert_eq!(plain.line(&key(Writer::Driver), &event("a\u{1b}[1mb")), "a\u{1b}[1mb");
        assert_eq!(plain.line(&executor(), &event("a")), "[2] a");
        let all = Lines { timestamps: true, with_log: true, ..plain };
        assert_eq!(all.line(&executor(), &event("a")), "2026-01-01T00:00:00.250Z [error 2] a");
        assert_eq!(all.line(&key(Writer::Driver), &event("a")), "2026-01-01T00:00:00.250Z [error] a");
    }

    #[test]
    fn on_a_terminal_errors_are_red_and_nothing_else_controls_it() {
        let error = Some(AnsiColor::Red.on_default());
        let lines = Lines { timestamps: false, with_log: false, is_terminal: true, error };
        let driver = key(Writer::Driver);
        for (message, is_red) in [
            ("Traceback (most recent call last):", true),
            ("KeyError: 'day'", true),
            ("py4j.protocol.Py4JJavaError: An error occurred", true),
            ("java.lang.IllegalStateException", true),
            ("2026-01-01 00:00:00,123 ERROR [main] Client: no", true),
            ("24/01/31 12:00:00 [ERROR] no", true),
            ("24/01/31 12:00:00 INFO ok: 0 ERRORS", false),
            ("Error", false),
            ("done", false),
            ("", false),
        ] {
            assert_eq!(lines.line(&driver, &event(message)).starts_with("\u{1b}[31m"), is_red, "{message}");
        }
        assert_eq!(lines.line(&driver, &event("a\u{1b}[2Jb")), "a\u{fffd}[2Jb");
    }
}
