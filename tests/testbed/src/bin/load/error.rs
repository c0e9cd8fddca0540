//! The errors of the benchmark.

use kube_glue_testbed::Error;

/// Why a scenario could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// A part of the test bed failed.
    #[error(transparent)]
    TestBed(#[from] Error),
    /// The double could not listen.
    #[error("starting the double of AWS Glue: {0}")]
    Double(#[from] kube_glue_double::ListenError),
    /// The double refused what a scenario needs.
    #[error("calling the double of AWS Glue: {0}")]
    Glue(#[from] kube_glue_double::AwsError),
    /// A request to the API server failed.
    #[error("{0}: {1}")]
    Kube(&'static str, Box<kube::Error>),
    /// A file could not be read or written.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// The program under test did not do what a scenario starts from.
    #[error("{0}")]
    Outcome(String),
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

impl LoadError {
    /// For `map_err`: adds the operation to an API error.
    pub(crate) fn kube(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |error| Self::Kube(doing, Box::new(error))
    }

    /// For `map_err`: adds the operation to a system error.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |error| Self::Io(doing, error)
    }
}
