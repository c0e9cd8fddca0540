//! HTTP, signatures, and the protocols: AWS JSON 1.1 for Glue and CloudWatch Logs, AWS Query for STS, REST and XML for S3.

pub mod aws_json;
pub mod aws_query;
pub mod rest_xml;
pub mod server;
pub mod sigv4;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

/// An HTTP answer with its whole body.
pub type HttpAnswer = Response<Full<Bytes>>;

/// A fault closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("a fault closes this connection without an answer")]
pub struct Dropped;

/// A random UUID, version 4, for request ids and crawl ids.
#[must_use]
pub fn random_uuid() -> String {
    let n = fastrand::u128(..);
    let part = |shift: u32, digits: u32| (n >> shift) & ((1 << (4 * digits)) - 1);
    format!("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", part(96, 8), part(80, 4), part(64, 3), part(48, 3), part(0, 12))
}

/// A string of random hexadecimal digits, as in a run id.
#[must_use]
pub fn random_hex(digits: usize) -> String {
    std::iter::repeat_with(|| char::from(b"0123456789abcdef"[fastrand::usize(..16)])).take(digits).collect()
}
