//! AWS schedules: `cron(minutes hours day-of-month month day-of-week year)`, in UTC.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use crate::{clock::Time, error::AwsError};

/// A parsed schedule.
#[derive(Clone, Debug)]
pub struct Schedule {
    expression: String,
    cron: Cron,
}

impl Schedule {
    /// Parses an expression; `InvalidInputException` when Glue would refuse it.
    pub fn parse(expression: &str) -> Result<Self, AwsError> {
        let refuse = || AwsError::invalid(format!("Schedule {expression} is not a valid cron expression."));
        let fields = expression.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(refuse)?;
        let parts: Vec<&str> = fields.split_whitespace().collect();
        // There are six fields, and exactly one of the two day fields is a question mark (Time-based schedules for jobs
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

    /// The expression, unchanged.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The next scheduled time after `time`, if there is one.
    #[must_use]
    pub fn next_after(&self, time: Time) -> Option<Time> {
        let time: DateTime<Utc> = DateTime::from_timestamp_millis(time.0)?;
        let next = self.cron.find_next_occurrence(&time, false).ok()?;
        Some(Time(next.timestamp_millis()))
    }
}
