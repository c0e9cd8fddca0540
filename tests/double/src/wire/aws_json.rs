//! The protocol AWS JSON 1.1 of Glue and CloudWatch Logs: `X-Amz-Target` names the operation, the body is JSON, and errors carry a type.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};

use super::{HttpAnswer, random_uuid};
use crate::error::AwsError;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// An answer with HTTP status 200 and this body.
#[must_use]
pub fn answer(body: Vec<u8>) -> HttpAnswer {
    build(StatusCode::OK, Bytes::from(body), None)
}

/// An error as Glue writes it. The text is in `Message` for exceptions of the model, in `message` for common errors.
#[must_use]
pub fn error(error: &AwsError) -> HttpAnswer {
    let key = if error.modelled { "Message" } else { "message" };
    let body = serde_json::json!({ "__type": error.code, key: error.message });
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    build(status, Bytes::from(body.to_string()), Some(&error.code))
}

fn build(status: StatusCode, body: Bytes, code: Option<&str>) -> HttpAnswer {
    let mut response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, CONTENT_TYPE)
        .header("x-amzn-RequestId", random_uuid());
    if let Some(code) = code {
        response = response.header("x-amzn-ErrorType", code);
    }
    response.body(Full::new(body)).unwrap_or_default()
}
