//! The flags that say who may be whom to AWS.

#![expect(clippy::doc_markdown, reason = "the comments on flags are what --help prints")]

use std::str::FromStr;

use clap::{ArgAction, Args};

use super::CREDENTIALS;
use crate::glue::identity::{AllowedEndpoint, Grant, Rules};

/// Whose AWS credentials objects may use.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = CREDENTIALS)]
pub(super) struct CredentialOptions {
    /// Namespaces whose objects may use the controller's own AWS identity when no Secret gives them
    /// one, as patterns with * and ? separated by commas; empty: none
    #[arg(
        long,
        env = "KUBE_GLUE_CONTROLLER_IDENTITY_NAMESPACES",
        value_name = "PATTERN,...",
        value_delimiter = ',',
        default_value = "",
        hide_default_value = true
    )]
    controller_identity_namespaces: Vec<String>,

    /// Roles that namespaces may assume, both as patterns with * and ?; empty: any with keys of their
    /// own, and none with the controller's identity
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_ROLES", value_name = "NAMESPACE=ARN,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = listed::<Grant>,
    )]
    allowed_roles: Vec<Option<Grant>>,

    /// Profiles of the controller's AWS configuration that namespaces may use, both as patterns with *
    /// and ?; empty: none
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_PROFILES", value_name = "NAMESPACE=PROFILE,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = listed::<Grant>,
    )]
    allowed_profiles: Vec<Option<Grant>>,

    /// Endpoints that a Secret may name as AWS_ENDPOINT_URL: hosts, suffixes such as
    /// .vpce.amazonaws.com, or http://host:port; empty: none
    #[arg(
        long, env = "KUBE_GLUE_ALLOWED_ENDPOINTS", value_name = "HOST,...", value_delimiter = ',',
        default_value = "", hide_default_value = true, value_parser = listed::<AllowedEndpoint>,
    )]
    allowed_endpoints: Vec<Option<AllowedEndpoint>>,

    /// Whether sessions of roles are tagged with kube-glue-namespace and kube-glue-kind, for which the
    /// roles' trust policies must allow sts:TagSession
    #[arg(
        long, env = "KUBE_GLUE_SESSION_TAGS", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true,
    )]
    session_tags: bool,

    /// Whether Secrets are watched (their metadata only) so that a change is used within seconds;
    /// otherwise they are read again after a refusal of AWS and every five minutes
    #[arg(
        long, env = "KUBE_GLUE_WATCH_SECRETS", value_name = "true|false", default_value_t = true,
        action = ArgAction::Set, hide_possible_values = true,
    )]
    pub(super) watch_secrets: bool,
}

impl CredentialOptions {
    /// What the operator admits.
    pub(super) fn rules(&self) -> Rules {
        let patterns = self.controller_identity_namespaces.iter().filter(|pattern| !pattern.is_empty());
        Rules {
            own_identity: patterns.cloned().collect(),
            roles: self.allowed_roles.iter().flatten().cloned().collect(),
            profiles: self.allowed_profiles.iter().flatten().cloned().collect(),
            endpoints: self.allowed_endpoints.iter().flatten().cloned().collect(),
            session_tags: self.session_tags,
        }
    }
}

/// An entry of a list; an empty list has one that is empty.
fn listed<T: FromStr<Err = &'static str>>(text: &str) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(str::to_owned) }
}
