//! The session of a role: `AssumeRole` once for everybody who waits for it, renewed ahead of its end, and
//! given up at once when AWS refuses it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as ProvideResult, SharedCredentialsProvider, future};
use aws_sdk_sts::types::Tag;
use tracing::warn;

use super::errors;
use super::sts::Caller;
use crate::glue::identity::Role;
use crate::glue::{Class, Error};
use crate::metrics::Metrics;

/// A session is renewed when a quarter of it is left, and at the latest so long before its end.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// The pause after a renewal that failed while the session still lasts.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// How a role is assumed.
#[derive(Debug)]
pub(super) struct Assumes {
    /// STS, as who may assume it.
    pub sts: aws_sdk_sts::Client,
    /// The role.
    pub role: Role,
    /// Counts the calls.
    pub metrics: Metrics,
}

/// The session of a role.
#[derive(Debug)]
pub(super) struct Session {
    assumes: Assumes,
    state: tokio::sync::Mutex<State>,
    caller: Mutex<Option<Caller>>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The last failure: the answer to all who had begun to wait before it.
    failed: Option<(Instant, Error)>,
}

#[derive(Debug)]
struct Held {
    credentials: Credentials,
    since: Instant,
    renew_at: SystemTime,
    ends: SystemTime,
}

impl Session {
    pub(super) fn new(assumes: Assumes) -> Self {
        Self { assumes, state: tokio::sync::Mutex::default(), caller: Mutex::default() }
    }

    pub(super) fn into_provider(self: Arc<Self>) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Provider(self))
    }

    /// As whom the session is known.
    pub(super) fn caller(&self) -> Option<Caller> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// AWS refused a call that was sent then: the next one gets a new session.
    pub(super) async fn refused(&self, sent: Instant) {
        let mut state = self.state.lock().await;
        if state.held.as_ref().is_some_and(|held| held.since <= sent) {
            state.held = None;
        }
    }

    async fn credentials(&self) -> Result<Credentials, Error> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        let now = SystemTime::now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.credentials.clone());
        }
        if let Some((_, error)) = state.failed.as_ref().filter(|(at, _)| *at >= asked) {
            return Err(error.clone());
        }
        match self.assume().await {
            Ok(credentials) => {
                state.held = Some(held(credentials.clone(), now));
                state.failed = None;
                Ok(credentials)
            }
            Err(error) => {
                if let Some(held) = state.held.as_mut().filter(|held| now < held.ends) {
                    warn!(%error, "the session could not be renewed; it lasts a while yet, and is tried again");
                    held.renew_at = now + RENEW_AGAIN;
                    return Ok(held.credentials.clone());
                }
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn assume(&self) -> Result<Credentials, Error> {
        let Assumes { sts, role, metrics } = &self.assumes;
        let object = || format!("role {}", role.arn);
        let tag = |(key, value): (&str, &str)| Tag::builder().key(key).value(value).build();
        let theirs = role.tags.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let ours = role.our_tags.iter().map(|(key, value)| (*key, value.as_str()));
        let tags = theirs.chain(ours).map(tag).collect::<Result<Vec<_>, _>>();
        let tags = tags.map_err(|error| unusable(object(), error.to_string()))?;
        let transitive: Vec<_> = role.our_tags.iter().map(|(key, _)| (*key).to_owned()).collect();
        let sent = Instant::now();
        let answer = sts
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(&role.session_name)
            .set_external_id(role.external_id.clone())
            .set_source_identity(role.source_identity.clone())
            .set_duration_seconds(role.duration)
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys((!transitive.is_empty()).then_some(transitive))
            .send()
            .await
            .map_err(|error| errors::map("AssumeRole", object(), &error));
        let code = answer.as_ref().err().map(|error| error.code.as_str());
        metrics.aws_call("AssumeRole", code, sent.elapsed());
        let answer = answer?;
        if let Some(user) = answer.assumed_role_user {
            let account_id = user.arn.split(':').nth(4).unwrap_or_default().to_owned();
            let caller = Caller { account_id, principal_arn: user.arn };
            *self.caller.lock().unwrap_or_else(PoisonError::into_inner) = Some(caller);
        }
        let credentials =
            answer.credentials.ok_or_else(|| unusable(object(), "the answer holds no credentials".to_owned()))?;
        Ok(Credentials::new(
            credentials.access_key_id,
            credentials.secret_access_key,
            Some(credentials.session_token),
            SystemTime::try_from(credentials.expiration).ok(),
            "AssumeRole",
        ))
    }
}

fn unusable(object: String, message: String) -> Error {
    Error { operation: "AssumeRole", object, class: Class::Transient, code: "AnswerNotUnderstood".to_owned(), message }
}

fn held(credentials: Credentials, now: SystemTime) -> Held {
    let ends = credentials.expiry().unwrap_or(now);
    let lasts = ends.duration_since(now).unwrap_or_default();
    let renew_at = now + lasts.saturating_sub((lasts / 4).min(RENEW_BEFORE));
    Held { credentials, since: Instant::now(), renew_at, ends }
}

#[derive(Debug)]
struct Provider(Arc<Session>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let answer: ProvideResult = self.0.credentials().await.map_err(CredentialsError::provider_error);
            answer
        })
    }
}
