//! The client of one identity, and what every call has in common: the rate limiter, metrics, errors.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::Notify;

use super::batching::PendingBatches;
use super::config::AwsConfig;
use super::errors::{self, SdkError};
use super::logs::LogsClient;
use super::remembered::Remembered;
use super::scoped_limiter::ScopedLimiter;
use super::scripts::ScriptStore;
use super::signer::Signer;
use super::{connection_types, job_defaults};
use crate::failpoints;
use crate::glue::connections::DeleteOutcome;
use crate::glue::connections::description::TypeDescription;
use crate::glue::identity::{Acceptance, CallerIdentity, Identity, Role};
use crate::glue::inventory::source::Progress;
use crate::glue::job_runs::search::Histories;
use crate::glue::job_runs::{SparkDefaults, StopOutcome};
use crate::glue::rate_limiter::scope::Service;
use crate::glue::rate_limiter::{ClientId, Place, Priority, RateLimiter};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// A Glue client for one identity in one region. Cheap to clone.
pub struct Glue {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) sdk: aws_sdk_glue::Client,
    pub(super) identity: Identity,
    pub(super) signer: Signer,
    /// Whether AWS did not accept the credentials of the last call.
    pub(super) credentials_refused: AtomicBool,
    /// The client as rate limiters know it.
    pub(super) limited_as: ClientId,
    pub(super) limiter: ScopedLimiter,
    pub(super) logs: LogsClient,
    pub(super) logs_limiter: ScopedLimiter,
    pub(super) scripts: ScriptStore,
    pub(super) s3_limiter: ScopedLimiter,
    pub(super) pending_stops: PendingBatches<StopOutcome>,
    pub(super) pending_deletions: PendingBatches<DeleteOutcome>,
    pub(super) histories: Histories,
    pub(super) type_descriptions: Remembered<Arc<TypeDescription>>,
    pub(super) job_defaults: Remembered<SparkDefaults>,
    pub(super) inventories: Progress,
    pub(super) metrics: Metrics,
    pub(super) run_key_argument: Option<String>,
    /// How many references to the client there are.
    references: AtomicUsize,
    /// Notified when there is at most one.
    unused: Arc<Notify>,
}

/// A weak reference to a [`Glue`] client.
pub struct WeakGlue(Weak<Inner>);

impl WeakGlue {
    /// The client, unless it has been dropped.
    #[must_use]
    pub fn upgrade(&self) -> Option<Glue> {
        self.0.upgrade().map(Glue::counted)
    }
}

impl Clone for Glue {
    fn clone(&self) -> Self {
        Self::counted(Arc::clone(&self.inner))
    }
}

