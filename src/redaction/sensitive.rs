//! Text that must not be shown.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Text that is never shown, in logs, errors or anywhere else, and is overwritten in memory when it is dropped.
///
/// What cannot be overwritten: the copies that the AWS SDK, the HTTP and TLS libraries and the Kubernetes client make to
/// sign, send and receive it.
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
}

impl Drop for Sensitive {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Sensitive {}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
