//! What stands in the way of an object, in words for a person.

use crate::glue::{Class, Error};

/// Something that stands in the way and may heal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A condition's reason.
    pub reason: String,
    /// Words for a person: what is wrong and what to do.
    pub message: String,
    /// How AWS answered, when it did.
    pub class: Option<Class>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            reason: error.class.reason().to_owned(),
            message: format!("{error} ({})", error.remedy()),
            class: Some(error.class),
        }
    }
}
