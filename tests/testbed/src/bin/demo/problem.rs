//! Why the demo did not come out.

use kube_glue_testbed::Error;

/// Why the demo did not come out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A part of the bed failed.
    #[error(transparent)]
    Bed(#[from] Error),
    /// The double could not listen.
    #[error("starting the double of AWS Glue: {0}")]
    Double(#[from] kube_glue_double::ListenError),
    /// The double refused what the samples need.
    #[error("preparing the double of AWS Glue: {0}")]
    Prepare(#[from] kube_glue_double::AwsError),
    /// Watching an object failed.
    #[error("watching {0}: {1}")]
    Watch(String, kube::runtime::watcher::Error),
    /// Something came out otherwise than it should.
    #[error("{0}")]
    Outcome(String),
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// An error unless `holds`.
pub(crate) fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::Outcome(otherwise())) }
}
