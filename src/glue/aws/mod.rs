//! The adapter to the AWS SDK.
//!
//! SDK retries are disabled: a retry after a lost response could start a job twice, and the callers repeat all other
//! calls themselves. Each call waits for the [`RateLimiter`](crate::glue::rate_limiter::RateLimiter), has a timeout, is counted in the metrics, and returns the types
//! of [`crate::glue`].

mod batching;
mod cached_credentials;
mod client;
mod config;
mod connections;
mod crawlers;
mod errors;
mod job_runs;
mod signer;
mod stops;
#[cfg(test)]
mod tests;
mod triggers;

use aws_credential_types::provider::error::CredentialsError;

pub use self::client::{Glue, StartPlace, WeakGlue};
pub use self::config::AwsConfig;
pub(crate) use self::connections::is_known_type;

/// A time of the SDK, in whole seconds.
fn timestamp(time: aws_smithy_types::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}

/// Glue returns an empty string in place of none.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Whether a credentials provider failed.
fn is_credentials_error(error: &(dyn std::error::Error + 'static)) -> bool {
    errors::causes(error).any(<dyn std::error::Error>::is::<CredentialsError>)
}
