//! Maps the errors of the SDK to [`Error`]. No other code does.
//!
//! An error is a definite failure only if AWS certainly refused the call, or it was certainly not sent. Every other
//! error is [`ErrorKind::Ambiguous`].

use std::error::Error as StdError;
use std::io;

use aws_smithy_http::endpoint::ResolveEndpointError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::glue::error::UNKNOWN_CODE;
use crate::glue::{Error, ErrorKind};

/// The error of an SDK call.
pub(super) type SdkError<E> = result::SdkError<E, HttpResponse>;

/// The kind of an error code, where the code says more than the HTTP status.
/// Source: Glue API reference, "Common Error Types" and the errors of each operation; STS, CloudWatch Logs and S3 likewise.
fn kind_of_code(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "EntityNotFoundException" | "ResourceNotFoundException" => ErrorKind::NotFound,
        "ConcurrentModificationException"
        | "AlreadyExistsException"
        | "IdempotentParameterMismatchException"
        | "ConflictException"
        | "CrawlerStoppingException"
        | "CrawlerNotRunningException"
        | "VersionMismatchException" => ErrorKind::Conflict,
        "ConcurrentRunsExceededException" | "CrawlerRunningException" => ErrorKind::Busy,
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ProvisionedThroughputExceededException"
        | "RequestThrottledException"
        | "SlowDown" => ErrorKind::Throttled,
        // GlueEncryptionException: a KMS key that does not exist, or that the identity may not use.
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "GlueEncryptionException" => ErrorKind::Denied,
        "ExpiredTokenException"
        | "ExpiredToken"
        | "RequestExpired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException" => ErrorKind::ExpiredCredentials,
        "InvalidInputException" | "ValidationException" | "ValidationError" | "IllegalSessionStateException" => {
            ErrorKind::Invalid
        }
        "ResourceNumberLimitExceededException" | "ResourceNotReadyException" => ErrorKind::LimitExceeded,
        // An HTTP 400 about a timeout in Glue: the call may have had an effect.
        "OperationTimeoutException"
        | "InternalServiceException"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => ErrorKind::Ambiguous,
        _ => return None,
    })
}

/// The error and its chain of sources.
pub(super) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn StdError + 'static)| {
        let cause: &'a (dyn StdError + 'static) = *cause;
        cause.source()
    })
}

/// The messages of an error and of its causes, without repetitions.
pub(super) fn message_chain(error: &(dyn StdError + 'static)) -> String {
    let mut messages: Vec<String> = Vec::new();
    for cause in causes(error) {
        let message = cause.to_string();
        if !messages.iter().any(|earlier| earlier.contains(&message)) {
            messages.push(message);
        }
    }
    messages.join(": ")
}

/// Whether the request certainly was not sent: the connection was refused, the address was not found, or a proxy opened no
/// tunnel.
fn was_not_sent(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|io| matches!(io.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::AddrNotAvailable))
            || cause.to_string().contains("dns error")
            || cause.to_string().starts_with("tunnel error: ")
    })
}

/// An error code that says something: a proxy may answer with an empty one.
fn code_of(code: Option<&str>) -> Option<&str> {
    code.filter(|code| !code.trim().is_empty())
}

