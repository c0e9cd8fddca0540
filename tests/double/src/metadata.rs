//! The part of the EC2 instance metadata service, version 2, that serves the credentials of the instance's role:
//! `/latest/...`.
//!
//! Source: EC2 user guide, "Use the Instance Metadata Service to access instance metadata" and "Retrieve security
//! credentials from instance metadata".

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, http::request::Parts};
use serde_json::json;

use crate::{iam::Iam, sts, wire::HttpAnswer};

/// The session token that a client gets by PUT and sends with each GET.
const TOKEN: &str = "an-instance-metadata-token";
const TOKEN_TTL_HEADER: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const CREDENTIALS: &str = "/latest/meta-data/iam/security-credentials/";

pub(crate) fn answer(iam: &Iam, parts: &Parts) -> HttpAnswer {
    let answer = |status, text: String| {
        let answer = Response::builder().status(status).header(TOKEN_TTL_HEADER, "21600");
        answer.body(Full::new(Bytes::from(text))).unwrap_or_default()
    };
    let not_found = || answer(StatusCode::NOT_FOUND, String::new());
    let Some(role) = iam.instance_role().and_then(|arn| iam.role(&arn)) else { return not_found() };
    if parts.method == Method::PUT && parts.uri.path() == "/latest/api/token" {
        return answer(StatusCode::OK, TOKEN.to_owned());
    }
    let token = parts.headers.get("x-aws-ec2-metadata-token").and_then(|token| token.to_str().ok());
    match parts.uri.path().strip_prefix(CREDENTIALS) {
        _ if token != Some(TOKEN) => answer(StatusCode::UNAUTHORIZED, String::new()),
        Some("") => answer(StatusCode::OK, role.name().to_owned()),
        Some(name) if name == role.name() => {
            let mut credentials = sts::session_credentials(iam, &role, "i-1234567890abcdef0");
            credentials["Code"] = json!("Success");
            credentials["Type"] = json!("AWS-HMAC");
            answer(StatusCode::OK, credentials.to_string())
        }
        _ => not_found(),
    }
}
