//! The errors of `cargo side-by-side`.

use kube_glue_double::{AwsError, ListenError};
use kube_glue_testbed::Error;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SideBySideError {
    /// A part of the test bed, a command, or an access to a file failed.
    #[error(transparent)]
    TestBed(#[from] Error),
    /// The double could not listen.
    #[error("starting the double of AWS Glue: {0}")]
    Double(#[from] ListenError),
    /// The double refused a part of the account.
    #[error("preparing the double of AWS Glue: {0}")]
    Prepare(#[from] AwsError),
    /// The connector printed something else than its script says.
    #[error("reading what the connector saw: {0}")]
    Printed(#[from] serde_json::Error),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
