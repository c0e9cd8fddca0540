//! Credentials of an identity: its keys as they are, or those of the role that it assumes; and as whom that
//! makes us known to AWS.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_config::identity::IdentityCache;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use tracing::debug;

use super::session::{Assumes, Origin, Session};
use super::{Base, errors};
use crate::glue::identity::{Caller, Identity, Keys, Source};
use crate::metrics::Metrics;

/// How long after a failed `GetCallerIdentity` it is asked again; twice as long after each further one.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The longest such pause.
const ASK_SELDOM: Duration = Duration::from_mins(5);

/// What signs the calls of one identity.
pub(super) struct Signer {
    /// The configuration with the identity's region and credentials.
    pub config: SdkConfig,
    /// The session of its role.
    role: Option<Arc<Session>>,
    /// What the role is assumed with, or the calls are signed with; nothing for the keys of a Secret.
    source: Option<Arc<Session>>,
    sts: aws_sdk_sts::Client,
    metrics: Metrics,
    caller: Mutex<Asked>,
}

/// What AWS said, or when it is asked again.
#[derive(Default)]
struct Asked {
    caller: Option<Caller>,
    at: Option<Instant>,
    pause: Duration,
}

impl Asked {
    /// Whether it is time to ask at `now`. Who is told so asks.
    fn is_due(&mut self, now: Instant) -> bool {
        let due = self.caller.is_none() && self.at.is_none_or(|at| now.saturating_duration_since(at) >= self.pause);
        if due {
            self.pause = (self.pause * 2).clamp(ASK_AGAIN, ASK_SELDOM);
            self.at = Some(now);
        }
        due
    }
}

impl Signer {
    pub(super) fn new(base: &Base, identity: &Identity) -> Self {
        let (config, source) = with_source(base, identity);
        let mut sts = aws_sdk_sts::config::Builder::from(&config);
        if let Some(timeouts) = config.timeout_config() {
            // Who waits for credentials must hear that there are none before its own call is over: afterwards nobody
            // could say that nothing was sent.
            let half = timeouts.operation_timeout().map(|timeout| timeout / 2);
            let mut timeouts = timeouts.to_builder();
            timeouts.set_operation_timeout(half);
            sts = sts.timeout_config(timeouts.build());
        }
        if let Some(url) = &identity.endpoints.sts {
            sts = sts.endpoint_url(url);
        }
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let metrics = base.metrics.clone();
        let assumes = |role| Assumes { sts: sts.clone(), with: source.clone(), role, metrics: metrics.clone() };
        let role = identity.role.clone().map(|role| Arc::new(Session::new(Origin::Role(assumes(role)))));
        let config = role.as_ref().map_or(config.clone(), |role| signed_by(&config, role));
        Self { config, role, source, sts, metrics, caller: Mutex::default() }
    }

    /// As whom we are known, once AWS has said it.
    pub(super) fn caller(&self) -> Option<Caller> {
        self.role.as_ref().map_or_else(|| self.asked().caller.clone(), |role| role.caller())
    }

    /// AWS refused a call that was sent then: what signed it is given up.
    pub(super) async fn refused(&self, sent: Instant) {
        if let Some(session) = self.role.as_ref().or(self.source.as_ref()) {
            session.refused(sent).await;
        }
    }

    /// Whether it is time to ask. Who is told so asks.
    pub(super) fn should_ask(&self) -> bool {
        self.role.is_none() && self.asked().is_due(Instant::now())
    }

    /// Asks AWS. That it does not say is no harm: the calls themselves tell what is wrong.
    pub(super) async fn ask(&self) {
        let sent = Instant::now();
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| errors::map("GetCallerIdentity", "the credentials".to_owned(), &error));
        let code = answer.as_ref().err().map(|error| error.code.as_str());
        self.metrics.aws_call("GetCallerIdentity", code, sent.elapsed());
        match answer {
            Ok(answer) => {
                let caller = answer.account.zip(answer.arn);
                self.asked().caller = caller.map(|(account_id, principal_arn)| Caller { account_id, principal_arn });
            }
            Err(error) => debug!(%error, "AWS does not say whom it takes us for"),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.caller.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configuration with the credentials that the calls, or the role, start from.
fn with_source(base: &Base, identity: &Identity) -> (SdkConfig, Option<Arc<Session>>) {
    let region = Region::new(identity.region.clone());
    let config = base.config.to_builder().region(region.clone()).build();
    let session = match &identity.source {
        Source::Keys(keys) => {
            let keys = config.to_builder().credentials_provider(credentials(keys));
            return (keys.identity_cache(IdentityCache::no_cache()).build(), None);
        }
        Source::Own => match &base.own {
            Some(own) => Arc::clone(own),
            None => return (config, None),
        },
        Source::Profile(name) => {
            let mut provider = ProviderConfig::without_region().with_region(Some(region));
            if let Some(http) = base.config.http_client() {
                provider = provider.with_http_client(http);
            }
            let profile = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(name).build();
            let by = SharedCredentialsProvider::new(profile);
            Arc::new(Session::new(Origin::Given { by, name: format!("profile {name}") }))
        }
    };
    (signed_by(&config, &session), Some(session))
}

/// The session keeps its credentials itself: the SDK's cache cannot be told that they were refused, and the
/// one that all clients share would keep the credentials of those that are long gone.
fn signed_by(config: &SdkConfig, session: &Arc<Session>) -> SdkConfig {
    let builder = config.to_builder().credentials_provider(Arc::clone(session).into_provider());
    builder.identity_cache(IdentityCache::no_cache()).build()
}

fn credentials(keys: &Keys) -> SharedCredentialsProvider {
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
    fn aws_is_asked_as_whom_it_knows_us_until_it_has_said_so() {
        let (mut asked, mut now) = (Asked::default(), Instant::now());
        assert!(asked.is_due(now));
        for pause in [5, 10, 20, 40, 80, 160, 300, 300] {
            now += Duration::from_secs(pause - 1);
            assert!(!asked.is_due(now), "{pause}");
            now += Duration::from_secs(1);
            assert!(asked.is_due(now), "{pause}");
        }
        asked.caller = Some(Caller { account_id: "1".to_owned(), principal_arn: "arn".to_owned() });
        assert!(!asked.is_due(now + ASK_SELDOM * 2));
    }
}