/// The error for an HTTP status and the error code and message of a service, where the answer has them.
pub(super) fn of_code(
    operation: &'static str,
    object: String,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> Error {
    let code = code_of(code).unwrap_or(UNKNOWN_CODE);
    let by_status = match status {
        429 => ErrorKind::Throttled,
        403 => ErrorKind::Denied,
        404 => ErrorKind::NotFound,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Ambiguous,
    };
    // A 5xx may come from a gateway, which does not know whether the service made the call.
    let kind = if status >= 500 && kind_of_code(code) != Some(ErrorKind::Throttled) {
        ErrorKind::Ambiguous
    } else {
        kind_of_code(code).unwrap_or(by_status)
    };
    let message = without_canonical_request(message.unwrap_or_default()).to_owned();
    let error = Error { operation, object, kind, code: code.to_owned(), message };
    // Where Glue calls another service on the caller's behalf, it may report a refusal of IAM as invalid input.
    let is_denied = kind == ErrorKind::Invalid && error.denied_action().is_some();
    Error { kind: if is_denied { ErrorKind::Denied } else { kind }, ..error }
}

/// What AWS says of a signature that it refuses, without the request that it goes on to quote: the request has the session
/// token. (IAM user guide, "Troubleshoot Signature Version 4 signing for API requests".)
fn without_canonical_request(message: &str) -> &str {
    let quoted = ["The Canonical String", "The String-to-Sign", "The canonical string", "The string-to-sign"];
    let begin = quoted.into_iter().filter_map(|quoted| message.find(quoted)).min();
    begin.map_or(message, |begin| message[..begin].trim_end())
}

/// The error for a successful answer that lacks what it must have. `kind` says whether the call may have had an effect.
pub(super) fn incomplete(operation: &'static str, object: String, kind: ErrorKind, what: &str) -> Error {
    let message = format!("the response has no {what}");
    Error { operation, object, kind, code: "AnswerNotUnderstood".to_owned(), message }
}

/// The error of a failed SDK call.
pub(super) fn map<E>(operation: &'static str, object: String, error: &SdkError<E>) -> Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let SdkError::ServiceError(service) = error {
        let status = service.raw().status();
        if status.is_success() {
            // The answer cannot be parsed: it may come from a proxy, and the call may have had an effect.
            let (kind, code) = (ErrorKind::Ambiguous, "AnswerNotUnderstood".to_owned());
            return Error { operation, object, kind, code, message: message_chain(error) };
        }
        let status = status.as_u16();
        let metadata = service.err().meta();
        let code = code_of(metadata.code());
        let no_message = code.is_none().then(|| format!("HTTP status {status} without an error of AWS"));
        let message = metadata.message().filter(|message| !message.is_empty()).or(no_message.as_deref());
        return of_code(operation, object, status, code, message);
    }
    if let Some(assume) = causes(error).find_map(|cause| cause.downcast_ref::<Error>()) {
        // The credentials provider failed, so nothing was sent to Glue. What STS rejects as invalid are the
        // credentials, and not the request to Glue.
        let kind = match assume.kind {
            ErrorKind::Ambiguous => ErrorKind::Transient,
            ErrorKind::Invalid => ErrorKind::ExpiredCredentials,
            kind => kind,
        };
        return Error { kind, ..assume.clone() };
    }
    let (kind, code) = match error {
        _ if super::is_credentials_error(error) => (ErrorKind::ExpiredCredentials, "NoCredentials"),
        // The SDK rejects the combination of region, FIPS, dual-stack and custom endpoint.
        _ if causes(error).any(<dyn StdError>::is::<ResolveEndpointError>) => (ErrorKind::Transient, "NoEndpoint"),
        SdkError::ConstructionFailure(_) => (ErrorKind::Invalid, "NotSent"),
        SdkError::DispatchFailure(failure) if !failure.is_timeout() && was_not_sent(error) => {
            (ErrorKind::Transient, "NotSent")
        }
        SdkError::TimeoutError(_) => (ErrorKind::Ambiguous, "Timeout"),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => (ErrorKind::Ambiguous, "Timeout"),
        SdkError::DispatchFailure(_) => (ErrorKind::Ambiguous, "ConnectionLost"),
        _ => (ErrorKind::Ambiguous, "AnswerNotUnderstood"),
    };
    Error { operation, object, kind, code: code.to_owned(), message: message_chain(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_certain_refusal_is_a_definite_failure() {
        for (status, code, kind) in [
            (400, "ThrottlingException", ErrorKind::Throttled),
            (400, "ConcurrentRunsExceededException", ErrorKind::Busy),
            (400, "CrawlerRunningException", ErrorKind::Busy),
            (400, "EntityNotFoundException", ErrorKind::NotFound),
            (400, "AccessDeniedException", ErrorKind::Denied),
            (400, "ExpiredTokenException", ErrorKind::ExpiredCredentials),
            (400, "InvalidInputException", ErrorKind::Invalid),
            (400, "ResourceNumberLimitExceededException", ErrorKind::LimitExceeded),
            (400, "OperationTimeoutException", ErrorKind::Ambiguous),
            (400, "SomethingNewException", ErrorKind::Invalid),
            (500, "InternalServiceException", ErrorKind::Ambiguous),
            (500, "InvalidInputException", ErrorKind::Ambiguous),
            (400, "", ErrorKind::Invalid),
            (502, "Unknown", ErrorKind::Ambiguous),
            (503, "ThrottlingException", ErrorKind::Throttled),
            (503, "ServiceUnavailable", ErrorKind::Ambiguous),
            (429, "Unknown", ErrorKind::Throttled),
            (403, "Unknown", ErrorKind::Denied),
        ] {
            let error = of_code("StartJobRun", "job etl".to_owned(), status, Some(code), Some("message"));
            assert_eq!(error.kind, kind, "{status} {code}");
            assert_eq!(error.kind.is_definite_failure(), kind != ErrorKind::Ambiguous);
        }
    }

    #[test]
    fn the_error_of_a_signature_does_not_quote_the_request() {
        let said = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                    Access Key and signing method. Consult the service documentation for details.";
        let quoted = "The Canonical String for this request should have been\n'POST\n/\n\nhost:glue.eu-west-1.amazonaws.com\n\
                      x-amz-security-token:FwoGZXIvYXdzEHcaDGt1\n'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256'";
        let of = |message: &str| {
            of_code("GetJobRun", String::new(), 403, Some("InvalidSignatureException"), Some(message)).message
        };
        assert_eq!(of(&format!("{said}\n\n{quoted}\n")), said);
        assert_eq!(of(said), said);
    }

    #[test]
    fn a_refusal_of_iam_that_comes_as_invalid_input_is_one() {
        let message = "User: arn:aws:iam::1:user/a is not authorized to perform: ec2:DescribeSubnets on resource: *";
        let error = |code| of_code("TestConnection", "connection db".to_owned(), 400, Some(code), Some(message));
        let denied = error("InvalidInputException");
        assert_eq!((denied.kind, denied.denied_action()), (ErrorKind::Denied, Some("ec2:DescribeSubnets")));
        assert_eq!(error("EntityNotFoundException").kind, ErrorKind::NotFound);
    }

    #[test]
    fn a_refused_connection_sent_nothing_and_a_reset_one_may_have() {
        assert!(was_not_sent(&io::Error::from(io::ErrorKind::ConnectionRefused)));
        assert!(!was_not_sent(&io::Error::from(io::ErrorKind::ConnectionReset)));
        assert!(!was_not_sent(&io::Error::from(io::ErrorKind::BrokenPipe)));
        assert!(!was_not_sent(&io::Error::from(io::ErrorKind::TimedOut)));
    }
}
