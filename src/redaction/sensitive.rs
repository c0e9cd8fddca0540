//! Text that must not be shown.

use std::fmt;
use std::hash::{Hash, Hasher};

use zeroize::Zeroizing;

/// Text that is never shown, in logs, errors or anywhere else, and is overwritten in memory when it is dropped.
///
/// What cannot be overwritten: the copies that the AWS SDK, the HTTP and TLS libraries and the Kubernetes client make to
/// sign, send and receive it.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(Zeroizing<String>);

impl Sensitive {
    /// Wraps `text`.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, to sign or send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Hash for Sensitive {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// The text is asked, not `Sensitive`, which could claim the trait and overwrite nothing.
    #[test]
    fn a_value_is_overwritten_when_it_is_dropped() {
        fn is_overwritten<T: ZeroizeOnDrop>(_: &T) {}
        is_overwritten(&Sensitive::new("hunter2".to_owned()).0);
    }
}
