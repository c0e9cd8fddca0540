//! What can go wrong in the test bed, each with the operation that was under way.

use std::{fmt, io, path::PathBuf, process::ExitStatus, time::Duration};

/// A result of the test bed.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong. Its debug form is its message, so that a test that unwraps it prints something to read.
#[derive(thiserror::Error)]
pub enum Error {
    /// A file, folder, pipe or process of this machine.
    #[error("{doing}: {source}")]
    Io {
        /// The operation, with the path or program it concerns.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// The Go toolchain is missing or too old to build what is missing.
    #[error(
        "the test bed has to build {missing} and needs Go {needed} or newer for it: {found}. \
         Install it from https://go.dev/dl, or point KUBEBUILDER_ASSETS at a folder that holds these programs."
    )]
    Go {
        /// The programs that are to be built.
        missing: String,
        /// The oldest Go version that builds them.
        needed: String,
        /// What was found in its place.
        found: String,
    },
    /// `go build` failed.
    #[error("building {program} failed ({status}); the last lines of go build:\n{output}")]
    Build {
        /// The program that was being built.
        program: &'static str,
        /// How go ended.
        status: ExitStatus,
        /// The end of what it printed.
        output: String,
    },
    /// A part of the control plane ended when it should have gone on.
    #[error("{program} ended ({status}); the end of its log {}:\n{tail}", log.display())]
    Ended {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log, for as long as the bed stands.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// A condition did not come about in time.
    #[error("{what} did not come about within {after:?}: {last}")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        after: Duration,
        /// What was seen last.
        last: String,
    },
    /// kubectl, helm or another command ended with an error.
    #[error("`{command}` failed ({status})\n{stderr}{stdout}")]
    Command {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
        /// What it printed to standard output.
        stdout: String,
        /// What it printed to standard error.
        stderr: String,
    },
    /// A request to the API server.
    #[error("{doing}: {source}")]
    Kube {
        /// The operation.
        doing: String,
        /// What the client said.
        source: Box<kube::Error>,
    },
    /// The bed's own keys and certificates.
    #[error("making the control plane's keys: {0}")]
    Keys(#[from] rcgen::Error),
    /// A kubeconfig that the bed wrote could not be read back.
    #[error("reading the bed's kubeconfig: {0}")]
    Kubeconfig(#[from] kube::config::KubeconfigError),
    /// No such pod, or it is not in the state that was asked for.
    #[error("pod {pod}: {problem}")]
    Pod {
        /// The pod's name.
        pod: String,
        /// What is missing.
        problem: String,
    },
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Error {
    /// For `map_err`: names the operation that a system error interrupted.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// For `map_err`: names the operation that an API error interrupted.
    pub(crate) fn kube(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Kube { doing, source: Box::new(source) }
    }
}

/// The last `lines` lines of `text`.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
