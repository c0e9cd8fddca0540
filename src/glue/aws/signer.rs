//! The credentials of one identity, and its caller identity.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::identity::IdentityCache;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use tracing::debug;

use super::cached_credentials::{CachedCredentials, RoleSession, Upstream};
use super::known_secrets::KnownSecrets;
use super::providers::Providers;
use super::{AwsConfig, errors};
use crate::glue::identity::{Acceptance, CallerIdentity, CredentialSource, Identity, Keys};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// The pause after the first failed `GetCallerIdentity`. It doubles with each further failure.
const MIN_LOOKUP_PAUSE: Duration = Duration::from_secs(5);
/// The longest such pause.
const MAX_LOOKUP_PAUSE: Duration = Duration::from_mins(5);

/// Signs the calls of one identity.
pub(super) struct Signer {
    /// The configuration with the identity's region and credentials.
    pub config: SdkConfig,
    /// The session of the role.
    role: Option<Arc<CachedCredentials>>,
    /// The credentials that sign the calls, or assume the role; `None` for the keys of a Secret.
    source: Option<Arc<CachedCredentials>>,
    sts: aws_sdk_sts::Client,
    /// The secrets that AWS may quote.
    secrets: KnownSecrets,
    metrics: Metrics,
    caller: Mutex<CallerLookup>,
}

/// The lookup of the caller identity, with backoff.
#[derive(Default)]
struct CallerLookup {
    caller: Option<CallerIdentity>,
    acceptance: Acceptance,
    last_attempt: Option<Instant>,
    pause: Duration,
}

impl CallerLookup {
    /// Whether an attempt is due at `now`. If so, it counts as begun.
    fn begin(&mut self, now: Instant) -> bool {
        let is_due =
            self.caller.is_none() && self.last_attempt.is_none_or(|at| now.saturating_duration_since(at) >= self.pause);
        if is_due {
            self.pause = (self.pause * 2).clamp(MIN_LOOKUP_PAUSE, MAX_LOOKUP_PAUSE);
            self.last_attempt = Some(now);
        }
        is_due
    }
}

impl Signer {
    pub(super) fn new(shared: &AwsConfig, identity: &Identity) -> Self {
        let (config, source) = source_config(shared, identity);
        let mut sts = aws_sdk_sts::config::Builder::from(&config);
        if let Some(timeouts) = config.timeout_config() {
            // STS must time out before the call to Glue that waits for it. Otherwise it would not be certain that the
            // call was not sent.
            let half = timeouts.operation_timeout().map(|timeout| timeout / 2);
            let mut timeouts = timeouts.to_builder();
            timeouts.set_operation_timeout(half);
            sts = sts.timeout_config(timeouts.build());
        }
        if let Some(url) = &identity.endpoints.sts {
            sts = sts.endpoint_url(url);
        }
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let metrics = shared.metrics.clone();
        let session = |role| RoleSession {
            sts: sts.clone(),
            source: source.clone(),
            role,
            secrets: KnownSecrets::new(identity, source.clone()),
            metrics: metrics.clone(),
        };
        let role =
            identity.role.clone().map(|role| Arc::new(CachedCredentials::new(Upstream::Role(Box::new(session(role))))));
        let config = role.as_ref().map_or(config.clone(), |role| with_credentials(&config, role));
        let secrets = KnownSecrets::new(identity, role.iter().chain(&source).cloned());
        Self { config, role, source, sts, secrets, metrics, caller: Mutex::default() }
    }

    /// The caller identity, once AWS has reported it.
    pub(super) fn caller_identity(&self) -> Option<CallerIdentity> {
        self.role.as_ref().map_or_else(|| self.lookup().caller.clone(), |role| role.caller_identity())
    }

    /// The secrets that AWS may quote.
    pub(super) fn secrets(&self) -> &KnownSecrets {
        &self.secrets
    }

    /// What AWS has said of the credentials, last.
    pub(super) fn acceptance(&self) -> Acceptance {
        self.lookup().acceptance
    }

    /// Records what the answer to a call says of the credentials.
    pub(super) fn record_answer(&self, answer: Result<(), &Error>) {
        let acceptance = Acceptance::of(answer);
        if acceptance != Acceptance::Unknown {
            self.lookup().acceptance = acceptance;
        }
    }

    /// Discards the credentials after AWS refused a call that was sent at `sent_at`.
    pub(super) async fn invalidate_credentials(&self, sent_at: Instant) {
        if let Some(credentials) = self.role.as_ref().or(self.source.as_ref()) {
            credentials.invalidate(sent_at).await;
        }
    }

