//! The bound on AWS error codes as label values. They come from answers of AWS, so a faulty or hostile endpoint could
//! otherwise create any number of time series.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The maximum number of codes with a label of their own. Further codes become [`OTHER`].
pub(super) const MAX_CODES: usize = 64;

/// The maximum length of a code with a label of its own, in bytes.
const MAX_CODE_LENGTH: usize = 64;

const OTHER: &str = "Other";

/// The codes that have a label of their own.
#[derive(Debug, Default)]
pub(super) struct ErrorCodes(Mutex<BTreeSet<String>>);

impl ErrorCodes {
    /// The label for `code`: the code itself if it is well-formed and within the bound, else [`OTHER`].
    pub(super) fn label(&self, code: &str) -> String {
        if !is_well_formed(code) {
            return OTHER.to_owned();
        }
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.contains(code) {
            return code.to_owned();
        }
        if codes.len() >= MAX_CODES {
            return OTHER.to_owned();
        }
        codes.insert(code.to_owned());
        code.to_owned()
    }
}

fn is_well_formed(code: &str) -> bool {
    (1..=MAX_CODE_LENGTH).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
