//! An error and its causes as a person reads them, printed where the error ends its way.

use std::error::Error;
use std::fmt::{self, Write};

/// `error` and its causes in one line. A cause that ends the text of its error is not repeated. An error of the API
/// server is shortened to the message and the code of its Status.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let status = match error.downcast_ref() {
            Some(kube::Error::Api(status)) => Some(format!("{} ({})", status.message, status.code)),
            _ => None,
        };
        // The source of this error is the Status again.
        next = if status.is_some() { None } else { error.source() };
        let message = status.unwrap_or_else(|| error.to_string());
        if !text.ends_with(&message) {
            let colon = if text.is_empty() { "" } else { ": " };
            // Writing to a String does not fail.
            let _: fmt::Result = write!(text, "{colon}{message}");
        }
    }
    text
}
