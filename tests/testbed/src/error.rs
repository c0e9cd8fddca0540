//! The errors of the test bed. Each names the operation that failed.

use std::{fmt, io, path::PathBuf, process::ExitStatus, time::Duration};

/// The result of an operation of the test bed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the test bed. `Debug` prints the message, for tests that unwrap it.
#[derive(thiserror::Error)]
pub enum Error {
    /// An operation on a file, folder, pipe or process failed.
    #[error("{doing}: {source}")]
    Io {
        /// The operation, with the path or program it concerns.
        doing: String,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The Go toolchain is missing or too old to build the missing programs.
    #[error(
        "the test bed must build {missing} and needs Go {needed} or newer: {found}. \
         Install Go from https://go.dev/dl, or set KUBEBUILDER_ASSETS to a folder with these programs."
    )]
    Go {
        /// The programs to build.
        missing: String,
        /// The oldest Go version that builds them.
        needed: String,
        /// What was found instead.
        found: String,
    },
    /// `go build` failed.
    #[error("building {program} failed ({status}); the last lines of go build:\n{output}")]
    Build {
        /// The program to build.
        program: &'static str,
        /// The exit status of go.
        status: ExitStatus,
        /// The last lines of its output.
        output: String,
    },
    /// A program of the control plane ended unexpectedly.
    #[error("{program} ended ({status}); the end of its log {}:\n{tail}", log.display())]
    Ended {
        /// The program's name.
        program: &'static str,
        /// The exit status.
        status: ExitStatus,
        /// The path of the whole log; it is removed with the control plane.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A condition did not become true in time.
    #[error("waiting for {what}: timed out after {after:?}; last state: {last}")]
    Timeout {
        /// The condition.
        what: String,
        /// The time limit.
        after: Duration,
        /// The last observed state or error.
        last: String,
    },
    /// kubectl, Helm or another command failed.
    #[error("`{command}` failed ({status})\n{stderr}{stdout}")]
    Command {
        /// The command line.
        command: String,
        /// The exit status.
        status: ExitStatus,
        /// Its standard output.
        stdout: String,
        /// Its standard error.
        stderr: String,
    },
    /// A request to the API server failed.
    #[error("{doing}: {source}")]
    Kube {
        /// The operation.
        doing: String,
        /// The client's error.
        source: Box<kube::Error>,
    },
    /// Keys or certificates could not be made.
    #[error("making the control plane's keys: {0}")]
    Keys(#[from] rcgen::Error),
    /// A kubeconfig of the test bed could not be read.
    #[error("reading the test bed's kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// A life without disturbances did not come to its end, or not twice to the same.
    #[error("{life}, undisturbed: {problem}")]
    Life {
        /// The kind and the life.
        life: String,
        /// Why not.
        problem: String,
    },
    /// The Pod does not exist, or is not in the required state.
    #[error("pod {pod}: {problem}")]
    Pod {
        /// The Pod's name.
        pod: String,
        /// The reason.
        problem: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// For `map_err`: adds the operation to a system error.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// For `map_err`: adds the operation to an API error.
    pub fn kube(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Kube { doing, source: Box::new(source) }
    }
}

/// The last `lines` lines of `text`.
#[must_use]
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
