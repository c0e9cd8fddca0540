//! A cache for credentials that expire: those of a role's session, or those that a provider gives the controller.
//! Concurrent calls share one fetch. Credentials are renewed before they expire, and discarded when AWS refuses them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as ProvideResult, SharedCredentialsProvider, future};
use aws_sdk_sts::types::Tag;
use tokio::time::timeout;
use tracing::warn;

use super::errors;
use super::known_secrets::KnownSecrets;
use super::providers::Providers;
use crate::glue::identity::{CallerIdentity, Role, is_header_value};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;
use crate::redaction::{Redactor, Sensitive};

/// Credentials are renewed when a quarter of their lifetime is left, but no earlier than this before they expire.
const MAX_RENEWAL_LEAD: Duration = Duration::from_mins(5);
/// How long the error of a failed fetch is returned without another fetch.
const FAILURE_LIFETIME: Duration = Duration::from_secs(5);
/// The lifetime of credentials without an expiry; the SDK has the same.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(15);
/// The timeout of a provider; the SDK has the same.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause after a failed renewal, while the credentials have not expired.
const RENEWAL_RETRY: Duration = Duration::from_secs(10);
/// Of how many credentials the secrets are known: of those in use, and of those before, which late answers may quote.
const KNOWN_SESSIONS: usize = 2;

/// Where the cache fetches credentials.
#[derive(Debug)]
pub(super) enum Upstream {
    /// The controller's environment, or a profile of its configuration.
    Provider {
        providers: Providers,
        /// The provider's name in errors.
        name: String,
    },
    /// STS's `AssumeRole`.
    Role(Box<RoleSession>),
}

/// What the session of a role needs.
#[derive(Debug)]
pub(super) struct RoleSession {
    /// The client that assumes the role.
    pub sts: aws_sdk_sts::Client,
    /// The cache with the credentials of `sts`; `None` for the keys of a Secret.
    pub source: Option<Arc<CachedCredentials>>,
    pub role: Role,
    /// The secrets that an answer of STS may quote.
    pub secrets: KnownSecrets,
    pub metrics: Metrics,
}

#[derive(Debug)]
pub(super) struct CachedCredentials {
    upstream: Upstream,
    state: tokio::sync::Mutex<State>,
    caller: Mutex<Option<CallerIdentity>>,
    /// The secrets of the newest credentials.
    secrets: Mutex<VecDeque<Redactor>>,
}

#[derive(Debug, Default)]
struct State {
    entry: Option<Entry>,
    last_failure: Option<(Instant, Error)>,
}

#[derive(Debug)]
struct Entry {
    credentials: Credentials,
    fetched_at: Instant,
    renew_at: SystemTime,
    expires_at: SystemTime,
}

impl CachedCredentials {
    pub(super) fn new(upstream: Upstream) -> Self {
        Self { upstream, state: tokio::sync::Mutex::default(), caller: Mutex::default(), secrets: Mutex::default() }
    }

