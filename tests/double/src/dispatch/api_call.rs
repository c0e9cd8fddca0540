//! A parsed request: which operation of which service it calls, with which input.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Body, http::request::Parts};
use serde_json::Value;

use super::authentication;
use crate::{
    error::AwsError,
    faults::{Rewrite, Then, lies, rewrite::without_result},
    glue::{self, operation::Operation},
    logs,
    s3::{self, S3Call},
    sts,
    wire::{
        HttpAnswer, aws_json,
        aws_query::{self, Form},
        rest_xml,
        sigv4::Signed,
    },
};

pub(super) enum ApiCall {
    Json { service: JsonService, name: String, operation: Option<&'static Operation>, body: Result<Value, AwsError> },
    Sts { name: String, action: Option<&'static sts::Action>, form: Form },
    S3(S3Call),
}

/// A service that speaks AWS JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum JsonService {
    Glue,
    Logs,
}

impl JsonService {
    /// The service and the name of the operation in an `X-Amz-Target`.
    fn of_target(target: &str) -> Option<(Self, &str)> {
        let (prefix, name) = target.split_once('.')?;
        match prefix {
            "AWSGlue" => Some((Self::Glue, name)),
            "Logs_20140328" => Some((Self::Logs, name)),
            _ => None,
        }
    }

    /// The name in signatures and in IAM actions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Glue => "glue",
            Self::Logs => "logs",
        }
    }

    fn operation(self, name: &str) -> Option<&'static Operation> {
        match self {
            Self::Glue => glue::operation(name),
            Self::Logs => logs::operation(name),
        }
    }
}

impl ApiCall {
    /// Requests with an `X-Amz-Target` are for Glue or CloudWatch Logs, those that are signed for S3 are for S3, and all
    /// others are for STS.
    pub(super) fn read(parts: &Parts, body: &Bytes) -> Self {
        let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        if let Some((service, name)) = target.and_then(JsonService::of_target) {
            let (name, operation) = (name.to_owned(), service.operation(name));
            return Self::Json { service, name, operation, body: read_json(body) };
        }
        if Signed::read(&parts.headers).is_ok_and(|signed| signed.service == s3::SERVICE) {
            return Self::S3(S3Call::read(parts, body));
        }
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let form = Form::parse(if body.is_empty() { query } else { body });
        let name = form.get("Action").unwrap_or_default().to_owned();
        Self::Sts { action: sts::action(&name), name, form }
    }

    pub(super) fn service(&self) -> &'static str {
        match self {
            Self::Json { service, .. } => service.name(),
            Self::Sts { .. } => "sts",
            Self::S3(_) => s3::SERVICE,
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Json { name, .. } | Self::Sts { name, .. } => name,
            Self::S3(call) => call.name(),
        }
    }

    /// The name of the resource or the ARN of the role that the request names.
    pub(super) fn subject(&self) -> Option<String> {
        match self {
            Self::Json { operation, body, .. } => operation.as_ref()?.subject(body.as_ref().ok()?),
            Self::Sts { form, .. } => form.get("RoleArn").map(ToOwned::to_owned),
            Self::S3(call) => Some(call.subject()),
        }
    }

    /// Whether the operation takes requests without a signature.
    pub(super) fn is_unsigned(&self) -> bool {
        matches!(self, Self::Sts { action: Some(action), .. } if !action.signed)
    }

    /// The error with the code and status that this service uses for it.
    pub(super) fn in_dialect(&self, error: AwsError) -> AwsError {
        match self {
            Self::Json { .. } => error,
            Self::Sts { .. } => authentication::as_sts(error),
            Self::S3(_) => s3::as_s3(error),
        }
    }

    /// The answer as if the operation had run; none for an operation that changes nothing.
    pub(super) fn pretended(&self) -> Option<Value> {
        match self {
            Self::Json { name, body: Ok(body), .. } => lies::pretended(name, body),
            Self::Json { .. } | Self::Sts { .. } | Self::S3(_) => None,
        }
    }

    /// Changes a successful answer as a fault says. Returns whether the body is another.
    pub(super) fn rewrite(&self, effect: &Then, answer: &mut HttpAnswer) -> bool {
        let before = bytes_of(answer);
        let after = match (effect, self) {
            (Then::AnswerText { text }, _) => text.clone().into_bytes(),
            (Then::RewriteAnswer { rewrite }, Self::Json { .. }) => {
                let Ok(body) = serde_json::from_slice::<Value>(&before) else { return false };
                let after = rewrite.apply(body.clone());
                if after == body {
                    return false;
                }
                after.to_string().into_bytes()
            }
            (Then::RewriteAnswer { rewrite: Rewrite::OnlyIdentities }, Self::Sts { name, .. }) => {
                without_result(name, &String::from_utf8_lossy(&before)).into_bytes()
            }
            _ => return false,
        };
        let is_other = after != before;
        *answer.body_mut() = Full::new(Bytes::from(after));
        is_other
    }

    pub(super) fn error(&self, error: &AwsError) -> HttpAnswer {
        match self {
            Self::Json { .. } => aws_json::error(error),
            Self::Sts { .. } => aws_query::error(error),
            Self::S3(_) => rest_xml::error(&s3::as_s3(error.clone())),
        }
    }
}

/// The body of an answer that is whole in memory.
fn bytes_of(answer: &HttpAnswer) -> Bytes {
    let mut body = answer.body().clone();
    let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
    match frame {
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        _ => Bytes::new(),
    }
}

fn read_json(body: &Bytes) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        _ => Err(AwsError::common("SerializationException", "Start of structure or map expected.")),
    }
}

pub(super) fn unknown_operation(name: &str) -> AwsError {
    AwsError::common("UnknownOperationException", format!("The double does not know the operation {name}."))
}
