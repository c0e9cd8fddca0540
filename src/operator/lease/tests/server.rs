//! An API server in memory that has one Lease, and replicas whose connections to it have faults.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::controllers::Leadership;
use crate::metrics::Metrics;
use crate::operator::lease::{Config, Lease};
use crate::operator::readiness::Readiness;

pub(super) const DURATION: Duration = Duration::from_secs(15);

/// What a replica's connection does to one request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    None,
    /// The request is lost.
    RequestLost,
    /// The request is executed and its response is lost.
    ResponseLost,
    /// The request is executed after this time, even if the client has given up.
    Late(Duration),
}

/// One Lease with the API server's optimistic locking.
#[derive(Clone, Default)]
pub(super) struct Server {
    pub(super) record: Arc<Mutex<Option<Value>>>,
    /// The number of successful writes.
    pub(super) version: Arc<AtomicU64>,
}

impl Server {
    fn respond(&self, method: &Method, body: &[u8]) -> Response<Body> {
        let mut record = self.record.lock().unwrap();
        let error = |code: StatusCode, reason: &str| {
            let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                "message": reason, "reason": reason, "code": code.as_u16()});
            (code, status)
        };
        let (code, value) = match (method, record.as_ref()) {
            (&Method::GET, Some(record)) => (StatusCode::OK, record.clone()),
            (&Method::GET | &Method::PUT, None) => error(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::POST, Some(_)) => error(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::PUT | &Method::POST, before) => {
                let mut new: Value = serde_json::from_slice(body).unwrap();
                let version = |value: &Value| value["metadata"]["resourceVersion"].clone();
                if before.is_some_and(|before| version(before) != version(&new)) {
                    error(StatusCode::CONFLICT, "Conflict")
                } else {
                    let next = self.version.fetch_add(1, Ordering::Relaxed) + 1;
                    new["metadata"]["resourceVersion"] = next.to_string().into();
                    *record = Some(new.clone());
                    (StatusCode::OK, new)
                }
            }
            _ => error(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        };
        let body = serde_json::to_vec(&value).unwrap();
        Response::builder().status(code).body(Body::from(body)).unwrap()
    }

    fn client(&self, fault: impl Fn() -> Fault + Clone + Send + 'static) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, fault) = (server.clone(), fault());
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                let execute = move || server.respond(&parts.method, &body);
                match fault {
                    Fault::None => Ok::<_, Infallible>(execute()),
                    Fault::RequestLost => std::future::pending().await,
                    Fault::ResponseLost => {
                        execute();
                        std::future::pending().await
                    }
                    Fault::Late(by) => {
                        let late = tokio::spawn(async move {
                            tokio::time::sleep(by).await;
                            execute()
                        });
                        Ok(late.await.unwrap())
                    }
                }
            }
        });
        Client::new(service, "default")
    }

    pub(super) fn replica(&self, identity: &str, fault: impl Fn() -> Fault + Clone + Send + 'static) -> Replica {
        let config = Config {
            name: "kube-glue".to_owned(),
            namespace: "kube-glue".to_owned(),
            identity: identity.to_owned(),
            duration: DURATION,
        };
        let readiness = Readiness::default();
        let (lease, leadership) = Lease::new(self.client(fault), config, Metrics::new(), readiness.clone());
        let stop = CancellationToken::new();
        let running = tokio::spawn(lease.run(stop.clone()));
        Replica { leadership, readiness, stop, running }
    }

    pub(super) fn spec(&self) -> Value {
        self.record.lock().unwrap().as_ref().map_or(Value::Null, |record| record["spec"].clone())
    }
}

pub(super) struct Replica {
    pub(super) leadership: Leadership,
    pub(super) readiness: Readiness,
    pub(super) stop: CancellationToken,
    pub(super) running: tokio::task::JoinHandle<()>,
}

pub(super) fn healthy() -> Fault {
    Fault::None
}

pub(super) async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