    pub(super) fn into_provider(self: Arc<Self>) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Provider(self))
    }

    /// The caller identity of a role's session, once the role has been assumed.
    pub(super) fn caller_identity(&self) -> Option<CallerIdentity> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The caller identity of a role's session. The role is assumed unless it is already.
    pub(super) async fn identify(&self) -> Result<CallerIdentity, Error> {
        self.get().await?;
        let incomplete = || not_understood("the role".to_owned(), "the response names no session".to_owned());
        self.caller_identity().ok_or_else(incomplete)
    }

    /// The text without the secrets of the credentials in use, and of those before.
    pub(super) fn hide(&self, text: &str) -> String {
        self.secrets().iter().fold(text.to_owned(), |text, secrets| secrets.hide(&text))
    }

    /// The error without them.
    pub(super) fn hide_in(&self, error: Error) -> Error {
        self.secrets().iter().fold(error, Error::hidden)
    }

    fn secrets(&self) -> MutexGuard<'_, VecDeque<Redactor>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Discards the credentials after AWS refused a call that was sent at `sent_at`, unless they are newer.
    pub(super) async fn invalidate(&self, sent_at: Instant) {
        let mut state = self.state.lock().await;
        if state.entry.as_ref().is_some_and(|entry| entry.fetched_at <= sent_at) {
            state.entry = None;
        }
    }

    async fn get(&self) -> Result<Credentials, Error> {
        // The lock is held during the fetch, so that concurrent calls wait for it.
        let mut state = self.state.lock().await;
        let now = SystemTime::now();
        if let Some(entry) = state.entry.as_ref().filter(|entry| now < entry.renew_at) {
            return Ok(entry.credentials.clone());
        }
        if let Some((_, error)) = state.last_failure.as_ref().filter(|(at, _)| at.elapsed() < FAILURE_LIFETIME) {
            return Err(error.clone());
        }
        let fetched = match &self.upstream {
            Upstream::Provider { providers, name } => {
                from_provider(providers, name).await.map_err(|error| self.hide_in(error))
            }
            Upstream::Role(session) => self.assume_role(session).await,
        };
        match fetched.and_then(|credentials| self.checked(credentials)) {
            Ok(credentials) => {
                let mut secrets = self.secrets();
                secrets.truncate(KNOWN_SESSIONS - 1);
                secrets.push_front(secrets_of(&credentials));
                drop(secrets);
                state.entry = Some(Entry::new(credentials.clone(), now));
                state.last_failure = None;
                Ok(credentials)
            }
            Err(error) => {
                if let Some(entry) = state.entry.as_mut().filter(|entry| now < entry.expires_at) {
                    warn!(%error, "credentials could not be renewed; they are still valid, and the controller retries");
                    entry.renew_at = now + RENEWAL_RETRY;
                    return Ok(entry.credentials.clone());
                }
                state.last_failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// The credentials, unless they cannot sign a request: the SDK panics when it builds a header of a key id with a line
    /// end or another control character.
    fn checked(&self, credentials: Credentials) -> Result<Credentials, Error> {
        let parts = [Some(credentials.access_key_id()), credentials.session_token()];
        let signs = parts.into_iter().flatten().all(is_header_value) && !credentials.secret_access_key().is_empty();
        if signs {
            return Ok(credentials);
        }
        let (operation, object, kind) = match &self.upstream {
            Upstream::Role(session) => ("AssumeRole", role_object(&session.role), ErrorKind::Transient),
            Upstream::Provider { name, .. } => ("GetCredentials", name.clone(), ErrorKind::ExpiredCredentials),
        };
        let message =
            "the key id, the secret key or the session token that was returned is empty or has characters that \
                       no HTTP header takes"
                .to_owned();
        Err(Error { operation, object, kind, code: "AnswerNotUnderstood".to_owned(), message })
    }

    async fn assume_role(&self, session: &RoleSession) -> Result<Credentials, Error> {
        let RoleSession { sts, source, role, secrets, metrics } = session;
        let object = || role_object(role);
        let tag = |(key, value): (&str, &str)| Tag::builder().key(key).value(value).build();
        let tags = role.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let controller_tags = role.controller_tags.iter().map(|(key, value)| (*key, value.as_str()));
        let tags = tags.chain(controller_tags).map(tag).collect::<Result<Vec<_>, _>>();
        let tags = tags.map_err(|error| not_understood(object(), error.to_string()))?;
        let transitive: Vec<_> = role.controller_tags.iter().map(|(key, _)| (*key).to_owned()).collect();
        let sent_at = Instant::now();
        let response = sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(&role.session_name)
            .set_external_id(role.external_id.as_ref().map(|id| id.expose().to_owned()))
            .set_source_identity(role.source_identity.clone())
            .set_duration_seconds(role.duration)
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!transitive.is_empty()).then_some(transitive))
            .send()
            .await
            .map_err(|error| secrets.redact_error(errors::map("AssumeRole", object(), &error)));
        let code = response.as_ref().err().map(|error| error.code.as_str());
        metrics.aws_call("AssumeRole", code, sent_at.elapsed());
        if let (Err(error), Some(source)) = (&response, source)
            && error.kind == ErrorKind::ExpiredCredentials
        {
            Box::pin(source.invalidate(sent_at)).await;
        }
        let response = response?;
        if let Some(user) = response.assumed_role_user {
            let account_id = user.arn.split(':').nth(4).unwrap_or_default().to_owned();
            let caller = CallerIdentity { account_id, principal_arn: user.arn };
            *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = Some(caller);
        }
        let credentials = response
            .credentials
            .ok_or_else(|| errors::incomplete("AssumeRole", object(), ErrorKind::Transient, "credentials"))?;
        Ok(Credentials::new(
            credentials.access_key_id,
            credentials.secret_access_key,
            Some(credentials.session_token),
            SystemTime::try_from(credentials.expiration).ok(),
            "AssumeRole",
        ))
    }
}

impl Entry {
    fn new(credentials: Credentials, now: SystemTime) -> Self {
        let expires_at = credentials.expiry().unwrap_or(now + DEFAULT_LIFETIME);
        let lifetime = expires_at.duration_since(now).unwrap_or_default();
        let renew_at = now + lifetime.saturating_sub((lifetime / 4).min(MAX_RENEWAL_LEAD));
        Self { credentials, fetched_at: Instant::now(), renew_at, expires_at }
    }
}

fn role_object(role: &Role) -> String {
    format!("role {}", role.arn)
}

fn secrets_of(credentials: &Credentials) -> Redactor {
    let parts = [Some(credentials.access_key_id()), Some(credentials.secret_access_key()), credentials.session_token()];
    let secrets: Vec<_> = parts.into_iter().flatten().map(|part| Sensitive::new(part.to_owned())).collect();
    Redactor::new(&secrets)
}

async fn from_provider(providers: &Providers, name: &str) -> Result<Credentials, Error> {
    let no_credentials = |kind, message| Error {
        operation: "GetCredentials",
        object: name.to_owned(),
        kind,
        code: "NoCredentials".to_owned(),
        message,
    };
    match timeout(PROVIDER_TIMEOUT, providers.provide_credentials()).await {
        Ok(Ok(credentials)) => Ok(credentials),
        Ok(Err(error)) => Err(no_credentials(ErrorKind::ExpiredCredentials, errors::message_chain(&error))),
        Err(_) => {
            let message = format!("no response within {} s", PROVIDER_TIMEOUT.as_secs());
            Err(no_credentials(ErrorKind::Transient, message))
        }
    }
}

fn not_understood(object: String, message: String) -> Error {
    Error {
        operation: "AssumeRole",
        object,
        kind: ErrorKind::Transient,
        code: "AnswerNotUnderstood".to_owned(),
        message,
    }
}

#[derive(Debug)]
struct Provider(Arc<CachedCredentials>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let response: ProvideResult = self.0.get().await.map_err(CredentialsError::provider_error);
            response
        })
    }
}
