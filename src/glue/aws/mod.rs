//! The adapter on the AWS SDK.
//!
//! The SDK retries nothing here: a retry after an answer that was lost could start a job twice, and
//! for everything else the reconcile loop and the poller come back by themselves. Each call waits for
//! the [`Budget`], is bounded in time, is counted, and answers in our own types.

mod connections;
mod crawlers;
#[cfg(test)]
mod endpoints;
mod errors;
mod gather;
mod job_runs;
mod session;
mod stops;
mod sts;
mod triggers;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

pub use self::connections::is_known_type;
use self::errors::SdkError;
use self::session::{Origin, Session};
use super::budget::{Budget, Budgets, Counter, Priority};
use super::connections::DeleteAnswer;
use super::identity::{Caller, Identity};
use super::job_runs::StopAnswer;
use super::{Error, ErrorKind};
use crate::metrics::Metrics;

/// What all clients have in common: the controller's own AWS configuration, from its environment.
#[derive(Clone)]
pub struct Base {
    config: SdkConfig,
    /// The controller's own credentials, for all who may use them.
    own: Option<Arc<Session>>,
    budgets: Budgets,
    metrics: Metrics,
    run_key_argument: Option<String>,
}

impl Base {
    /// Reads AWS's own variables and files (`AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_PROFILE`, ...).
    /// `timeout` bounds each call; `run_key_argument` names the job argument that carries a run's key.
    pub async fn load(timeout: Duration, run_key_argument: Option<String>, metrics: Metrics) -> Self {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(aws_smithy_http_client::tls::Provider::Rustls(
                aws_smithy_http_client::tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        Box::pin(Self::of(loader, timeout, run_key_argument, metrics)).await
    }

    async fn of(loader: ConfigLoader, timeout: Duration, run_key_argument: Option<String>, metrics: Metrics) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(timeout.min(Duration::from_secs(5)))
            .operation_timeout(timeout)
            .build();
        let config = loader.retry_config(RetryConfig::disabled()).timeout_config(timeouts).load().await;
        let origin = |by| Origin::Given { by, name: "the controller itself".to_owned() };
        let own = config.credentials_provider().map(|by| Arc::new(Session::new(origin(by))));
        Self { config, own, budgets: Budgets::default(), metrics, run_key_argument }
    }

    /// The region that the controller itself was given.
    #[must_use]
    pub fn region(&self) -> Option<String> {
        self.config.region().map(ToString::to_string)
    }
}

/// A Glue client of one identity in one region. Cheap to clone.
#[derive(Clone)]
pub struct Glue {
    inner: Arc<Inner>,
}

struct Inner {
    sdk: aws_sdk_glue::Client,
    identity: Identity,
    signer: sts::Signer,
    /// Whether the last answer was that these credentials are not valid.
    refused: AtomicBool,
    /// The budget until it is known whose account this is.
    own_budget: Arc<Budget>,
    /// The one of the account and region.
    budget: OnceLock<Arc<Budget>>,
    budgets: Budgets,
    stops: gather::Gathered<StopAnswer>,
    deletions: gather::Gathered<DeleteAnswer>,
    metrics: Metrics,
    run_key_argument: Option<String>,
}

/// A [`Glue`] that does not keep the client alive.
pub struct WeakGlue(Weak<Inner>);

impl WeakGlue {
    /// The client, while somebody holds it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Glue> {
        self.0.upgrade().map(|inner| Glue { inner })
    }
}

/// Two clients are the same when they are one: the cache keeps one per identity.
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
    /// A client for `identity`. Its credentials are resolved at the first call, and again before they expire.
    #[must_use]
    pub fn new(base: &Base, identity: Identity) -> Self {
        let signer = sts::Signer::new(base, &identity);
        let mut config = aws_sdk_glue::config::Builder::from(&signer.config);
        if let Some(url) = &identity.endpoints.glue {
            config = config.endpoint_url(url);
        }
        let sdk = aws_sdk_glue::Client::from_conf(config.build());
        Self {
            inner: Arc::new(Inner {
                sdk,
                identity,
                signer,
                refused: AtomicBool::new(false),
                own_budget: Arc::default(),
                budget: OnceLock::new(),
                budgets: base.budgets.clone(),
                stops: gather::Gathered::default(),
                deletions: gather::Gathered::default(),
                metrics: base.metrics.clone(),
                run_key_argument: base.run_key_argument.clone(),
            }),
        }
    }

    /// The same client, held weakly.
    #[must_use]
    pub fn downgrade(&self) -> WeakGlue {
        WeakGlue(Arc::downgrade(&self.inner))
    }

    /// As whom this client calls.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// Whom AWS takes this client for, once it has said so. Where it has not, it is asked in the background.
    #[must_use]
    pub fn caller(&self) -> Option<Caller> {
        let caller = self.inner.signer.caller();
        if caller.is_none() && self.inner.signer.should_ask() {
            let client = self.clone();
            tokio::spawn(async move { client.inner.signer.ask().await });
        }
        caller
    }

    /// Whether the last answer was that these credentials are not valid.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.inner.refused.load(Ordering::Relaxed)
    }

    /// The job argument that carries a run's key, unless that is switched off.
    #[must_use]
    pub fn run_key_argument(&self) -> Option<&str> {
        self.inner.run_key_argument.as_deref()
    }

    /// Waits until a start may be sent. Taken before the intent is written, so that nothing waits between the two.
    pub async fn ready_to_start(&self) {
        self.budget().take(Priority::Start).await;
    }

    fn budget(&self) -> &Budget {
        let Inner { identity, signer, own_budget, budget, budgets, .. } = &*self.inner;
        if let Some(shared) = budget.get() {
            return shared;
        }
        let Some(caller) = signer.caller() else { return own_budget };
        budget.get_or_init(|| {
            let (region, endpoint) = (identity.region.clone(), identity.endpoints.glue.clone());
            budgets.join(Counter { account: caller.account_id, region, endpoint }, own_budget)
        })
    }

    /// Makes one call: after the budget's word, timed, counted, its error mapped.
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
        if priority != Priority::Taken {
            self.budget().take(priority).await;
        }
        let sent = Instant::now();
        let answer = request.await.map_err(|error| errors::map(operation, object, &error));
        let code = answer.as_ref().err().map(|error| error.code.as_str());
        self.inner.metrics.aws_call(operation, code, sent.elapsed());
        self.learn(answer.as_ref().err(), sent).await;
        match &answer {
            Err(error) if error.kind == ErrorKind::Throttled => {
                self.inner.metrics.aws_throttled(operation);
                self.budget().throttled();
            }
            _ => self.budget().answered(),
        }
        answer
    }
}

impl Glue {
    /// Takes note of what an answer says about our credentials.
    async fn learn(&self, error: Option<&Error>, sent: Instant) {
        let refused = error.is_some_and(|error| error.kind == ErrorKind::ExpiredCredentials);
        self.inner.refused.store(refused, Ordering::Relaxed);
        if refused {
            self.inner.signer.refused(sent).await;
        }
    }
}

/// A time of the SDK's, to the second.
fn timestamp(time: aws_smithy_types::DateTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_second(time.secs()).ok()
}

/// Glue does not tell an empty string from none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Whether `error` or one of its causes says that no credentials could be had.
fn is_credentials_error(error: &(dyn std::error::Error + 'static)) -> bool {
    errors::causes(error).any(<dyn std::error::Error>::is::<CredentialsError>)
}
