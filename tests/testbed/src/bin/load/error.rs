//! The errors of the benchmark.

use kube_glue_testbed::Error;

/// Why a scenario could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// A part of the test bed, a request to the API server, or an access to a file failed.
    #[error(transparent)]
    TestBed(#[from] Error),
    /// The double could not listen.
    #[error("starting the double of AWS Glue: {0}")]
    Double(#[from] kube_glue_double::ListenError),
    /// The double refused what a scenario needs.
    #[error("calling the double of AWS Glue: {0}")]
    Glue(#[from] kube_glue_double::AwsError),
    /// The program under test did not do what a scenario starts from.
    #[error("{0}")]
    Outcome(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
