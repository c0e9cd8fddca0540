//! Why a command cannot be carried out.

use kube::config::{InferConfigError, KubeconfigError};

use super::exit::Exit;
use super::target::Target;

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
    /// The object does not exist.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The command line contradicts itself or the object.
    #[error("{0}")]
    Usage(String),
    /// Standard output cannot be written.
    #[error("writing the output")]
    Output(#[from] std::io::Error),
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
        |source| Self::Api { doing: doing.into(), source: Box::new(source) }
    }

    /// An error of a request about one object. `doing` is what was done with it.
    pub(super) fn about<'a>(doing: &'a str, target: &'a Target) -> impl FnOnce(kube::Error) -> Self + 'a {
        move |source| match source {
            kube::Error::Api(status) if status.is_not_found() => Self::NotFound(target.full_name()),
            source => Self::api(format!("{doing} {}", target.full_name()))(source),
        }
    }

    /// How the command ends with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotFound(_) => Exit::NotFound,
            Self::Usage(_) => Exit::Usage,
            Self::Kubeconfig(_)
            | Self::NoCluster(_)
            | Self::Api { .. }
            | Self::Output(_)
            | Self::Yaml(..)
            | Self::Json(..) => Exit::Refused,
        }
    }
}
