//! The adapter to the AWS SDK.
//!
//! SDK retries are disabled: a retry after a lost response could start a job twice, and the callers repeat all other
//! calls themselves. Each call waits for the [`RateLimiter`](crate::glue::rate_limiter::RateLimiter), has a timeout, is counted in the metrics, and returns the types
//! of [`crate::glue`].

mod batching;
mod cached_credentials;
mod client;
mod config;
mod connection_types;
mod connections;
mod crawlers;
mod documents;
mod dry_calls;
mod errors;
mod http;
mod inventory;
mod job_defaults;
mod job_runs;
mod known_secrets;
mod large_stack;
mod logs;
mod post;
mod providers;
mod remembered;
mod scoped_limiter;
mod scripts;
mod signer;
mod stops;
#[cfg(test)]
pub(crate) mod tests;
mod triggers;
mod workflow_runs;

use std::cmp::Reverse;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::DateTime;

pub use self::client::{Glue, WeakGlue};
pub use self::config::{AwsConfig, Overrides};
pub use self::http::CaBundleError;
pub use self::post::{Answer, NotSent, Poster};
pub use self::workflow_runs::key_property;

/// A time of the SDK, in whole seconds.
fn timestamp(time: DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}

/// The items of a page, newest first. Glue lists them so, but does not document it. Items of the same time, and those
/// without one, keep Glue's order.
fn newest_first<T>(items: Option<Vec<T>>, started_on: impl Fn(&T) -> Option<DateTime>) -> impl Iterator<Item = T> {
    let mut items = items.unwrap_or_default();
    items.sort_by_key(|item| Reverse(started_on(item)));
    items.into_iter()
}

/// Glue returns an empty string in place of none.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Whether a credentials provider failed.
fn is_credentials_error(error: &(dyn std::error::Error + 'static)) -> bool {
    errors::causes(error).any(<dyn std::error::Error>::is::<CredentialsError>)
}
