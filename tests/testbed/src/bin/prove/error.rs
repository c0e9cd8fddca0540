//! The errors of `cargo prove`.

use kube_glue_testbed::Error;

/// Why a method came to no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProveError {
    /// A part of the test bed, a request to the API server, or an access to a file failed.
    #[error(transparent)]
    TestBed(#[from] Error),
    /// A program ended without a result.
    #[error("`{command}` {outcome}; its last lines:\n{tail}")]
    Child {
        /// Its command line.
        command: String,
        /// How it ended.
        outcome: String,
        /// The end of its output.
        tail: String,
    },
    /// It tried nothing, so that it shows nothing.
    #[error("nothing was tried: no plan, cell, guard or subject fits the flags")]
    Nothing,
    /// A program that the project does not contain is not installed.
    #[error("{program} is not installed; `{install}` installs it")]
    Missing {
        /// Its name.
        program: &'static str,
        /// The command that installs it.
        install: &'static str,
    },
    /// The user pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