impl Drop for Glue {
    fn drop(&mut self) {
        // The last but one leaves the reference of whoever keeps the client for others.
        if self.inner.references.fetch_sub(1, Ordering::AcqRel) <= 2 {
            self.inner.unused.notify_one();
        }
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
    pub(in crate::glue) fn new(config: &AwsConfig, identity: Identity) -> Self {
        let signer = Signer::new(config, &identity);
        let mut sdk = aws_sdk_glue::config::Builder::from(&signer.config);
        if let Some(url) = &identity.endpoints.glue {
            sdk = sdk.endpoint_url(url);
        }
        Self::counted(Arc::new(Inner {
            sdk: aws_sdk_glue::Client::from_conf(sdk.build()),
            identity,
            signer,
            credentials_refused: AtomicBool::new(false),
            limited_as: ClientId::next(),
            limiter: ScopedLimiter::new(Service::Glue, &config.limiters),
            logs: LogsClient::default(),
            logs_limiter: ScopedLimiter::new(Service::Logs, &config.limiters),
            scripts: ScriptStore::default(),
            s3_limiter: ScopedLimiter::new(Service::S3, &config.limiters),
            pending_stops: PendingBatches::default(),
            pending_deletions: PendingBatches::default(),
            histories: Histories::default(),
            type_descriptions: connection_types::descriptions(),
            job_defaults: job_defaults::defaults(),
            inventories: Progress::default(),
            metrics: config.metrics.clone(),
            run_key_argument: config.run_key_argument.clone(),
            references: AtomicUsize::new(0),
            unused: Arc::clone(&config.unused),
        }))
    }

    fn counted(inner: Arc<Inner>) -> Self {
        inner.references.fetch_add(1, Ordering::AcqRel);
        Self { inner }
    }

    /// A weak reference to the client.
    #[must_use]
    pub fn downgrade(&self) -> WeakGlue {
        WeakGlue(Arc::downgrade(&self.inner))
    }

    /// Whether there are other references to the client than this one.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.inner.references.load(Ordering::Acquire) > 1
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

    /// The caller identity, by a call to STS where it is not known yet.
    pub async fn identify(&self) -> Result<CallerIdentity, Error> {
        self.inner.signer.identify().await
    }

    /// The account of the credentials, once it is known: that of a role is in its ARN, and that of keys is looked up as
    /// [`Glue::caller_identity`] is.
    #[must_use]
    pub fn account(&self) -> Option<String> {
        let of_role = self.inner.identity.role.as_ref().and_then(Role::account).map(str::to_owned);
        of_role.or_else(|| self.caller_identity().map(|caller| caller.account_id))
    }

    /// What AWS has said of the credentials, last.
    #[must_use]
    pub fn acceptance(&self) -> Acceptance {
        self.inner.signer.acceptance()
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

    /// A place in the queue for the token of a start: the one that the caller has from `earlier`, if it is a place of this
    /// client. The caller waits for the token before it writes the intent, and then sends the start with [`Glue::send`].
    #[must_use]
    pub fn queue_for_start(&self, earlier: Option<Place>) -> Place {
        let client = self.inner.limited_as;
        let own = earlier.filter(|place| place.is_of(client));
        own.unwrap_or_else(|| self.limiter().queue(Priority::Start, client))
    }

    /// What the searches of this client share.
    pub(in crate::glue) fn histories(&self) -> &Histories {
        &self.inner.histories
    }

    /// The rate limiter of the account and region, once AWS has reported the account.
    pub(in crate::glue) fn rate_limiter(&self) -> Arc<RateLimiter> {
        Arc::clone(self.limiter())
    }

    /// The client as rate limiters know it.
    pub(crate) fn client_id(&self) -> ClientId {
        self.inner.limited_as
    }

    /// Whether another client calls the same account, region and endpoint, by what AWS reported of both.
    pub(crate) fn is_of_same_account(&self, other: &Self) -> bool {
        let shared = |client: &Self| client.inner.limiter.shared().map(Arc::as_ptr);
        shared(self).is_some_and(|limiter| shared(other) == Some(limiter))
    }

    fn limiter(&self) -> &Arc<RateLimiter> {
        self.inner.limiter.get(&self.inner.signer, &self.inner.identity)
    }

    /// A text of AWS without the secrets of the identity that makes the calls.
    #[must_use]
    pub fn hide_secrets(&self, text: &str) -> String {
        self.inner.signer.secrets().redact(text)
    }

    /// What may be shown of the words of Glue.
    pub(super) fn redact(&self, words: Option<String>) -> Option<String> {
        super::non_empty(words).map(|words| self.inner.signer.secrets().redact(&words))
    }

    /// What may be shown of the error of one item.
    pub(super) fn redact_error(&self, error: Error) -> Error {
        self.inner.signer.secrets().redact_error(error)
    }

    /// Makes one call: waits for the rate limiter, and sends.
    pub(super) async fn call<T, E, F>(
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
        self.limiter().acquire(priority, self.inner.limited_as).await;
        self.send(operation, object, request).await
    }

    /// Sends one call to Glue, for which the caller has a token: records the metrics, and maps the error.
    pub(super) async fn send<T, E, F>(&self, operation: &'static str, object: String, request: F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // Boxed, since the future of an SDK's call takes some 8 KB, which each level of calls would hold once more.
        Box::pin(self.send_within(self.limiter(), operation, object, request)).await
    }

    /// Sends one call, for which the caller has a token of `limiter`: records the metrics, and maps the error.
    pub(super) async fn send_within<T, E, F>(
        &self,
        limiter: &RateLimiter,
        operation: &'static str,
        object: String,
        request: F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let sent_at = Instant::now();
        let secrets = self.inner.signer.secrets();
        failpoints::before(|| operation.to_owned());
        let response = request.await;
        failpoints::after(|| operation.to_owned());
        let response = response.map_err(|error| secrets.redact_error(errors::map(operation, object, &error)));
        let code = response.as_ref().err().map(|error| error.code.as_str());
        self.inner.metrics.aws_call(operation, code, sent_at.elapsed());
        self.check_credentials(response.as_ref().map(|_| ()), sent_at).await;
        match &response {
            Err(error) if error.kind == ErrorKind::Throttled => {
                self.inner.metrics.aws_throttled(operation);
                limiter.record_throttle();
            }
            _ => limiter.record_response(),
        }
        response
    }

    /// Records whether AWS accepted the credentials, and discards them if not.
    async fn check_credentials(&self, answer: Result<(), &Error>, sent_at: Instant) {
        self.inner.signer.record_answer(answer);
        let refused = answer.err().is_some_and(|error| error.kind == ErrorKind::ExpiredCredentials);
        self.inner.credentials_refused.store(refused, Ordering::Relaxed);
        if refused {
            self.inner.signer.invalidate_credentials(sent_at).await;
        }
    }
}
