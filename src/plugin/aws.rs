//! The way to AWS: by the credentials of the namespace, as the controller uses them, or by the user's own.
//!
//! The Secret, the role, the region and the endpoint are resolved by the controller's own code. What differs is who asks:
//! the user needs the right to read the Secret, and has neither the controller's identity nor its profiles.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use kube::core::DynamicObject;

use super::connect::{Cluster, Connection};
use super::error::PluginError;
use super::kind::Kind;
use super::target::Target;
use crate::api::credentials::{Aws, Credentials};
use crate::controllers::runtime::credentials::resolver::{self, Owner, ResolvedClient};
use crate::controllers::runtime::credentials::secrets::SecretError;
use crate::controllers::runtime::remedy::principal;
use crate::glue::aws::{AwsConfig, Overrides};
use crate::glue::identity::{AllowedEndpoint, ENDPOINT_SETTINGS, Grant, IdentityError, Provenance, Rules};
use crate::glue::{Clients, Error, ErrorKind, Glue};
use crate::metrics::Metrics;

/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The pauses before a read is repeated that AWS throttled or that was lost.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];
/// What helps a user who has no access to the credentials of the namespace.
pub(super) const USE_OWN: &str = "or use your own AWS credentials with --own or --profile";

/// Whose credentials call AWS, and where.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Flags of AWS")]
pub(super) struct AwsArgs {
    /// The AWS region; by default that of the object, of the Secret, or of your AWS configuration
    #[arg(long, global = true)]
    region: Option<String>,
    /// The Secret with the credentials; by default that of the object, else kube-glue-credentials
    #[arg(
        long, global = true, visible_alias = "credentials", value_name = "SECRET",
        conflicts_with_all = ["own", "profile"],
    )]
    secret: Option<String>,
    /// Use your own credentials, as the AWS CLI finds them
    #[arg(long, global = true)]
    own: bool,
    /// Use this profile of your own AWS configuration
    #[arg(long, global = true)]
    profile: Option<String>,
    /// The URL of AWS's services, for those that are not at AWS's own; a Secret may name the same one
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
}

/// A client of AWS, and whose credentials it has.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client: Glue,
    pub(super) credentials: Whose,
}

/// Whose credentials a client has.
#[derive(Clone, Debug)]
pub(super) enum Whose {
    /// Those of the namespace.
    Namespace {
        /// Where they come from, for remedies.
        provenance: Arc<Provenance>,
        /// The Secret, as `namespace/name`.
        secret: String,
        /// Whether the object or the command line names the Secret; else it is the namespace's default one.
        named: bool,
    },
    /// The user's own, by the default chain or a profile.
    Own(Option<String>),
}

impl AwsArgs {
    /// The client for calls about what is of this kind, in the namespace of the command line. With the user's own
    /// credentials no cluster is needed.
    pub(super) async fn connect(&self, connection: &Connection, kind: &Kind) -> Result<Caller, PluginError> {
        match self.own().await? {
            Some(caller) => Ok(caller),
            None => self.of_namespace(&connection.connect().await?, kind, Aws::default()).await,
        }
    }

    /// The client for calls about an object: by its own region and credentials, unless the command line names others.
    pub(super) async fn connect_for(
        &self,
        cluster: &Cluster,
        target: &Target,
        object: &DynamicObject,
    ) -> Result<Caller, PluginError> {
        let aws: Aws = serde_json::from_value(object.data["spec"].clone())
            .map_err(|error| PluginError::Json(target.full_name(), error))?;
        match self.own_in(aws.region.clone()).await? {
            Some(caller) => Ok(caller),
            None => self.of_namespace(cluster, &target.kind, aws).await,
        }
    }

    /// The Secret that the command line names.
    pub(super) fn chosen_secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// The client with the user's own credentials, if the command line says so.
    async fn own(&self) -> Result<Option<Caller>, PluginError> {
        self.own_in(None).await
    }

    /// The same, in this region unless the command line names another.
    async fn own_in(&self, region: Option<String>) -> Result<Option<Caller>, PluginError> {
        if !self.own && self.profile.is_none() {
            return Ok(None);
        }
        let clients = self.clients().await?;
        let credentials =
            self.profile.clone().map(|profile| Credentials { profile: Some(profile), ..Credentials::default() });
        let aws = Aws { region: self.region.clone().or(region), credentials };
        // These rules allow the user what the user has.
        let all = "*".to_owned();
        let profiles: Vec<Grant> =
            self.profile.iter().filter_map(|profile| format!("{all}={profile}").parse().ok()).collect();
        let rules = Rules { controller_identity_namespaces: vec![all], profiles, ..Rules::default() };
        let owner = Owner { namespace: "", kind: "" };
        let resolved = resolver::resolve(&clients, &rules, owner, &aws, None).map_err(|error| match error {
            IdentityError::NoRegion { .. } => no_region("your AWS configuration has none"),
            error => PluginError::Credentials(error.to_string()),
        })?;
        Ok(Some(Caller { client: resolved.client, credentials: Whose::Own(self.profile.clone()) }))
    }

