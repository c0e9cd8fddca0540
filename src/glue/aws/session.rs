//! Credentials that end: those of a role, or those that the controller is given itself. Fetched once for
//! everybody who waits for them, renewed ahead of their end, and given up at once when AWS refuses them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result as ProvideResult, SharedCredentialsProvider, future};
use aws_sdk_sts::types::Tag;
use tokio::time::timeout;
use tracing::warn;

use super::errors;
use crate::glue::identity::{Caller, Role};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// Credentials are renewed when a quarter of their time is left, and at the latest so long before their end.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// How long a failure is the answer to everybody: with it wait all objects that need these credentials.
const FAILED_FOR: Duration = Duration::from_secs(5);
/// How long credentials count that say nothing of an end: the SDK's own measure.
const LASTS_UNSAID: Duration = Duration::from_mins(15);
/// How long the controller's environment may take to hand out credentials: the SDK's own measure.
const LOAD_WITHIN: Duration = Duration::from_secs(5);
/// The pause after a renewal that failed while the session still lasts.
const RENEW_AGAIN: Duration = Duration::from_secs(10);

/// Where the credentials come from.
#[derive(Debug)]
pub(super) enum Origin {
    /// The controller's environment, or a profile of its configuration.
    Given {
        /// Hands them out.
        by: SharedCredentialsProvider,
        /// What that is, for people.
        name: String,
    },
    /// `AssumeRole`.
    Role(Assumes),
}

/// How a role is assumed.
#[derive(Debug)]
pub(super) struct Assumes {
    /// STS, as who may assume it.
    pub sts: aws_sdk_sts::Client,
    /// Who that is, when not the keys of a Secret.
    pub with: Option<Arc<Session>>,
    /// The role.
    pub role: Role,
    /// Counts the calls.
    pub metrics: Metrics,
}

/// Credentials that end.
#[derive(Debug)]
pub(super) struct Session {
    origin: Origin,
    state: tokio::sync::Mutex<State>,
    caller: Mutex<Option<Caller>>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The last failure.
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
    pub(super) fn new(origin: Origin) -> Self {
        Self { origin, state: tokio::sync::Mutex::default(), caller: Mutex::default() }
    }

    pub(super) fn into_provider(self: Arc<Self>) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Provider(self))
    }

    /// As whom a role's session is known.
    pub(super) fn caller(&self) -> Option<Caller> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// AWS refused a call that was sent then: the next one gets new credentials.
    pub(super) async fn refused(&self, sent: Instant) {
        let mut state = self.state.lock().await;
        if state.held.as_ref().is_some_and(|held| held.since <= sent) {
            state.held = None;
        }
    }

    async fn credentials(&self) -> Result<Credentials, Error> {
        let mut state = self.state.lock().await;
        let now = SystemTime::now();
        if let Some(held) = state.held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(held.credentials.clone());
        }
        if let Some((_, error)) = state.failed.as_ref().filter(|(at, _)| at.elapsed() < FAILED_FOR) {
            return Err(error.clone());
        }
        let fetched = match &self.origin {
            Origin::Given { by, name } => given(by, name).await,
            Origin::Role(assumes) => self.assume(assumes).await,
        };
        match fetched {
            Ok(credentials) => {
                state.held = Some(held(credentials.clone(), now));
                state.failed = None;
                Ok(credentials)
            }
            Err(error) => {
                if let Some(held) = state.held.as_mut().filter(|held| now < held.ends) {
                    warn!(%error, "credentials could not be renewed; they last a while yet, and it is tried again");
                    held.renew_at = now + RENEW_AGAIN;
                    return Ok(held.credentials.clone());
                }
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn assume(&self, Assumes { sts, with, role, metrics }: &Assumes) -> Result<Credentials, Error> {
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
        if let (Err(error), Some(with)) = (&answer, with)
            && error.kind == ErrorKind::ExpiredCredentials
        {
            Box::pin(with.refused(sent)).await;
        }
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

async fn given(by: &SharedCredentialsProvider, name: &str) -> Result<Credentials, Error> {
    let none = |kind, message| Error {
        operation: "GetCredentials",
        object: name.to_owned(),
        kind,
        code: "NoCredentials".to_owned(),
        message,
    };
    match timeout(LOAD_WITHIN, by.provide_credentials()).await {
        Ok(Ok(credentials)) => Ok(credentials),
        Ok(Err(error)) => Err(none(ErrorKind::ExpiredCredentials, errors::chain(&error))),
        Err(_) => Err(none(ErrorKind::Transient, format!("no answer within {} s", LOAD_WITHIN.as_secs()))),
    }
}

fn unusable(object: String, message: String) -> Error {
    Error {
        operation: "AssumeRole",
        object,
        kind: ErrorKind::Transient,
        code: "AnswerNotUnderstood".to_owned(),
        message,
    }
}

fn held(credentials: Credentials, now: SystemTime) -> Held {
    let ends = credentials.expiry().unwrap_or(now + LASTS_UNSAID);
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
