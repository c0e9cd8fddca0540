//! CloudWatch Logs, as far as the logs of runs need it.
//!
//! Log groups and streams live in a [`Region`](crate::glue::Region) beside the runs that write them: a run's script says
//! which lines it writes, when, and after which delay they can be read ([`LogLine`](crate::glue::runs::LogLine)).
//! `StartLiveTail`, an event stream, is left out.
//!
//! What rests on AWS's documentation alone names the page. It is not documented what a token skips: here it is a position
//! among the timestamps of a stream, and what is ingested later with an older timestamp lies before it, as clients of AWS
//! report it.

mod filter;
mod operations;
mod read;
mod store;
#[cfg(test)]
mod tests;
mod token;

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

pub use self::store::{LogPages, LogStore};
use crate::{error::AwsError, glue::operation::Operation, limits::Rate};

/// The calls a second that AWS allows in an account and region (Amazon CloudWatch Logs endpoints and quotas, AWS general
/// reference; `DescribeLogStreams`, CloudWatch Logs API reference).
pub const QUOTAS: [(&str, Rate); 3] = [
    ("FilterLogEvents", Rate { per_second: 5.0, burst: 5.0 }),
    ("GetLogEvents", Rate { per_second: 25.0, burst: 25.0 }),
    ("DescribeLogStreams", Rate { per_second: 25.0, burst: 25.0 }),
];

static OPERATIONS: LazyLock<HashMap<&'static str, &'static Operation>> = LazyLock::new(|| {
    let all = operations::OPERATIONS.iter().chain(read::OPERATIONS).chain(filter::OPERATIONS);
    all.map(|operation| (operation.name, operation)).collect()
});

/// An operation by its name in `X-Amz-Target`, after `Logs_20140328.`.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.get(name).copied()
}

/// How a request names its log group: by its name, or by its name or ARN.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfGroup {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
}

impl OfGroup {
    /// The group's name; one of both must be given (`GetLogEvents`, CloudWatch Logs API reference).
    fn name(&self) -> Result<&str, AwsError> {
        match (&self.log_group_name, &self.log_group_identifier) {
            (Some(name), None) => Ok(name),
            (None, Some(identifier)) => {
                Ok(identifier.split_once(":log-group:").map_or(identifier, |(_, name)| name.trim_end_matches(":*")))
            }
            _ => Err(invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")),
        }
    }
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::common("InvalidParameterException", message)
}

fn missing(what: &str) -> AwsError {
    AwsError::common("ResourceNotFoundException", format!("The specified log {what} does not exist."))
}

fn exists(what: &str) -> AwsError {
    AwsError::common("ResourceAlreadyExistsException", format!("The specified log {what} already exists"))
}
