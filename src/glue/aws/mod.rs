//! The adapter to the AWS SDK.
//!
//! SDK retries are disabled: a retry after a lost response could start a job twice, and the callers repeat all other
//! calls themselves. Each call waits for the [`Budget`], has a timeout, is counted in the metrics, and returns the types
//! of [`crate::glue`].

mod batching;
mod cached_credentials;
mod config;
mod connections;
mod crawlers;
mod errors;
mod job_runs;
mod signer;
mod stops;
#[cfg(test)]
mod tests;
mod triggers;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use self::batching::PendingBatches;
pub use self::config::AwsConfig;
pub(crate) use self::connections::is_known_type;
use self::errors::SdkError;
use self::signer::Signer;
use super::budget::{Budget, Budgets, Priority, RateLimitScope};
use super::connections::DeleteOutcome;
use super::identity::{CallerIdentity, Identity};
use super::job_runs::StopOutcome;
use super::{Error, ErrorKind};
use crate::metrics::Metrics;

/// A Glue client for one identity in one region. Cheap to clone.
#[derive(Clone)]
pub struct Glue {
    inner: Arc<Inner>,
}

struct Inner {
    sdk: aws_sdk_glue::Client,
    identity: Identity,
    signer: Signer,
    /// Whether AWS did not accept the credentials of the last call.
    credentials_refused: AtomicBool,
    /// The budget until the account is known.
    own_budget: Arc<Budget>,
    /// The budget of the account and region.
    shared_budget: OnceLock<Arc<Budget>>,
    budgets: Budgets,
    pending_stops: PendingBatches<StopOutcome>,
    pending_deletions: PendingBatches<DeleteOutcome>,
    metrics: Metrics,
    run_key_argument: Option<String>,
}

/// A weak reference to a [`Glue`] client.
pub struct WeakGlue(Weak<Inner>);

impl WeakGlue {
    /// The client, unless it has been dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<Glue> {
        self.0.upgrade().map(|inner| Glue { inner })
    }
}

/// Clients are compared by pointer, since [`Clients`](crate::glue::Clients) has one per identity.
impl PartialEq for Glue {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl Eq for Glue {}

impl std::hash::Hash for Glue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.inner).hash(state);
    }
}

impl std::fmt::Debug for Glue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Glue").field("identity", &self.inner.identity).finish_non_exhaustive()
    }
}

impl Glue {
    /// A client for `identity`. The first call fetches its credentials, and later calls renew them before they expire.
    #[must_use]
    pub(super) fn new(config: &AwsConfig, identity: Identity) -> Self {
        let signer = Signer::new(config, &identity);
        let mut sdk = aws_sdk_glue::config::Builder::from(&signer.config);
        if let Some(url) = &identity.endpoints.glue {
            sdk = sdk.endpoint_url(url);
        }
        Self {
            inner: Arc::new(Inner {
                sdk: aws_sdk_glue::Client::from_conf(sdk.build()),
                identity,
                signer,
                credentials_refused: AtomicBool::new(false),
                own_budget: Arc::default(),
                shared_budget: OnceLock::new(),
                budgets: config.budgets.clone(),
                pending_stops: PendingBatches::default(),
                pending_deletions: PendingBatches::default(),
                metrics: config.metrics.clone(),
                run_key_argument: config.run_key_argument.clone(),
            }),
        }
    }

    /// A weak reference to the client.
    #[must_use]
    pub fn downgrade(&self) -> WeakGlue {
        WeakGlue(Arc::downgrade(&self.inner))
    }

    /// The identity that makes the calls.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// The caller identity, once AWS has reported it. Until then, each call of this method may start a lookup in the
    /// background.
    #[must_use]
    pub fn caller_identity(&self) -> Option<CallerIdentity> {
        let caller = self.inner.signer.caller_identity();
        if caller.is_none() && self.inner.signer.begin_caller_lookup() {
            let client = self.clone();
            tokio::spawn(async move { client.inner.signer.look_up_caller().await });
        }
        caller
    }

    /// Whether AWS did not accept the credentials of the last call.
    #[must_use]
    pub fn are_credentials_refused(&self) -> bool {
        self.inner.credentials_refused.load(Ordering::Relaxed)
    }

    /// The job argument that carries a run's key; `None` where runs carry none.
    #[must_use]
    pub fn run_key_argument(&self) -> Option<&str> {
        self.inner.run_key_argument.as_deref()
    }

    /// Waits until the rate limit allows a start. The caller does so before it writes the intent, so that the start
    /// itself follows without a wait.
    pub async fn acquire_start_token(&self) {
        self.budget().acquire(Priority::Start).await;
    }

    fn budget(&self) -> &Budget {
        let Inner { identity, signer, own_budget, shared_budget, budgets, .. } = &*self.inner;
        if let Some(shared) = shared_budget.get() {
            return shared;
        }
        let Some(caller) = signer.caller_identity() else { return own_budget };
        shared_budget.get_or_init(|| {
            let (region, endpoint) = (identity.region.clone(), identity.endpoints.glue.clone());
            budgets.share(RateLimitScope { account: caller.account_id, region, endpoint }, own_budget)
        })
    }

    /// Makes one call: waits for the budget, records the metrics, and maps the error.
    async fn call<T, E, F>(
        &self,
        operation: &'static str,
        object: String,
        priority: Priority,
        request: F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if priority != Priority::Acquired {
            self.budget().acquire(priority).await;
        }
        let sent_at = Instant::now();
        let response = request.await.map_err(|error| errors::map(operation, object, &error));
        let code = response.as_ref().err().map(|error| error.code.as_str());
        self.inner.metrics.aws_call(operation, code, sent_at.elapsed());
        self.check_credentials(response.as_ref().err(), sent_at).await;
        match &response {
            Err(error) if error.kind == ErrorKind::Throttled => {
                self.inner.metrics.aws_throttled(operation);
                self.budget().record_throttle();
            }
            _ => self.budget().record_response(),
        }
        response
    }

    /// Records whether AWS accepted the credentials, and discards them if not.
    async fn check_credentials(&self, error: Option<&Error>, sent_at: Instant) {
        let refused = error.is_some_and(|error| error.kind == ErrorKind::ExpiredCredentials);
        self.inner.credentials_refused.store(refused, Ordering::Relaxed);
        if refused {
            self.inner.signer.invalidate_credentials(sent_at).await;
        }
    }
}

/// A time of the SDK, in whole seconds.
fn timestamp(time: aws_smithy_types::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}

/// Glue returns an empty string in place of none.
fn non_empty(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Whether a credentials provider failed.
fn is_credentials_error(error: &(dyn std::error::Error + 'static)) -> bool {
    errors::causes(error).any(<dyn std::error::Error>::is::<CredentialsError>)
}
