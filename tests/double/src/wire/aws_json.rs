//! AWS JSON 1.1: `X-Amz-Target` says the operation, the body is JSON, and an error carries its type.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};

use super::{HttpAnswer, random_uuid};
use crate::error::AwsError;

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The body of a success.
#[must_use]
pub fn answer(body: Vec<u8>) -> HttpAnswer {
    build(StatusCode::OK, Bytes::from(body), None)
}

/// An error as Glue writes it. Modelled exceptions say `Message`, those of the front door say `message`.
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
