//! Where an identity comes from, in words for a person. It makes no two clients different: the same keys in two
//! Secrets are one client, and each object is told of its own Secret.

use super::Source;
use crate::glue::{Error, ErrorKind};

/// Where an identity comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Who signs, or assumes the role.
    pub(super) source: From,
    /// The place that named the role: a field, or a key of a Secret.
    pub(super) role: Option<String>,
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The keys of a Secret, `namespace/name`.
    Secret {
        /// The Secret.
        name: String,
        /// Whether the keys are temporary.
        temporary: bool,
    },
    /// The controller.
    Own,
    /// A profile of the controller's configuration.
    Profile(String),
}

impl Provenance {
    pub(super) fn new(source: &Source, secret: &str, role: Option<String>) -> Self {
        let source = match source {
            Source::Keys(keys) => From::Secret { name: secret.to_owned(), temporary: keys.session_token.is_some() },
            Source::Own => From::Own,
            Source::Profile(name) => From::Profile(name.clone()),
        };
        Self { source, role }
    }

    /// What to do about credentials that AWS does not accept, or that could not be had.
    #[must_use]
    pub fn remedy_of_refusal(&self, error: &Error) -> String {
        let is_of_role = self.role.is_some() && error.operation != ASSUME_ROLE && error.code != NONE;
        if is_of_role {
            return "the role's session has ended before its time: the next call gets a new one by itself".to_owned();
        }
        match &self.source {
            From::Secret { name, temporary } => {
                let wrong = match error.code.as_str() {
                    code if code.contains("Expired") => {
                        format!("the temporary keys in Secret {name} (AWS_SESSION_TOKEN) have expired")
                    }
                    "InvalidSignatureException" | "SignatureDoesNotMatch" => {
                        format!("AWS_SECRET_ACCESS_KEY in Secret {name} is not that of its AWS_ACCESS_KEY_ID")
                    }
                    "UnrecognizedClientException" | "InvalidClientTokenId" if *temporary => {
                        format!("AWS knows no AWS_ACCESS_KEY_ID with the AWS_SESSION_TOKEN in Secret {name}")
                    }
                    "UnrecognizedClientException" | "InvalidClientTokenId" => {
                        format!("AWS does not know AWS_ACCESS_KEY_ID in Secret {name}")
                    }
                    _ => format!("AWS does not accept AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Secret {name}"),
                };
                format!("{wrong}: put valid keys there; they are taken up by themselves")
            }
            From::Own => "these are the controller's own credentials: its operator gives it valid ones, by IRSA, EKS \
                          Pod Identity or AWS's variables"
                .to_owned(),
            From::Profile(name) => {
                format!(
                    "profile {name} is of the controller's AWS configuration: its operator puts valid credentials there"
                )
            }
        }
    }

    /// What to do about a call that these credentials may not make.
    #[must_use]
    pub fn remedy_of_denial(&self, error: &Error) -> String {
        format!("allow glue:{} to {}, or name another one in spec.credentials", error.operation, self.who())
    }

    /// What to do about a role that may not be assumed so. STS names in its words what is not allowed, and not
    /// where that is to be said.
    #[must_use]
    pub fn remedy_of_role(&self, error: &Error) -> String {
        let place = self.role.as_deref().unwrap_or("spec.credentials");
        if error.message.contains("sts:TagSession") {
            return "allow sts:TagSession beside sts:AssumeRole in the role's trust policy: the session is tagged \
                    with namespace and kind, unless the operator of kube-glue switches that off (--session-tags=false)"
                .to_owned();
        }
        if error.message.contains("sts:SetSourceIdentity") {
            return "allow sts:SetSourceIdentity beside sts:AssumeRole in the role's trust policy, or name no source \
                    identity"
                .to_owned();
        }
        let what = if error.kind == ErrorKind::Denied { "was refused" } else { "cannot be assumed so" };
        format!(
            "the role that {place} names {what}: allow sts:AssumeRole on it to {}, and check its ARN, and the external \
             id that the role's trust policy asks for (externalId, or AWS_EXTERNAL_ID)",
            self.source_in_words()
        )
    }

