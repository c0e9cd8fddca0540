//! AWS schedules, `cron(minutes hours day-of-month month day-of-week year)` in UTC: in words, and when next.
//!
//! AWS counts the days of the week from 1 for Sunday, and one of the two days is left open by a question mark
//! (AWS Glue developer guide, "Time-based schedules for jobs and crawlers").

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;

/// A schedule that was understood.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
}

impl Schedule {
    /// Reads an expression; none when it is not one that we understand.
    #[must_use]
    pub fn parse(expression: &str) -> Option<Self> {
        let fields = expression.trim().strip_prefix("cron(")?.strip_suffix(')')?;
        let parts: Vec<&str> = fields.split_whitespace().collect();
        if parts.len() != 6 {
            return None;
        }
        let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Required).alternative_weekdays(true);
        let cron = parser.build().parse(&format!("0 {}", parts.join(" "))).ok()?;
        Some(Self { cron })
    }

    /// The schedule in words for a person.
    #[must_use]
    pub fn words(&self) -> String {
        let words = self.cron.describe();
        format!("{}, UTC", words.trim_end_matches('.'))
    }

    /// The next time after `now`; none when there is none any more.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let now: DateTime<Utc> = DateTime::from_timestamp(now.as_second(), 0)?;
        let next = self.cron.find_next_occurrence(&now, false).ok()?;
        Timestamp::from_second(next.timestamp()).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let next = Schedule::parse(expression).unwrap().next_after(after.parse().unwrap());
        next.map_or_else(|| "never".to_owned(), |next| next.to_string())
    }

    /// The examples of "Time-based schedules for jobs and crawlers" in the Glue developer guide.
    #[test]
    fn the_documented_examples_mean_what_is_documented() {
        let monday = "2026-11-23T10:03:00Z";
        for (expression, after, then) in [
            ("cron(15 12 * * ? *)", monday, "2026-11-23T12:15:00Z"),
            ("cron(0 10 * * ? *)", monday, "2026-11-24T10:00:00Z"),
            ("cron(0 18 ? * MON-FRI *)", "2026-11-27T19:00:00Z", "2026-11-30T18:00:00Z"),
            ("cron(0 8 1 * ? *)", monday, "2026-12-01T08:00:00Z"),
            ("cron(0/15 * * * ? *)", monday, "2026-11-23T10:15:00Z"),
            ("cron(0/10 * ? * MON-FRI *)", monday, "2026-11-23T10:10:00Z"),
            ("cron(0/5 8-17 ? * MON-FRI *)", monday, "2026-11-23T10:05:00Z"),
            ("cron(0 0 ? * 1 *)", monday, "2026-11-29T00:00:00Z"),
            ("cron(0 0 L * ? *)", monday, "2026-11-30T00:00:00Z"),
            ("cron(0 0 1 1 ? 2026)", monday, "never"),
        ] {
            assert_eq!(next(expression, after), then, "{expression}");
        }
    }

    #[test]
    fn a_schedule_reads_as_a_sentence() {
        for (expression, words) in [
            ("cron(15 12 * * ? *)", "At 12:15, UTC"),
            ("cron(0 18 ? * 1 *)", "At 18:00, on Sunday, UTC"),
            ("cron(0 8 1 * ? *)", "At 08:00, on day 1, UTC"),
            ("cron(0 0 1 1 ? 2026)", "At 00:00, on day 1, in January, in year 2026, UTC"),
        ] {
            assert_eq!(Schedule::parse(expression).unwrap().words(), words);
        }
    }

    #[test]
    fn what_is_no_schedule_is_not_guessed_at() {
        for wrong in ["", "15 12 * * ? *", "cron(15 12 * * *)", "rate(5 minutes)", "cron(a b c d e f)"] {
            assert!(Schedule::parse(wrong).is_none(), "{wrong}");
        }
    }
}
