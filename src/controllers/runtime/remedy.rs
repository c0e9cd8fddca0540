//! Messages for the user: the remedy of an AWS error, and the text of an identity error.
//!
//! They name fields of the spec and values of the chart, which `glue` does not know.

use std::fmt;

use crate::glue::identity::{CredentialOrigin, IdentityError, Provenance, Setting};
use crate::glue::{Error, ErrorKind};

const ASSUME_ROLE: &str = "AssumeRole";
/// The code of an error that says that a provider returned no credentials.
const NO_CREDENTIALS: &str = "NoCredentials";
const RETRIES: &str = "the controller retries";

impl Error {
    /// What the user, or the operator of kube-glue, can do about the error of a call with these credentials.
    #[must_use]
    pub fn remedy(&self, provenance: &Provenance) -> String {
        match self.kind {
            ErrorKind::NotFound => format!(
                "there is no {} in this account and region: create it, or check the name, spec.region and \
                 spec.credentials; {RETRIES}",
                self.object
            ),
            ErrorKind::Denied | ErrorKind::Invalid if self.operation == ASSUME_ROLE => self.role_remedy(provenance),
            // STS rejects a parameter of the request.
            ErrorKind::ExpiredCredentials if self.operation == ASSUME_ROLE && self.code.starts_with("Validation") => {
                self.role_remedy(provenance)
            }
            ErrorKind::Denied => {
                let operation = || format!("glue:{}", self.operation);
                format!(
                    "allow {} to {}, or name another identity in spec.credentials",
                    self.denied_action().map_or_else(operation, str::to_owned),
                    principal(provenance)
                )
            }
            ErrorKind::ExpiredCredentials => self.credentials_remedy(provenance),
            ErrorKind::Invalid if matches!(self.operation, "StartTrigger" | "StopTrigger") => {
                format!("correct the trigger in Glue; {RETRIES}")
            }
            ErrorKind::Invalid if self.operation.ends_with("Connection") => {
                "correct the spec, or the Secrets that it references".to_owned()
            }
            ErrorKind::Invalid => format!(
                "the fields cannot be changed: create a new object with values that Glue accepts, or correct the Glue {}",
                self.object.split(' ').next().unwrap_or_default()
            ),
            ErrorKind::LimitExceeded => format!("a quota of the account is exhausted; {RETRIES}"),
            ErrorKind::Busy => {
                "the maximum number of concurrent runs is reached; this one starts when another has ended".to_owned()
            }
            ErrorKind::Transient if self.code == "NoEndpoint" => {
                "a custom endpoint (AWS_ENDPOINT_URL) cannot be combined with the controller's AWS_USE_FIPS_ENDPOINT \
                 or AWS_USE_DUALSTACK_ENDPOINT: keep one of them"
                    .to_owned()
            }
            ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Conflict | ErrorKind::Ambiguous => {
                RETRIES.to_owned()
            }
        }
    }

    /// For credentials that AWS does not accept, or that a provider does not return.
    fn credentials_remedy(&self, provenance: &Provenance) -> String {
        let is_session = provenance.role.is_some() && self.operation != ASSUME_ROLE && self.code != NO_CREDENTIALS;
        if is_session {
            return "the session of the role ended early: the controller assumes the role again with the next call"
                .to_owned();
        }
        match &provenance.credentials {
            CredentialOrigin::Secret { name, temporary } => {
                let problem = match self.code.as_str() {
                    code if code.contains("Expired") => {
                        format!("the temporary keys in Secret {name} (AWS_SESSION_TOKEN) have expired")
                    }
                    "InvalidSignatureException" | "SignatureDoesNotMatch" => {
                        format!("AWS_SECRET_ACCESS_KEY in Secret {name} does not belong to its AWS_ACCESS_KEY_ID")
                    }
                    "UnrecognizedClientException" | "InvalidClientTokenId" if *temporary => {
                        format!("AWS does not know AWS_ACCESS_KEY_ID with the AWS_SESSION_TOKEN in Secret {name}")
                    }
                    "UnrecognizedClientException" | "InvalidClientTokenId" => {
                        format!("AWS does not know AWS_ACCESS_KEY_ID in Secret {name}")
                    }
                    _ => format!("AWS does not accept AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Secret {name}"),
                };
                format!("{problem}: put valid keys there, and the controller uses them")
            }
            CredentialOrigin::Controller => {
                "these are the controller's own credentials: the operator of kube-glue provides valid ones through \
                 IRSA, EKS Pod Identity or AWS's environment variables"
                    .to_owned()
            }
            CredentialOrigin::Profile(name) => format!(
                "profile {name} is part of the controller's AWS configuration: the operator of kube-glue puts valid \
                 credentials there"
            ),
        }
    }

