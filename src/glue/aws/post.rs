//! Sends JSON to a service that is none of AWS's, by the HTTP client of the calls to AWS: with its proxy and its certificate
//! authorities.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::Timestamp;
use tokio::time::timeout;

use super::errors::message_chain;
use super::http::{self, CaBundleError};
use crate::redaction::Sensitive;

/// The most bytes of an answer that are read.
pub(super) const MAX_ANSWER: usize = 4096;

/// What a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status of HTTP.
    pub status: u16,
    /// How long the service wishes not to be asked (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The beginning of its body.
    pub text: String,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotSent(pub(crate) String);

/// Posts to one URL.
#[derive(Clone, Debug)]
pub struct Poster {
    connector: SharedHttpConnector,
    url: String,
    bearer: Option<Sensitive>,
    timeout: Duration,
}

impl Poster {
    /// Posts to `url`, with `bearer` as the token; a request with its answer takes `timeout` at the most.
    pub fn new(url: String, bearer: Option<Sensitive>, timeout: Duration) -> Result<Self, CaBundleError> {
        Ok(Self { connector: http::bare_connector()?, url, bearer, timeout })
    }

    /// Posts a document in JSON.
    pub async fn post(&self, body: String) -> Result<Answer, NotSent> {
        match timeout(self.timeout, self.send(body)).await {
            Ok(answer) => answer,
            Err(_) => Err(NotSent(format!("no answer within {:?}", self.timeout))),
        }
    }

    async fn send(&self, body: String) -> Result<Answer, NotSent> {
        let response = self.connector.call(self.request(body)?).await;
        let response = response.map_err(|error| NotSent(message_chain(&error)))?;
        let retry_after = response.headers().get("retry-after").and_then(|wish| wait(wish, Timestamp::now()));
        let status = response.status().as_u16();
        let mut stream = ByteStream::new(response.into_body());
        let mut text = Vec::new();
        // An answer that breaks off is one: the status has come.
        while let Some(Ok(bytes)) = stream.next().await {
            text.extend_from_slice(&bytes);
            if text.len() > MAX_ANSWER {
                text.truncate(MAX_ANSWER);
                break;
            }
        }
        Ok(Answer { status, retry_after, text: String::from_utf8_lossy(&text).into_owned() })
    }

    fn request(&self, body: String) -> Result<HttpRequest, NotSent> {
        let refused = |error: &(dyn std::error::Error + 'static)| NotSent(message_chain(error));
        let length = body.len().to_string();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(|error| refused(&error))?;
        request.set_uri(self.url.clone()).map_err(|error| refused(&error))?;
        let headers = request.headers_mut();
        headers.insert("content-type", "application/json");
        headers.insert("content-length", length);
        headers.insert("user-agent", concat!("kube-glue/", env!("CARGO_PKG_VERSION")));
        if let Some(bearer) = &self.bearer {
            let value = format!("Bearer {}", bearer.expose());
            // The error would show it.
            headers.try_insert("authorization", value).map_err(|_| NotSent("the API key is no header".to_owned()))?;
        }
        Ok(request)
    }
}

/// The time until what a service wishes: seconds, or a date.
fn wait(wish: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = wish.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(wish.trim()).ok()?.timestamp();
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_number_of_seconds_or_a_date() {
        let now: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        for (wish, expected) in [
            ("7", Some(7)),
            ("Fri, 27 Nov 2026 12:01:00 GMT", Some(60)),
            ("Fri, 27 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(wait(wish, now).map(|wait| wait.as_secs()), expected, "{wish}");
        }
    }
}