    /// Whether the caller calls [`Self::look_up_caller`] now. With a role, `AssumeRole` reports the caller identity.
    pub(super) fn begin_caller_lookup(&self) -> bool {
        self.role.is_none() && self.lookup().begin(Instant::now())
    }

    /// The caller identity. Where it is not known yet, AWS is asked: the role is assumed, or `GetCallerIdentity` called.
    pub(super) async fn identify(&self) -> Result<CallerIdentity, Error> {
        if let Some(role) = &self.role {
            return role.identify().await;
        }
        let known = self.lookup().caller.clone();
        match known {
            Some(caller) => Ok(caller),
            None => self.get_caller_identity().await,
        }
    }

    /// Calls `GetCallerIdentity`. A failure is only logged: the calls to Glue report invalid credentials.
    pub(super) async fn look_up_caller(&self) {
        if let Err(error) = self.get_caller_identity().await {
            debug!(error = error.summary(), "the lookup of the caller identity failed");
        }
    }

    /// Calls `GetCallerIdentity`. A refusal is recorded: the call needs no permission, so it is about the credentials.
    async fn get_caller_identity(&self) -> Result<CallerIdentity, Error> {
        const OPERATION: &str = "GetCallerIdentity";
        let object = || "the credentials".to_owned();
        let sent_at = Instant::now();
        let response = self.sts.get_caller_identity().send().await;
        let response = response.map_err(|error| self.secrets.redact_error(errors::map(OPERATION, object(), &error)));
        let code = response.as_ref().err().map(|error| error.code.as_str());
        self.metrics.aws_call(OPERATION, code, sent_at.elapsed());
        self.record_answer(response.as_ref().map(|_| ()));
        let response = response?;
        let (Some(account_id), Some(principal_arn)) = (response.account, response.arn) else {
            return Err(errors::incomplete(OPERATION, object(), ErrorKind::Transient, "account and ARN"));
        };
        let caller = CallerIdentity { account_id, principal_arn };
        self.lookup().caller = Some(caller.clone());
        Ok(caller)
    }

    fn lookup(&self) -> MutexGuard<'_, CallerLookup> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration with the credentials that sign the calls, or assume the role.
fn source_config(shared: &AwsConfig, identity: &Identity) -> (SdkConfig, Option<Arc<CachedCredentials>>) {
    let region = Region::new(identity.region.clone());
    let config = shared.sdk.to_builder().region(region).build();
    let credentials = match &identity.source {
        CredentialSource::Keys(keys) => {
            let keys = config.to_builder().credentials_provider(static_credentials(keys));
            return (keys.identity_cache(IdentityCache::no_cache()).build(), None);
        }
        CredentialSource::Controller => match &shared.controller_credentials {
            Some(credentials) => Arc::clone(credentials),
            None => return (config, None),
        },
        CredentialSource::Profile(name) => {
            let providers = Providers::Profile { sdk: Box::new(config.clone()), name: name.clone() };
            Arc::new(CachedCredentials::new(Upstream::Provider { providers, name: format!("profile {name}") }))
        }
    };
    (with_credentials(&config, &credentials), Some(credentials))
}

/// Without the SDK's identity cache: it cannot discard refused credentials, and the one that all clients share would
/// keep the credentials of dropped clients.
fn with_credentials(config: &SdkConfig, credentials: &Arc<CachedCredentials>) -> SdkConfig {
    let builder = config.to_builder().credentials_provider(Arc::clone(credentials).into_provider());
    builder.identity_cache(IdentityCache::no_cache()).build()
}

fn static_credentials(keys: &Keys) -> SharedCredentialsProvider {
    let token = keys.session_token.as_ref().map(|token| token.expose().to_owned());
    SharedCredentialsProvider::new(Credentials::new(
        keys.access_key_id.expose(),
        keys.secret_access_key.expose(),
        token,
        None,
        "Secret",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_lookup_is_repeated_with_backoff_until_it_succeeds() {
        let (mut lookup, mut now) = (CallerLookup::default(), Instant::now());
        assert!(lookup.begin(now));
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            now += Duration::from_secs(pause - 1);
            assert!(!lookup.begin(now), "{pause}");
            now += Duration::from_secs(1);
            assert!(lookup.begin(now), "{pause}");
        }
        lookup.caller = Some(CallerIdentity { account_id: "1".to_owned(), principal_arn: "arn".to_owned() });
        assert!(!lookup.begin(now + MAX_LOOKUP_PAUSE * 2));
    }
}
