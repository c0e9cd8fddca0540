//! The way to the API server, by kubectl's own flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};

use super::error::PluginError;
use super::kind::Kind;
use super::target::Target;
use crate::api_server;

/// kubectl's flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Flags of kubectl")]
pub(super) struct Connection {
    /// The namespace; by default that of the context
    #[arg(short, long, global = true)]
    namespace: Option<String>,
    /// The context of the kubeconfig
    #[arg(long, global = true)]
    context: Option<String>,
    /// The cluster of the kubeconfig
    #[arg(long, global = true)]
    cluster: Option<String>,
    /// The user of the kubeconfig
    #[arg(long, global = true)]
    user: Option<String>,
    /// The kubeconfig file; by default those of $KUBECONFIG, else ~/.kube/config
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The address of the API server
    #[arg(short, long, global = true, value_name = "URL")]
    server: Option<http::Uri>,
    /// The bearer token
    #[arg(long, global = true, hide_env_values = true)]
    token: Option<String>,
    /// The user to act as
    #[arg(long = "as", global = true, value_name = "USER")]
    impersonate: Option<String>,
    /// A group to act as; may be repeated
    #[arg(long = "as-group", global = true, value_name = "GROUP", requires = "impersonate")]
    impersonate_groups: Vec<String>,
    /// A file with the certificates of the API server's authority
    #[arg(long, global = true, value_name = "FILE")]
    certificate_authority: Option<PathBuf>,
    /// Do not check the API server's certificate
    #[arg(long, global = true, conflicts_with = "certificate_authority")]
    insecure_skip_tls_verify: bool,
    /// How long a request may take, for example 30s; 0 is for ever
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    request_timeout: Option<Duration>,
}

/// A connected client, and the namespace in which names are looked up.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
}

impl Connection {
    /// Reads the kubeconfig and prepares the client. Nothing is sent yet.
    pub(super) async fn connect(&self) -> Result<Cluster, PluginError> {
        let config = self.apply(self.config().await?)?;
        let namespace = self.namespace.clone().unwrap_or_else(|| config.default_namespace.clone());
        let builder = api_server::builder(config).map_err(PluginError::api("connecting to the API server"))?;
        Ok(Cluster { client: builder.build(), namespace })
    }

    /// The namespace that the command line names.
    pub(super) fn chosen_namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    async fn config(&self) -> Result<Config, PluginError> {
        let Self { context, cluster, user, .. } = self.clone();
        let options = KubeConfigOptions { context, cluster, user };
        let is_chosen = self.kubeconfig.is_some() || options.context.is_some() || options.user.is_some();
        match &self.kubeconfig {
            Some(path) => Ok(Config::from_custom_kubeconfig(Kubeconfig::read_from(path)?, &options).await?),
            None if is_chosen || options.cluster.is_some() => Ok(Config::from_kubeconfig(&options).await?),
            None => Config::infer().await.map_err(|error| PluginError::NoCluster(Box::new(error))),
        }
    }

    /// What the flags say goes before what the kubeconfig says.
    fn apply(&self, mut config: Config) -> Result<Config, PluginError> {
        if let Some(server) = &self.server {
            config.cluster_url = server.clone();
        }
        if let Some(token) = &self.token {
            config.auth_info = kube::config::AuthInfo { token: Some(token.clone().into()), ..Default::default() };
        }
        if let Some(user) = &self.impersonate {
            config.auth_info.impersonate = Some(user.clone());
            config.auth_info.impersonate_groups = Some(self.impersonate_groups.clone());
        }
        if let Some(path) = &self.certificate_authority {
            let text = std::fs::read(path)
                .map_err(|error| PluginError::Usage(format!("--certificate-authority {}: {error}", path.display())))?;
            config.root_cert = Some(certificates(&text));
        }
        config.accept_invalid_certs |= self.insecure_skip_tls_verify;
        if let Some(timeout) = self.request_timeout {
            let timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
            (config.connect_timeout, config.read_timeout) = (timeout, timeout);
        }
        Ok(config)
    }
}

impl Cluster {
    /// The objects of a kind in the namespace.
    pub(super) fn objects(&self, kind: &Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &kind.resource)
    }

    /// One object.
    pub(super) async fn read(&self, target: &Target) -> Result<DynamicObject, PluginError> {
        self.objects(&target.kind).get(&target.name).await.map_err(PluginError::about("reading", target))
    }

    /// The objects of a kind in all namespaces.
    pub(super) fn everywhere(&self, kind: &Kind) -> Api<DynamicObject> {
        Api::all_with(self.client.clone(), &kind.resource)
    }
}

/// The certificates of a PEM file, as DER.
fn certificates(text: &[u8]) -> Vec<Vec<u8>> {
    pem::parse_many(text).unwrap_or_default().into_iter().map(pem::Pem::into_contents).collect()
}

/// Reads a duration as kubectl takes it: `90s`, `5m`, `1h30m`, `0`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| format!("`{text}` is not a duration such as 90s or 5m"))?;
    Duration::try_from(span).map_err(|_| format!("`{text}` is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_kubectl() {
        for (text, seconds) in [("0", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "soon", "-5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
