//! The tokens of pages of events.

use std::time::Duration;

use super::{invalid, store::Key};
use crate::{clock::Time, error::AwsError, glue::page};

/// "The token expires after 24 hours" (`GetLogEvents`, CloudWatch Logs API reference).
const LIFETIME: Duration = Duration::from_hours(24);

pub(super) const INVALID_TOKEN: &str = "The specified nextToken is invalid.";

/// What a token encodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token {
    /// The event that the next page follows, or precedes.
    pub key: Key,
    pub issued: Time,
    /// Whether an empty page came before.
    pub after_empty_page: bool,
}

impl Token {
    pub(super) fn write(self, list: &str) -> String {
        let Self { key: (time, number), issued, after_empty_page } = self;
        page::token(list, &format!("{time}.{number}.{}.{after_empty_page}", issued.0))
    }

    /// Reads a token of this list.
    pub(super) fn read(list: &str, token: &str, now: Time) -> Result<Self, AwsError> {
        let read = || {
            let position = page::position(list, token).ok()?;
            let mut parts = position.split('.');
            let key = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let issued = Time(parts.next()?.parse().ok()?);
            let after_empty_page = parts.next()?.parse().ok()?;
            (now.since(issued) < LIFETIME).then_some(Self { key, issued, after_empty_page })
        };
        read().ok_or_else(|| invalid(INVALID_TOKEN))
    }
}
