//! AWS schedules, `cron(minutes hours day-of-month month day-of-week year)` in UTC: a description, and the next time.
//!
//! AWS counts the days of the week from 1 for Sunday, and a question mark leaves one of the two day fields open
//! (AWS Glue developer guide, "Time-based schedules for jobs and crawlers").

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;

/// A parsed schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
}

impl Schedule {
    /// Parses an expression; `None` where it is not an AWS cron expression.
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

    /// An English description, such as `At 12:15, UTC`.
    #[must_use]
    pub fn describe(&self) -> String {
        let description = self.cron.describe();
        format!("{}, UTC", description.trim_end_matches('.'))
    }

    /// The next time after `now`; `None` where the schedule has no later one.
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
    fn the_documented_examples_fire_at_the_documented_times() {
        let monday = "2026-11-23T10:03:00Z";
        for (expression, after, expected) in [
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
            assert_eq!(next(expression, after), expected, "{expression}");
        }
    }

    #[test]
    fn a_schedule_is_described_in_english() {
        for (expression, description) in [
            ("cron(15 12 * * ? *)", "At 12:15, UTC"),
            ("cron(0 18 ? * 1 *)", "At 18:00, on Sunday, UTC"),
            ("cron(0 8 1 * ? *)", "At 08:00, on day 1, UTC"),
            ("cron(0 0 1 1 ? 2026)", "At 00:00, on day 1, in January, in year 2026, UTC"),
        ] {
            assert_eq!(Schedule::parse(expression).unwrap().describe(), description);
        }
    }

    #[test]
    fn an_invalid_expression_is_not_parsed() {
        for wrong in ["", "15 12 * * ? *", "cron(15 12 * * *)", "rate(5 minutes)", "cron(a b c d e f)"] {
            assert!(Schedule::parse(wrong).is_none(), "{wrong}");
        }
    }
}