    fn who(&self) -> String {
        match &self.role {
            Some(place) => format!("the role that {place} names"),
            None => self.source_in_words(),
        }
    }

    fn source_in_words(&self) -> String {
        match &self.source {
            From::Secret { name, .. } => format!("the identity whose keys are in Secret {name}"),
            From::Own => "the controller's own identity".to_owned(),
            From::Profile(name) => format!("the identity of profile {name}"),
        }
    }
}

const ASSUME_ROLE: &str = "AssumeRole";
/// The code of credentials that could not be had at all.
const NONE: &str = "NoCredentials";

#[cfg(test)]
mod tests {
    use super::*;

    fn error(operation: &'static str, kind: ErrorKind, code: &str, message: &str) -> Error {
        Error { operation, object: "job etl".to_owned(), kind, code: code.to_owned(), message: message.to_owned() }
    }

    #[test]
    fn what_is_refused_is_named_with_the_secret_and_its_key() {
        let secret = |temporary, role: Option<&str>| Provenance {
            source: From::Secret { name: "a/s".to_owned(), temporary },
            role: role.map(str::to_owned),
        };
        let own = |role: Option<&str>| Provenance { source: From::Own, role: role.map(str::to_owned) };
        let field = Some("spec.credentials.assumeRole.roleArn");
        let key = Some("key AWS_ROLE_ARN of Secret a/s");
        let (no, denied) = (ErrorKind::ExpiredCredentials, ErrorKind::Denied);
        for (from, operation, kind, code, message, words) in [
            (
                secret(false, None),
                "GetJob",
                no,
                "InvalidSignatureException",
                "",
                "AWS_SECRET_ACCESS_KEY in Secret a/s is",
            ),
            (secret(false, None), "GetJob", no, "UnrecognizedClientException", "", "AWS_ACCESS_KEY_ID in Secret a/s"),
            (secret(true, None), "GetJob", no, "UnrecognizedClientException", "", "AWS_SESSION_TOKEN in Secret a/s"),
            (
                secret(true, None),
                "GetJob",
                no,
                "ExpiredTokenException",
                "",
                "in Secret a/s (AWS_SESSION_TOKEN) have exp",
            ),
            (secret(false, None), "GetJob", no, "IncompleteSignature", "", "AWS_SECRET_ACCESS_KEY in Secret a/s: put"),
            (secret(false, field), "AssumeRole", no, "InvalidClientTokenId", "", "AWS_ACCESS_KEY_ID in Secret a/s"),
            (secret(false, field), "GetJob", no, "ExpiredTokenException", "", "the next call gets a new one by itself"),
            (own(None), "GetCredentials", no, "NoCredentials", "", "the controller's own credentials"),
            (own(field), "GetCredentials", no, "NoCredentials", "", "the controller's own credentials"),
            (
                secret(false, None),
                "GetJob",
                denied,
                "",
                "",
                "allow glue:GetJob to the identity whose keys are in Secret a/s",
            ),
            (
                secret(false, key),
                "GetJob",
                denied,
                "",
                "",
                "allow glue:GetJob to the role that key AWS_ROLE_ARN of Secret",
            ),
            (own(None), "GetJob", denied, "", "", "allow glue:GetJob to the controller's own identity"),
            (
                own(field),
                "AssumeRole",
                denied,
                "",
                "",
                "the role that spec.credentials.assumeRole.roleArn names was refused",
            ),
            (
                secret(false, key),
                "AssumeRole",
                denied,
                "",
                "",
                "the role that key AWS_ROLE_ARN of Secret a/s names was",
            ),
            (
                secret(false, key),
                "AssumeRole",
                denied,
                "",
                "not allowed: sts:TagSession",
                "allow sts:TagSession beside",
            ),
            (secret(false, key), "AssumeRole", no, "ValidationError", "", "names cannot be assumed so"),
        ] {
            let error = error(operation, kind, code, message);
            let remedy = error.remedy(&from);
            assert!(remedy.contains(words), "{error:?}: {remedy:?} does not say {words:?}");
        }
    }
}
