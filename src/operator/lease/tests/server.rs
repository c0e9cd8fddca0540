//! An API server in memory that has one Lease, and replicas whose connections to it have faults.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use kube::Client;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::controllers::Leadership;
use crate::controllers::runtime::tests::api_server::{self, failure};
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
    fn respond(&self, method: &Method, body: &[u8]) -> (StatusCode, Value) {
        let mut record = self.record.lock().unwrap();
        match (method, record.as_ref()) {
            (&Method::GET, Some(record)) => (StatusCode::OK, record.clone()),
            (&Method::GET | &Method::PUT, None) => failure(StatusCode::NOT_FOUND, "NotFound"),
            (&Method::POST, Some(_)) => failure(StatusCode::CONFLICT, "AlreadyExists"),
            (&Method::PUT | &Method::POST, before) => {
                let mut new: Value = serde_json::from_slice(body).unwrap();
                let version = |value: &Value| value["metadata"]["resourceVersion"].clone();
                if before.is_some_and(|before| version(before) != version(&new)) {
                    failure(StatusCode::CONFLICT, "Conflict")
                } else {
                    let next = self.version.fetch_add(1, Ordering::Relaxed) + 1;
                    new["metadata"]["resourceVersion"] = next.to_string().into();
                    *record = Some(new.clone());
                    (StatusCode::OK, new)
                }
            }
            _ => failure(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed"),
        }
    }

    fn client(&self, fault: impl Fn() -> Fault + Clone + Send + 'static) -> Client {
        let server = self.clone();
        api_server::client(move |method, _, body| {
            let (server, fault) = (server.clone(), fault());
            async move {
                let execute = move || server.respond(&method, &body);
                match fault {
                    Fault::None => execute(),
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
                        late.await.unwrap()
                    }
                }
            }
        })
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