    async fn of_namespace(&self, cluster: &Cluster, kind: &Kind, mut aws: Aws) -> Result<Caller, PluginError> {
        if self.region.is_some() {
            aws.region.clone_from(&self.region);
        }
        if self.secret.is_some() {
            aws.credentials = Some(Credentials { secret_name: self.secret.clone(), ..Credentials::default() });
        }
        let secret = resolver::read(&cluster.client, &cluster.namespace, &aws).await.map_err(|error| unread(&error))?;
        let clients = self.clients().await?;
        let owner = Owner { namespace: &cluster.namespace, kind: &kind.resource.kind };
        let resolved = resolver::resolve(&clients, &self.rules(&cluster.namespace), owner, &aws, secret.as_ref());
        let ResolvedClient { client, provenance } = resolved.map_err(|error| unresolved(&error))?;
        let named = aws.credentials.as_ref().is_some_and(|credentials| credentials.secret_name.is_some());
        let secret = format!("{}/{}", cluster.namespace, resolver::secret_name(&aws));
        Ok(Caller { client, credentials: Whose::Namespace { provenance, secret, named } })
    }

    async fn clients(&self) -> Result<Clients, PluginError> {
        let Self { profile, region, endpoint_url, .. } = self.clone();
        let overrides = Overrides { profile, region, endpoint_url };
        let config = Box::pin(AwsConfig::load_with(overrides, TIMEOUT, None, Metrics::new())).await;
        Ok(Clients::new(config.map_err(Box::new)?))
    }

    /// The operator's rules for the keys of a Secret, but for endpoints: the user decides which hosts are called from
    /// here.
    fn rules(&self, namespace: &str) -> Rules {
        let from_environment = ENDPOINT_SETTINGS.iter().filter_map(|name| std::env::var(name).ok());
        let urls = self.endpoint_url.iter().cloned().chain(from_environment);
        let allowed = urls.filter_map(|url| format!("{namespace}={}", url.trim_end_matches('/')).parse().ok());
        let endpoints: Vec<AllowedEndpoint> = allowed.collect();
        Rules { endpoints, ..Rules::default() }
    }
}

impl Caller {
    /// Reads something from AWS. A throttled or lost call is repeated a few times.
    pub(super) async fn read<T>(&self, call: impl AsyncFn(&Glue) -> Result<T, Error>) -> Result<T, PluginError> {
        let mut pauses = PAUSES.iter();
        loop {
            match call(&self.client).await {
                Err(error) if is_passing(error.kind) => match pauses.next() {
                    Some(pause) => tokio::time::sleep(*pause).await,
                    None => return Err(self.error(error)),
                },
                answer => return answer.map_err(|error| self.error(error)),
            }
        }
    }

    /// An error of AWS, with the remedy for these credentials.
    pub(super) fn error(&self, error: Error) -> PluginError {
        let remedy = self.remedy(&error);
        PluginError::Aws { error: Box::new(error), remedy }
    }

    fn remedy(&self, error: &Error) -> String {
        let region = &self.client.identity().region;
        match (error.kind, &self.credentials) {
            (ErrorKind::NotFound, _) => {
                format!("there is no {} in this account in {region}: check the name and --region", error.object)
            }
            (ErrorKind::Denied, Whose::Own(_)) => format!("allow {} to {}", denied(error), self.credentials.describe()),
            (ErrorKind::Denied, Whose::Namespace { provenance, .. }) if error.operation != "AssumeRole" => {
                format!("allow {} to {}, {USE_OWN}", denied(error), principal(provenance))
            }
            (ErrorKind::Denied | ErrorKind::ExpiredCredentials, Whose::Namespace { provenance, .. }) => {
                error.remedy(provenance)
            }
            (ErrorKind::ExpiredCredentials, Whose::Own(profile)) => {
                let profile = profile.as_ref().map_or_else(String::new, |profile| format!(" --profile {profile}"));
                format!(
                    "AWS does not accept your own credentials: log in again, for example with `aws sso login{profile}`, \
                     or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                )
            }
            (ErrorKind::Throttled, _) => "AWS throttles this account: try again later".to_owned(),
            _ => String::new(),
        }
    }
}

impl Whose {
    /// In words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Namespace { provenance, .. } => principal(provenance),
            Self::Own(None) => "your own identity".to_owned(),
            Self::Own(Some(profile)) => format!("the identity of your profile {profile}"),
        }
    }
}

