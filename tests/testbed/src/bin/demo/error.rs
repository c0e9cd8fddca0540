//! The error of the demo.

use kube_glue_testbed::Error;

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// A part of the test bed failed.
    #[error(transparent)]
    TestBed(#[from] Error),
    /// The double could not listen.
    #[error("starting the double of AWS Glue: {0}")]
    Double(#[from] kube_glue_double::ListenError),
    /// The double refused what the samples need.
    #[error("preparing the double of AWS Glue: {0}")]
    Prepare(#[from] kube_glue_double::AwsError),
    /// Watching an object failed.
    #[error("watching {0}: {1}")]
    Watch(String, kube::runtime::watcher::Error),
    /// A scenario had another outcome than expected.
    #[error("{0}")]
    Outcome(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Fails with a message unless `condition` is true.
pub(crate) fn expect(condition: bool, message: impl FnOnce() -> String) -> Result<(), DemoError> {
    if condition { Ok(()) } else { Err(DemoError::Outcome(message())) }
}