    /// For a role that cannot be assumed. STS's message names the action that is not allowed, but not where to allow it.
    fn role_remedy(&self, provenance: &Provenance) -> String {
        if self.message.contains("sts:TagSession") {
            return "allow sts:TagSession beside sts:AssumeRole in the role's trust policy: the session is tagged with \
                    namespace and kind, unless the operator of kube-glue disables that (--session-tags=false)"
                .to_owned();
        }
        if self.message.contains("sts:SetSourceIdentity") {
            return "allow sts:SetSourceIdentity beside sts:AssumeRole in the role's trust policy, or set no source \
                    identity"
                .to_owned();
        }
        let problem =
            if self.kind == ErrorKind::Denied { "was denied" } else { "cannot be assumed with its parameters" };
        let setting = provenance.role.as_ref().map_or_else(|| "spec.credentials".to_owned(), ToString::to_string);
        format!(
            "the role in {setting} {problem}: allow sts:AssumeRole on it to {}, and check its ARN, and the external id \
             that the role's trust policy requires (externalId, or AWS_EXTERNAL_ID)",
            credentials(&provenance.credentials)
        )
    }
}

/// What IAM authorizes the calls for.
pub(crate) fn principal(provenance: &Provenance) -> String {
    match &provenance.role {
        Some(setting) => format!("the role in {setting}"),
        None => credentials(&provenance.credentials),
    }
}

/// The identity that has the credentials.
pub(crate) fn credentials(origin: &CredentialOrigin) -> String {
    match origin {
        CredentialOrigin::Secret { name, .. } => format!("the identity whose keys are in Secret {name}"),
        CredentialOrigin::Controller => "the controller's own identity".to_owned(),
        CredentialOrigin::Profile(name) => format!("the identity of profile {name}"),
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => write!(f, "spec.credentials.{field}"),
            Self::SecretKey { secret, key } => write!(f, "key {key} of Secret {secret}"),
        }
    }
}

/// What is missing, invalid or not allowed, and where to set it.
impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SecretNotFound { secret } => write!(
                f,
                "Secret {secret} does not exist: create it with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ),
            Self::NoCredentials { namespace, secret } => write!(
                f,
                "no credentials for namespace {namespace}: create Secret {secret} with the keys AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or name another Secret in spec.credentials.secretName (the controller's own \
                 identity is not allowed for this namespace)"
            ),
            Self::MissingKey { secret, key, similar } => {
                write!(f, "Secret {secret} has no key {key}: add it (the names of keys are those of AWS's variables")?;
                similar.as_ref().map_or(Ok(()), |similar| write!(f, "; it has {similar}"))?;
                f.write_str(")")
            }
            Self::InvalidValue { setting, problem } => write!(f, "{setting} {problem}"),
            Self::NoRole { secret } => write!(
                f,
                "spec.credentials.assumeRole names no role: set roleArn there, or AWS_ROLE_ARN in Secret {secret}"
            ),
            Self::RoleNotAllowed { namespace, arn, with_controller_credentials } => {
                let with = if *with_controller_credentials { " with the controller's credentials" } else { "" };
                write!(
                    f,
                    "namespace {namespace} may not assume role {arn}{with}: the operator of kube-glue lists the roles \
                     of each namespace (--allowed-roles)"
                )
            }
            Self::ProfileNotAllowed { namespace, profile } => write!(
                f,
                "namespace {namespace} may not use profile {profile}: the operator of kube-glue lists the profiles of \
                 each namespace (--allowed-profiles)"
            ),
            Self::EndpointNotAllowed { namespace, setting } => write!(
                f,
                "{setting} is not allowed for namespace {namespace}: the operator of kube-glue lists the endpoints that \
                 the Secrets of each namespace may name (--allowed-endpoints); remove the key to use the default one"
            ),
            Self::EndpointWithoutKeys { setting } => write!(
                f,
                "{setting} is used with keys of the same Secret only, and it has none: add AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY, or remove the key"
            ),
            Self::NoRegion { secret } => write!(
                f,
                "no region: set spec.region, or AWS_REGION in Secret {secret}, or the controller's default region"
            ),
        }
    }
}

impl std::error::Error for IdentityError {}

#[cfg(test)]
mod tests;
