//! Finds the credential that signed a request, and checks the signature.

use std::sync::Arc;

use hyper::http::request::Parts;

use crate::{
    error::AwsError,
    iam::Credential,
    s3,
    state::State,
    wire::sigv4::{Signed, SignedParts},
};

impl State {
    /// What the signature says, when there is one, and the credential, or why it is refused.
    pub(super) fn authenticate<'a>(
        &self,
        parts: &'a Parts,
        body: &[u8],
        service: &'static str,
    ) -> (Option<Signed<'a>>, Result<Arc<Credential>, AwsError>) {
        let in_dialect = |error: AwsError| match service {
            "sts" => as_sts(error),
            "s3" => s3::as_s3(error),
            _ => error,
        };
        let signed = match Signed::read(&parts.headers) {
            Ok(signed) => signed,
            Err(error) => return (None, Err(in_dialect(error))),
        };
        let checked = self.check(&signed, parts, body, service).map_err(in_dialect);
        (Some(signed), checked)
    }

    fn check(
        &self,
        signed: &Signed<'_>,
        parts: &Parts,
        body: &[u8],
        service: &str,
    ) -> Result<Arc<Credential>, AwsError> {
        let credential = self.iam.credential(signed.access_key_id).ok_or_else(unknown_key)?;
        if signed.service != service {
            return Err(AwsError::common(
                "InvalidSignatureException",
                format!("Credential should be scoped to correct service: '{service}'."),
            ));
        }
        if self.checks_signatures() {
            let parts = SignedParts {
                method: parts.method.as_str(),
                path: parts.uri.path(),
                query: parts.uri.query().unwrap_or_default(),
                headers: &parts.headers,
                body,
            };
            signed.verify(&parts, &credential.signing_key(signed))?;
        }
        let token = parts.headers.get("x-amz-security-token").and_then(|token| token.to_str().ok());
        if token != credential.token.as_deref() {
            return Err(unknown_key());
        }
        if credential.is_expired() {
            return Err(expired());
        }
        Ok(credential)
    }
}

pub(super) fn unknown_key() -> AwsError {
    AwsError::common("UnrecognizedClientException", "The security token included in the request is invalid.")
}

pub(super) fn expired() -> AwsError {
    AwsError::common("ExpiredTokenException", "The security token included in the request is expired")
}

/// The error with the code and HTTP status that STS uses for it.
pub(super) fn as_sts(error: AwsError) -> AwsError {
    let (code, status) = match &*error.code {
        "UnrecognizedClientException" => ("InvalidClientTokenId", 403),
        "InvalidSignatureException" => ("SignatureDoesNotMatch", 403),
        "MissingAuthenticationTokenException" => ("MissingAuthenticationToken", 403),
        "IncompleteSignatureException" => ("IncompleteSignature", 400),
        "ExpiredTokenException" => ("ExpiredToken", 403),
        "ThrottlingException" => ("Throttling", 400),
        "AccessDeniedException" => ("AccessDenied", 403),
        _ => return error,
    };
    AwsError { code: code.into(), status, ..error }
}
