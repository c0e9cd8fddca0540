//! Why the program ended: one small enum, printed once, with its whole chain, by `main`.

use std::{
    error::Error as StdError,
    fmt::{self, Write},
    io,
    net::SocketAddr,
    time::Duration,
};

/// Why `kube-glue` could not start or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `--log` is not a filter.
    #[error("the log filter `{filter}` (--log) is not understood; it looks like `info` or `info,kube_glue=debug`")]
    LogFilter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The signals that end the program cannot be waited for.
    #[error("waiting for signals")]
    Signals(#[source] io::Error),
    /// The HTTP server's address is taken or not ours.
    #[error("listening on {address} (--http-address)")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The HTTP server ended.
    #[error("serving HTTP")]
    Serve(#[source] io::Error),
    /// There is neither a kubeconfig nor a service account.
    #[error("finding the cluster: neither a kubeconfig (KUBECONFIG, ~/.kube/config) nor a service account can be used")]
    KubeConfig(#[source] kube::config::InferConfigError),
    /// The configuration found cannot be used.
    #[error("making a client for the cluster")]
    KubeClient(#[source] kube::Error),
    /// Another replica may act now.
    #[error("the lease `{lease}` was lost: another replica may act now, so this one ends and starts afresh")]
    LeaseLost {
        /// The lease, as namespace/name.
        lease: String,
    },
    /// The controllers ended by themselves.
    #[error("running the controllers")]
    Controllers(#[source] crate::controllers::Error),
    /// The controllers ended by themselves, and do not say why.
    #[error("the controllers ended without having been asked to")]
    ControllersEnded,
    /// What was in flight at the end did not finish.
    #[error("what was in flight did not finish within {0:?}; what it did is looked up at the next start")]
    ShutdownTimeout(Duration),
    /// The CRDs could not be printed.
    #[error("printing the custom resource definitions")]
    Print(#[source] io::Error),
    /// The CRDs could not be written as YAML.
    #[error("writing a custom resource definition as YAML")]
    Yaml(#[source] serde_saphyr::ser::Error),
}

impl Error {
    /// Says the error and everything below it on standard error: as a log line once logs are written,
    /// so that it has their format.
    pub fn report(&self) {
        if tracing::dispatcher::has_been_set() {
            tracing::error!("{}", self.chain());
        } else {
            eprintln!("kube-glue: {}", self.chain());
        }
    }

    /// The error and everything below it, in one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// `error` and everything below it, in one line; a cause that its error already quotes is not
/// repeated, and a refusal of the API server is told in its words, without the Status around them.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let refusal = match error.downcast_ref() {
            Some(kube::Error::Api(status)) => Some(format!("{} ({})", status.message, status.code)),
            _ => None,
        };
        // What stands below a refusal is the same once more.
        next = if refusal.is_some() { None } else { error.source() };
        let words = refusal.unwrap_or_else(|| error.to_string());
        if !text.ends_with(&words) {
            let colon = if text.is_empty() { "" } else { ": " };
            // Writing to a String does not fail.
            let _: fmt::Result = write!(text, "{colon}{words}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_is_told_once() {
        let error = Error::Listen { address: ([0, 0, 0, 0], 8080).into(), source: io::Error::other("address in use") };
        assert_eq!(error.chain(), "listening on 0.0.0.0:8080 (--http-address): address in use");
    }

    #[test]
    fn a_refusal_is_told_in_the_api_servers_words() {
        let status = kube::core::Status::failure("leases is forbidden", "Forbidden").with_code(403);
        let error = Error::KubeClient(kube::Error::Api(Box::new(status)));
        assert_eq!(error.chain(), "making a client for the cluster: leases is forbidden (403)");
    }
}