/// Whether the same read may succeed a moment later.
fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Ambiguous)
}

/// The action that is not allowed.
fn denied(error: &Error) -> String {
    error.denied_action().map_or_else(|| format!("glue:{}", error.operation), str::to_owned)
}

/// The user may not read the Secret, or the API server does not answer.
fn unread(error: &SecretError) -> PluginError {
    let SecretError { namespace, name, source } = error;
    match &**source {
        kube::Error::Api(status) if status.code == 401 => PluginError::Credentials(format!(
            "reading Secret {namespace}/{name}: the API server does not accept your credentials, which may have expired: \
             log in again"
        )),
        kube::Error::Api(status) if status.code == 403 => PluginError::Credentials(format!(
            "you may not read Secret {namespace}/{name}: ask for the right to get it (`kubectl create role {name} \
             --namespace {namespace} --verb get --resource secrets --resource-name {name}`, and a rolebinding), {USE_OWN}"
        )),
        _ => PluginError::Credentials(error.to_string()),
    }
}

/// There are no credentials for the namespace that the user could use.
fn unresolved(error: &IdentityError) -> PluginError {
    let message = match error {
        IdentityError::SecretNotFound { secret } | IdentityError::NoCredentials { secret, .. } => {
            format!("there is no Secret {secret} with AWS credentials: {}, {USE_OWN}", create_secret(secret))
        }
        IdentityError::ProfileNotAllowed { profile, .. } => {
            format!(
                "profile {profile} is part of the controller's AWS configuration: use a profile of your own with --profile"
            )
        }
        IdentityError::EndpointNotAllowed { setting, .. } => {
            format!("{setting} names an endpoint of its own: call it with --endpoint-url and the same URL")
        }
        IdentityError::NoRegion { secret } => return no_region(&format!("Secret {secret} has no AWS_REGION")),
        error => error.to_string(),
    };
    PluginError::Credentials(message)
}

/// How a Secret with keys is created. `secret` is `namespace/name`.
pub(super) fn create_secret(secret: &str) -> String {
    let (namespace, name) = secret.split_once('/').unwrap_or(("default", secret));
    format!(
        "create it (`kubectl create secret generic {name} --namespace {namespace} --from-literal AWS_ACCESS_KEY_ID=... \
         --from-literal AWS_SECRET_ACCESS_KEY=...`)"
    )
}

fn no_region(why: &str) -> PluginError {
    PluginError::Usage(format!("which region? {why}: pass --region, or set AWS_REGION"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glue::identity::Setting;
    use crate::plugin::exit::Exit;

    #[test]
    fn whoever_lacks_credentials_is_told_what_to_create_or_to_pass() {
        let secret = "team/kube-glue-credentials".to_owned();
        for (error, parts) in [
            (
                IdentityError::NoCredentials { namespace: "team".to_owned(), secret: secret.clone() },
                ["kubectl create secret generic kube-glue-credentials --namespace team", "--own"],
            ),
            (
                IdentityError::ProfileNotAllowed { namespace: "team".to_owned(), profile: "etl".to_owned() },
                ["profile etl is part of the controller's", "--profile"],
            ),
            (
                IdentityError::EndpointNotAllowed {
                    namespace: "team".to_owned(),
                    setting: Setting::SecretKey { secret: secret.clone(), key: "AWS_ENDPOINT_URL" },
                },
                ["key AWS_ENDPOINT_URL of Secret team/kube-glue-credentials", "--endpoint-url"],
            ),
            (IdentityError::NoRegion { secret }, ["has no AWS_REGION", "--region"]),
        ] {
            let message = unresolved(&error).to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }

    #[test]
    fn a_secret_that_may_not_be_read_is_named_with_the_right() {
        let status = kube::core::Status { code: 403, ..kube::core::Status::default() };
        let source = Box::new(kube::Error::Api(Box::new(status)));
        let error = unread(&SecretError { namespace: "team".to_owned(), name: "keys".to_owned(), source });
        assert_eq!(error.exit(), Exit::Refused);
        assert!(error.to_string().contains("--verb get --resource secrets --resource-name keys"), "{error}");
    }

    #[test]
    fn only_endpoints_that_the_user_names_are_called() {
        let named = AwsArgs { endpoint_url: Some("http://localhost:4566/".to_owned()), ..AwsArgs::default() };
        let expected: AllowedEndpoint = "team=http://localhost:4566".parse().unwrap();
        assert!(named.rules("team").endpoints.contains(&expected));
        assert!(!AwsArgs::default().rules("team").endpoints.contains(&expected));
    }
}
