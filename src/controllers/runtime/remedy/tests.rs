//! The texts of remedies and of identity errors.

use super::*;

fn error(operation: &'static str, kind: ErrorKind, code: &str, message: &str) -> Error {
    Error { operation, object: "job etl".to_owned(), kind, code: code.to_owned(), message: message.to_owned() }
}

fn secret_key(key: &'static str) -> Setting {
    Setting::SecretKey { secret: "a/s".to_owned(), key }
}

#[test]
fn a_remedy_names_the_secret_and_its_key() {
    let secret = |temporary, role: Option<&Setting>| Provenance {
        credentials: CredentialOrigin::Secret { name: "a/s".to_owned(), temporary },
        role: role.cloned(),
    };
    let own = |role: Option<&Setting>| Provenance { credentials: CredentialOrigin::Controller, role: role.cloned() };
    let field = Setting::Field("assumeRole.roleArn");
    let key = secret_key("AWS_ROLE_ARN");
    let (field, key) = (Some(&field), Some(&key));
    let (refused, denied) = (ErrorKind::ExpiredCredentials, ErrorKind::Denied);
    for (provenance, operation, kind, code, message, text) in [
        (
            secret(false, None),
            "GetJob",
            refused,
            "InvalidSignatureException",
            "",
            "AWS_SECRET_ACCESS_KEY in Secret a/s does not belong to",
        ),
        (secret(false, None), "GetJob", refused, "UnrecognizedClientException", "", "AWS_ACCESS_KEY_ID in Secret a/s"),
        (secret(true, None), "GetJob", refused, "UnrecognizedClientException", "", "AWS_SESSION_TOKEN in Secret a/s"),
        (
            secret(true, None),
            "GetJob",
            refused,
            "ExpiredTokenException",
            "",
            "in Secret a/s (AWS_SESSION_TOKEN) have exp",
        ),
        (secret(false, None), "GetJob", refused, "IncompleteSignature", "", "AWS_SECRET_ACCESS_KEY in Secret a/s: put"),
        (secret(false, field), ASSUME_ROLE, refused, "InvalidClientTokenId", "", "AWS_ACCESS_KEY_ID in Secret a/s"),
        (
            secret(false, field),
            "GetJob",
            refused,
            "ExpiredTokenException",
            "",
            "the controller assumes the role again with the next call",
        ),
        (own(None), "GetCredentials", refused, NO_CREDENTIALS, "", "the controller's own credentials"),
        (own(field), "GetCredentials", refused, NO_CREDENTIALS, "", "the controller's own credentials"),
        (
            secret(false, None),
            "GetJob",
            denied,
            "",
            "",
            "allow glue:GetJob to the identity whose keys are in Secret a/s",
        ),
        (secret(false, key), "GetJob", denied, "", "", "allow glue:GetJob to the role in key AWS_ROLE_ARN of Secret"),
        (
            own(None),
            "TestConnection",
            denied,
            "",
            "is not authorized to perform: ec2:DescribeSubnets on resource: *",
            "allow ec2:DescribeSubnets to the controller's own identity",
        ),
        (own(None), "GetJob", denied, "", "", "allow glue:GetJob to the controller's own identity"),
        (own(field), ASSUME_ROLE, denied, "", "", "the role in spec.credentials.assumeRole.roleArn was denied"),
        (secret(false, key), ASSUME_ROLE, denied, "", "", "the role in key AWS_ROLE_ARN of Secret a/s was denied"),
        (secret(false, key), ASSUME_ROLE, denied, "", "not allowed: sts:TagSession", "allow sts:TagSession beside"),
        (
            secret(false, key),
            ASSUME_ROLE,
            refused,
            "ValidationError",
            "",
            "of Secret a/s cannot be assumed with its parameters",
        ),
    ] {
        let error = error(operation, kind, code, message);
        let remedy = error.remedy(&provenance);
        assert!(remedy.contains(text), "{error:?}: {remedy:?} does not contain {text:?}");
    }
}

#[test]
fn an_identity_error_names_the_setting_and_the_remedy() {
    let secret = || "a/s".to_owned();
    let namespace = || "a".to_owned();
    for (error, text) in [
        (IdentityError::SecretNotFound { secret: secret() }, "Secret a/s does not exist: create it with the keys"),
        (
            IdentityError::NoCredentials { namespace: namespace(), secret: secret() },
            "the controller's own identity is not allowed for this namespace",
        ),
        (
            IdentityError::MissingKey { secret: secret(), key: "AWS_SECRET_ACCESS_KEY", similar: None },
            "Secret a/s has no key AWS_SECRET_ACCESS_KEY: add it (the names of keys are those of AWS's variables)",
        ),
        (
            IdentityError::MissingKey {
                secret: secret(),
                key: "AWS_ACCESS_KEY_ID",
                similar: Some("accessKeyId".to_owned()),
            },
            "no key AWS_ACCESS_KEY_ID: add it (the names of keys are those of AWS's variables; it has accessKeyId)",
        ),
        (
            IdentityError::InvalidValue { setting: secret_key("AWS_REGION"), problem: "is empty: fill it" },
            "key AWS_REGION of Secret a/s is empty: fill it",
        ),
        (
            IdentityError::InvalidValue { setting: Setting::Field("assumeRole.roleArn"), problem: "is empty" },
            "spec.credentials.assumeRole.roleArn is empty",
        ),
        (IdentityError::NoRole { secret: secret() }, "assumeRole names no role: set roleArn"),
        (
            IdentityError::RoleNotAllowed {
                namespace: namespace(),
                arn: "arn".to_owned(),
                with_controller_credentials: true,
            },
            "namespace a may not assume role arn with the controller's credentials: the operator",
        ),
        (
            IdentityError::ProfileNotAllowed { namespace: namespace(), profile: "p".to_owned() },
            "namespace a may not use profile p",
        ),
        (
            IdentityError::EndpointNotAllowed { namespace: namespace(), setting: secret_key("AWS_ENDPOINT_URL") },
            "key AWS_ENDPOINT_URL of Secret a/s is not allowed for namespace a",
        ),
        (
            IdentityError::EndpointWithoutKeys { setting: secret_key("AWS_ENDPOINT_URL_STS") },
            "key AWS_ENDPOINT_URL_STS of Secret a/s is used with keys of the same Secret only",
        ),
        (IdentityError::NoRegion { secret: secret() }, "set spec.region, or AWS_REGION in Secret a/s"),
    ] {
        let message = error.to_string();
        assert!(message.contains(text), "{message:?} does not contain {text:?}");
    }
}
