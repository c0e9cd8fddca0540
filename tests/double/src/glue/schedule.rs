//! AWS schedules: `cron(minutes hours day-of-month month day-of-week year)`, in UTC.

#[cfg(test)]
mod tests;

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
