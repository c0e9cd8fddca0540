//! The flags for AWS credentials: which identities, roles, profiles, endpoints and job arguments each namespace may use.

use clap::{ArgAction, Args, value_parser};

use super::CREDENTIALS;
use super::values::list_entry;
use crate::glue::identity::{AllowedEndpoint, Grant, MOST_IDENTITIES, RefusedArguments, Rules};

/// The AWS credentials that objects may use.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = CREDENTIALS)]
pub(super) struct CredentialOptions {
    /// Namespaces whose objects may use the controller's own AWS identity when no Secret provides
    /// credentials, as patterns with * and ? separated by commas; empty: none
    #[arg(
        long,
        env = "KUBE_GLUE_CONTROLLER_IDENTITY_NAMESPACES",
        value_name = "PATTERN,...",
        value_delimiter = ',',
        default_value = "",
        hide_default_value = true
    )]
    controller_identity_namespaces: Vec<String>,

    /// Roles that namespaces may assume, both as patterns with * and ?; empty: any role with the
    /// namespace's own keys, none with the controller's identity
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_ROLES", value_name = "NAMESPACE=ARN,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = list_entry::<Grant>,
    )]
    allowed_roles: Vec<Option<Grant>>,

    /// Profiles of the controller's AWS configuration that namespaces may use, both as patterns with *
    /// and ?; empty: none
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_PROFILES", value_name = "NAMESPACE=PROFILE,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = list_entry::<Grant>,
    )]
    allowed_profiles: Vec<Option<Grant>>,

    /// Endpoints that Secrets with keys may set as AWS_ENDPOINT_URL, by namespaces (a pattern with * and ?):
    /// hosts, suffixes such as .vpce.amazonaws.com, or http://host:port; empty: none
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_ENDPOINTS", value_name = "NAMESPACE=ENDPOINT,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = list_entry::<AllowedEndpoint>,
    )]
    allowed_endpoints: Vec<Option<AllowedEndpoint>>,

    /// Job arguments that namespaces may not set, both as patterns with * and ?; empty: none [default:
    /// those by which Glue runs other code, such as --scriptLocation and --extra-py-files, for objects that
    /// use the controller's identity or a profile]
    #[arg(
        long, env = "KUBE_GLUE_REFUSED_ARGUMENTS", value_name = "NAMESPACE=ARGUMENT,...", value_delimiter = ',',
        value_parser = list_entry::<Grant>,
    )]
    refused_arguments: Option<Vec<Option<Grant>>>,

    /// Whether to tag role sessions with kube-glue-namespace and kube-glue-kind; the trust policies of
    /// the roles must then allow sts:TagSession
    #[arg(
        long, env = "KUBE_GLUE_SESSION_TAGS", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true,
    )]
    session_tags: bool,

    /// Most different regions and credentials that the objects of one namespace may use at once, counted for each kind: each
    /// costs an AWS client. Objects that need another one wait
    #[arg(
        long, env = "KUBE_GLUE_MAX_IDENTITIES_PER_NAMESPACE", value_name = "NUMBER", default_value_t = MOST_IDENTITIES,
        value_parser = value_parser!(u32).range(1..),
    )]
    max_identities_per_namespace: u32,

    /// Whether to watch Secrets (metadata only), so that a change takes effect within seconds; otherwise
    /// the controller reads them again after AWS refuses the credentials, and every 5 minutes
    #[arg(
        long, env = "KUBE_GLUE_WATCH_SECRETS", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true,
    )]
    pub(super) watch_secrets: bool,
}

impl CredentialOptions {
    /// The rules of the operator.
    pub(super) fn rules(&self) -> Rules {
        let patterns = self.controller_identity_namespaces.iter().filter(|pattern| !pattern.is_empty());
        Rules {
            controller_identity_namespaces: patterns.cloned().collect(),
            roles: self.allowed_roles.iter().flatten().cloned().collect(),
            profiles: self.allowed_profiles.iter().flatten().cloned().collect(),
            endpoints: self.allowed_endpoints.iter().flatten().cloned().collect(),
            refused_arguments: match &self.refused_arguments {
                None => RefusedArguments::default(),
                Some(list) => RefusedArguments::Listed(list.iter().flatten().cloned().collect()),
            },
            session_tags: self.session_tags,
            receivers: Vec::new(),
            most_identities: usize::try_from(self.max_identities_per_namespace).unwrap_or(usize::MAX),
        }
    }
}
