//! What stands in the way of an object, in words for a person.

use crate::glue::identity::Provenance;
use crate::glue::{Error, ErrorKind};

/// Something that stands in the way and may heal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A condition's reason.
    pub reason: String,
    /// Words for a person: what is wrong and what to do.
    pub message: String,
    /// How AWS answered, when it did.
    pub kind: Option<ErrorKind>,
}

impl Problem {
    /// What AWS answered somebody whose credentials come from there.
    #[must_use]
    pub fn of(error: &Error, from: Option<&Provenance>) -> Self {
        let remedy = from.map(|from| format!(" ({})", error.remedy(from)));
        Self {
            reason: error.kind.reason().to_owned(),
            message: format!("{error}{}", remedy.unwrap_or_default()),
            kind: Some(error.kind),
        }
    }
}
