//! What all clients have in common.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use tokio::sync::Notify;

use super::cached_credentials::{CachedCredentials, Upstream};
use super::http::{self, CaBundleError};
use super::providers::Providers;
use crate::glue::rate_limiter::scope::RateLimiters;
use crate::metrics::Metrics;

/// What goes before AWS's environment variables and files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The profile of the files.
    pub profile: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The URL of all services.
    pub endpoint_url: Option<String>,
}

/// The controller's own AWS configuration, and what else its clients share. Cheap to clone.
#[derive(Clone)]
pub struct AwsConfig {
    pub(super) sdk: SdkConfig,
    /// The controller's own credentials, shared by all identities that use them.
    pub(super) controller_credentials: Option<Arc<CachedCredentials>>,
    pub(super) limiters: RateLimiters,
    pub(super) metrics: Metrics,
    pub(super) run_key_argument: Option<String>,
    /// Notified when one of the clients has at most one reference.
    pub(super) unused: Arc<Notify>,
}

impl AwsConfig {
    /// Reads AWS's environment variables and files (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_PROFILE`, ...).
    /// `timeout` bounds each call; `run_key_argument` names the job argument that carries a run's key.
    pub async fn load(
        timeout: Duration,
        run_key_argument: Option<String>,
        metrics: Metrics,
    ) -> Result<Self, CaBundleError> {
        Self::load_with(Overrides::default(), timeout, run_key_argument, metrics).await
    }

    /// The same, with what goes before the environment.
    pub async fn load_with(
        overrides: Overrides,
        timeout: Duration,
        run_key_argument: Option<String>,
        metrics: Metrics,
    ) -> Result<Self, CaBundleError> {
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http::client()?);
        if let Some(profile) = overrides.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = overrides.region {
            loader = loader.region(Region::new(region));
        }
        if let Some(url) = overrides.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let config = Box::pin(Self::from_loader(loader, timeout, run_key_argument, metrics)).await;
        // The files of the environment may change while the process runs.
        let providers = Providers::Environment(Box::new(config.sdk.clone()));
        Ok(Self { controller_credentials: Some(controller_credentials(providers)), ..config })
    }

    pub(super) async fn from_loader(
        loader: ConfigLoader,
        timeout: Duration,
        run_key_argument: Option<String>,
        metrics: Metrics,
    ) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .operation_timeout(timeout)
            .build();
        let sdk = loader.retry_config(RetryConfig::disabled()).timeout_config(timeouts).load().await;
        let provider = sdk.credentials_provider();
        let controller_credentials = provider.map(|provider| controller_credentials(Providers::Fixed(provider)));
        let (limiters, unused) = (RateLimiters::default(), Arc::default());
        Self { sdk, controller_credentials, limiters, metrics, run_key_argument, unused }
    }

    /// The same configuration with what the operator has said about the calls of polls: how many are allowed in a minute,
    /// for each account and region.
    #[must_use]
    pub fn with_poll_calls_per_minute(self, calls: Option<u32>) -> Self {
        Self { limiters: RateLimiters::new(calls), ..self }
    }

    /// Waits until one of the clients has at most one reference, such as that of a cache, since the last wait. For one
    /// task at a time.
    pub(in crate::glue) async fn client_unused(&self) {
        self.unused.notified().await;
    }

    /// The region of the configuration.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.sdk.region().map(ToString::to_string)
    }
}

fn controller_credentials(providers: Providers) -> Arc<CachedCredentials> {
    let name = "the controller itself".to_owned();
    Arc::new(CachedCredentials::new(Upstream::Provider { providers, name }))
}
