//! The protocol of S3: a method and a path, the object as body, and errors in XML.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode, header};

use super::{HttpAnswer, aws_query::escape, random_hex};
use crate::error::AwsError;

/// An answer with HTTP status 200 and this body.
#[must_use]
pub fn answer(body: Bytes) -> HttpAnswer {
    build(StatusCode::OK, "binary/octet-stream", body)
}

/// An error as S3 writes it.
#[must_use]
pub fn error(error: &AwsError) -> HttpAnswer {
    let mut message = String::new();
    escape(&error.message, &mut message);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{message}</Message></Error>",
        error.code
    );
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    build(status, "application/xml", Bytes::from(body))
}

fn build(status: StatusCode, content_type: &str, body: Bytes) -> HttpAnswer {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .header("x-amz-request-id", random_hex(16).to_uppercase())
        .body(Full::new(body))
        .unwrap_or_default()
}
