//! Why a command cannot be carried out.

use std::path::PathBuf;

use kube::config::{InferConfigError, KubeconfigError};

use super::exit::Exit;
use super::target::Target;
use crate::glue::aws::CaBundleError;
use crate::glue::{self, ErrorKind};

/// An error, which names what was done and the object.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// The kubeconfig cannot be read, or does not have what the flags name.
    #[error("reading the kubeconfig")]
    Kubeconfig(#[from] KubeconfigError),
    /// There is neither a kubeconfig nor a service account.
    #[error("there is no kubeconfig, and this is not a pod of a cluster")]
    NoCluster(#[source] Box<InferConfigError>),
    /// A request to the API server failed.
    #[error("{doing}")]
    Api {
        /// What was done, and with which object.
        doing: String,
        /// The cause.
        #[source]
        source: Box<kube::Error>,
    },
    /// There are no credentials for AWS, or the user may not use them.
    #[error("{0}")]
    Credentials(String),
    /// AWS's clients cannot be set up.
    #[error("preparing the calls to AWS")]
    AwsConfig(#[from] Box<CaBundleError>),
    /// A call to AWS failed.
    #[error("{error}{}", in_parentheses(.remedy))]
    Aws {
        /// AWS's answer. It is no source: its words stand in the message.
        error: Box<glue::Error>,
        /// What helps; may be empty.
        remedy: String,
    },
    /// The object does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The command line contradicts itself or the object.
    #[error("{0}")]
    Usage(String),
    /// Standard output cannot be written.
    #[error("writing the output")]
    Output(#[from] std::io::Error),
    /// A file cannot be written.
    #[error("writing {}", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// An object cannot be printed.
    #[error("printing {0} as YAML")]
    Yaml(String, #[source] Box<serde_saphyr::ser::Error>),
    /// An object cannot be printed.
    #[error("printing {0} as JSON")]
    Json(String, #[source] serde_json::Error),
}

impl PluginError {
    /// An error of a request to the API server.
    pub(super) fn api(doing: impl Into<String>) -> impl FnOnce(kube::Error) -> Self {
        |source| {
            let mut doing = doing.into();
            if matches!(&source, kube::Error::Api(status) if status.code == 401) {
                doing += ": the API server does not accept your credentials, which may have expired: log in again";
            }
            Self::Api { doing, source: Box::new(source) }
        }
    }

    /// An error of a request about one object. `doing` is what was done with it.
    pub(super) fn about<'a>(doing: &'a str, target: &'a Target) -> impl FnOnce(kube::Error) -> Self + 'a {
        move |source| match source {
            kube::Error::Api(status) if status.is_not_found() => Self::NotFound(target.full_name()),
            source => Self::api(format!("{doing} {}", target.full_name()))(source),
        }
    }

    /// Whether AWS does not allow a call.
    pub(super) fn is_denied_by_aws(&self) -> bool {
        matches!(self, Self::Aws { error, .. } if error.kind == ErrorKind::Denied && error.operation != "AssumeRole")
    }

    /// How the command ends with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotFound(_) => Exit::NotFound,
            Self::Aws { error, .. } if error.kind == ErrorKind::NotFound => Exit::NotFound,
            Self::Usage(_) => Exit::Usage,
            Self::Kubeconfig(_)
            | Self::NoCluster(_)
            | Self::Api { .. }
            | Self::Credentials(_)
            | Self::AwsConfig(_)
            | Self::Aws { .. }
            | Self::Output(_)
            | Self::File { .. }
            | Self::Yaml(..)
            | Self::Json(..) => Exit::Refused,
        }
    }
}

fn in_parentheses(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}
