//! An API server in this process.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::{Method, Request, Response, StatusCode, Uri};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

/// A client whose requests are answered like this.
pub(crate) fn client<A>(answer: impl Fn(Method, Uri, Bytes) -> A + Clone + Send + 'static) -> Client
where
    A: Future<Output = (StatusCode, Value)> + Send,
{
    let service = tower::service_fn(move |request: Request<Body>| {
        let answer = answer.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap();
            let (code, value) = answer(head.method, head.uri, body).await;
            let body = Body::from(value.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    Client::new(service, "default")
}

/// A refusal.
pub(crate) fn failure(code: StatusCode, reason: &str) -> (StatusCode, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": reason, "reason": reason,
        "code": code.as_u16()});
    (code, status)
}
