//! Where the controller's own credentials, and those of its profiles, come from.
//!
//! The SDK's providers read the files of AWS's configuration once: a file that is missing then stays missing, and one that
//! is rotated is not read again. So a provider is built anew for each fetch. Fetches are rare, see
//! [`cached_credentials`](super::cached_credentials).

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials, Result, SharedCredentialsProvider};

/// Builds the provider of each fetch.
#[derive(Debug)]
pub(super) enum Providers {
    /// The default chain: environment, default profile, web identity, container, instance. It has the region and the HTTP
    /// client of this configuration.
    Environment(Box<SdkConfig>),
    /// A profile of AWS's files.
    Profile {
        /// As for the environment.
        sdk: Box<SdkConfig>,
        /// The profile's name.
        name: String,
    },
    /// Always this one.
    Fixed(SharedCredentialsProvider),
}

impl Providers {
    /// The credentials as the environment and the files have them now.
    pub(super) async fn provide_credentials(&self) -> Result {
        match self {
            Self::Environment(sdk) => {
                let chain = DefaultCredentialsChain::builder().configure(provider_config(sdk));
                let chain = match sdk.region() {
                    Some(region) => chain.region(region.clone()),
                    None => chain,
                };
                chain.build().await.provide_credentials().await
            }
            Self::Profile { sdk, name } => {
                let config = provider_config(sdk);
                let profile = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
                profile.provide_credentials().await
            }
            Self::Fixed(provider) => provider.provide_credentials().await,
        }
    }
}

/// A new configuration: the SDK keeps the files that it has parsed in each, and in its copies.
fn provider_config(sdk: &SdkConfig) -> ProviderConfig {
    let config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack());
    match sdk.http_client() {
        Some(http) => config.with_http_client(http),
        None => config,
    }
}
