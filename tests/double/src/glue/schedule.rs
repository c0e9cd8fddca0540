//! AWS schedules: `cron(minutes hours day-of-month month day-of-week year)`, in UTC.

use chrono::{DateTime, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::{clock::Time, error::AwsError};

/// A schedule that was understood.
#[derive(Clone, Debug)]
pub struct Schedule {
    expression: String,
    cron: Cron,
}

impl Schedule {
    /// Reads an expression as Glue takes it.
    pub fn parse(expression: &str) -> Result<Self, AwsError> {
        let refuse = || AwsError::invalid(format!("Schedule {expression} is not a valid cron expression."));
        let fields = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(refuse)?;
        let parts: Vec<&str> = fields.split_whitespace().collect();
        // Six fields, and one of the two days is left open by a question mark (Time-based schedules for jobs
        // and crawlers).
        let &[_, _, day_of_month, _, day_of_week, _] = parts.as_slice() else { return Err(refuse()) };
        if (day_of_month == "?") == (day_of_week == "?") {
            return Err(refuse());
        }
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .build()
            .parse(&format!("0 {}", parts.join(" ")))
            .map_err(|_| refuse())?;
        Ok(Self { expression: expression.to_owned(), cron })
    }

    /// The expression as it was given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The next time after `time`; none when there is none any more.
    #[must_use]
    pub fn next_after(&self, time: Time) -> Option<Time> {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(time.0)?;
        let next = self.cron.find_next_occurrence(&time, false).ok()?;
        Some(Time(next.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, after: &str) -> String {
        let after: jiff::Timestamp = after.parse().unwrap();
        let next = Schedule::parse(expression).unwrap().next_after(Time(after.as_millisecond()));
        next.map_or_else(|| "never".to_owned(), |next| next.timestamp().to_string())
    }

    /// The examples of "Time-based schedules for jobs and crawlers" in the Glue developer guide.
    #[test]
    fn the_documented_examples_mean_what_is_documented() {
        let monday = "2026-11-23T10:03:00Z";
        assert_eq!(next("cron(15 12 * * ? *)", monday), "2026-11-23T12:15:00Z");
        assert_eq!(next("cron(0 10 * * ? *)", monday), "2026-11-24T10:00:00Z");
        assert_eq!(next("cron(0 18 ? * MON-FRI *)", "2026-11-27T19:00:00Z"), "2026-11-30T18:00:00Z");
        assert_eq!(next("cron(0 8 1 * ? *)", monday), "2026-12-01T08:00:00Z");
        assert_eq!(next("cron(0/15 * * * ? *)", monday), "2026-11-23T10:15:00Z");
        assert_eq!(next("cron(0/10 * ? * MON-FRI *)", monday), "2026-11-23T10:10:00Z");
        assert_eq!(next("cron(0/5 8-17 ? * MON-FRI *)", monday), "2026-11-23T10:05:00Z");
    }

    #[test]
    fn days_of_the_week_count_from_sunday_and_years_end() {
        assert_eq!(next("cron(0 0 ? * 1 *)", "2026-11-23T10:03:00Z"), "2026-11-29T00:00:00Z");
        assert_eq!(next("cron(0 0 L * ? *)", "2026-11-23T10:03:00Z"), "2026-11-30T00:00:00Z");
        assert_eq!(next("cron(0 0 1 1 ? 2026)", "2026-11-23T10:03:00Z"), "never");
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for wrong in
            ["", "15 12 * * ? *", "cron(15 12 * * *)", "cron(15 12 * * * *)", "cron(15 12 ? * ? *)", "rate(5 minutes)"]
        {
            assert_eq!(Schedule::parse(wrong).unwrap_err().code, "InvalidInputException", "{wrong}");
        }
    }
}
