//! Text that must not be shown.

use std::fmt;

/// A shorter secret is not redacted: it would occur in many ordinary words.
const MIN_REDACTED_LENGTH: usize = 4;

/// Text that is never shown, in logs, errors or anywhere else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, to sign or send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `text` with each of `secrets` replaced by `[hidden]`. The longest goes first, since one may contain another.
    #[must_use]
    pub fn redact(text: &str, secrets: &[Self]) -> String {
        let secrets = secrets.iter().map(Self::expose);
        let mut secrets: Vec<_> = secrets.filter(|secret| secret.len() >= MIN_REDACTED_LENGTH).collect();
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.into_iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
