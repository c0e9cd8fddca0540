//! The errors that end the program. `main` prints one with its causes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::controllers::runtime::error_chain::chain;

/// Why `kube-glue` could not start or had to exit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--log` is invalid.
    #[error("invalid log filter `{filter}` (--log): expected a level such as `info`, or `info,kube_glue=debug`")]
    LogFilter {
        /// The value of `--log`.
        filter: String,
        /// The error of the parser.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The handlers of SIGTERM and SIGINT cannot be installed.
    #[error("installing the signal handlers")]
    Signals(#[source] io::Error),
    /// The address of the HTTP server is in use or not an address of this host.
    #[error("listening on {address} (--http-address)")]
    Listen {
        /// The value of `--http-address`.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// There is neither a kubeconfig nor a service account.
    #[error("finding the cluster: neither a kubeconfig (KUBECONFIG, ~/.kube/config) nor a service account can be used")]
    KubeConfig(#[source] kube::config::InferConfigError),
    /// The cluster configuration is invalid.
    #[error("creating the Kubernetes client")]
    KubeClient(#[source] kube::Error),
    /// The lease was lost while this replica was the leader.
    #[error("the lease `{lease}` was lost: another replica may act now, so this one exits")]
    LeaseLost {
        /// The lease, as namespace/name.
        lease: String,
    },
    /// The controllers failed.
    #[error("running the controllers")]
    Controllers(#[source] crate::controllers::Error),
    /// The controllers ended without an error before the shutdown.
    #[error("the controllers ended unexpectedly")]
    ControllersEnded,
    /// Calls in flight did not finish at the shutdown.
    #[error("calls in flight did not finish within {0:?}; the next start looks up their outcome")]
    ShutdownTimeout(Duration),
    /// The CRDs could not be printed.
    #[error("printing the custom resource definitions")]
    Print(#[source] io::Error),
    /// The CRDs could not be written as YAML.
    #[error("writing a custom resource definition as YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
}

impl Error {
    /// Prints the error and its causes on standard error, as a log line if logging has started.
    pub fn report(&self) {
        if tracing::dispatcher::has_been_set() {
            tracing::error!("{}", self.chain());
        } else {
            eprintln!("kube-glue: {}", self.chain());
        }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_names_each_cause_once() {
        let error = Error::Listen { address: ([0, 0, 0, 0], 8080).into(), source: io::Error::other("address in use") };
        assert_eq!(error.chain(), "listening on 0.0.0.0:8080 (--http-address): address in use");
    }

    #[test]
    fn an_error_of_the_api_server_is_its_message_and_code() {
        let status = kube::core::Status::failure("leases is forbidden", "Forbidden").with_code(403);
        let error = Error::KubeClient(kube::Error::Api(Box::new(status)));
        assert_eq!(error.chain(), "creating the Kubernetes client: leases is forbidden (403)");
    }
}
