//! The Kubernetes client, and the check that the custom resources are installed.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Client, Config};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

use super::error::Error;
use super::readiness::{Part, Readiness};
use crate::api_server;
use crate::controllers::runtime::error_chain::chain;

/// How long the API server may take until a response begins. The response to a watch begins at once, too.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may be idle. Watches end by themselves before that, after 290 s.
const READ_TIMEOUT: Duration = Duration::from_mins(5);

/// The pause between two checks while custom resources are missing.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// The remedy for missing custom resources.
const REMEDY: &str = "install them with the chart (`crds.install=true`) or with \
                      `kube-glue crds | kubectl apply --server-side -f -`";

/// The most requests in flight, retries included; what follows the head of a response, such as a watch, does not count.
/// Each needs a connection of its own, and the API server answers a burst without bound with 429.
const MAX_IN_FLIGHT: usize = 16;

/// The clients for the cluster that kubectl would use, else for the cluster of this pod.
pub(super) struct Clients {
    /// For the objects.
    pub(super) objects: Client,
    /// For the lease: it shares neither connections nor the bound on requests with the objects, so that no work delays
    /// a renewal.
    pub(super) lease: Client,
}

/// The clients by the configuration that is found; no request is sent.
pub(super) async fn clients() -> Result<Clients, Error> {
    clients_of(Config::infer().await.map_err(Error::KubeConfig)?)
}

fn clients_of(mut config: Config) -> Result<Clients, Error> {
    config.read_timeout = Some(READ_TIMEOUT);
    config.reset_reader_on_write = true;
    // The audit log of the API server shows the user agent.
    let name = concat!("kube-glue/", env!("CARGO_PKG_VERSION"));
    config.headers.push((USER_AGENT, HeaderValue::from_static(name)));
    let builder = |config| api_server::builder(config).map_err(Error::KubeClient);
    let timeout = TimeoutLayer::new(RESPONSE_TIMEOUT);
    let lease = builder(config.clone())?.with_layer(&timeout).build();
    // The wait for a request in flight to end is no part of the response time.
    let objects = builder(config)?.with_layer(&timeout).with_layer(&ConcurrencyLimitLayer::new(MAX_IN_FLIGHT)).build();
    Ok(Clients { objects, lease })
}

/// Waits until the API server serves all of `crds`. `readiness` names meanwhile what is missing.
///
/// The discovery API is readable by every account, so the controller needs no right to read definitions.
pub(super) async fn wait_for_crds(client: &Client, crds: &[CustomResourceDefinition], readiness: &Readiness) {
    let required = RequiredResources::new(crds);
    loop {
        match required.missing(client).await {
            Ok(missing) => {
                readiness.set_ready(Part::ApiServer, "answers");
                if missing.is_empty() {
                    readiness.set_ready(Part::CustomResources, "installed");
                    return;
                }
                readiness.set_waiting(Part::CustomResources, format!("{} not installed: {REMEDY}", missing.join(", ")));
            }
            Err(error) => {
                readiness.set_waiting(Part::ApiServer, format!("discovering the custom resources: {}", chain(&error)));
            }
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// The plural names of the required resources, by group and version.
struct RequiredResources(BTreeMap<String, Vec<String>>);

impl RequiredResources {
    fn new(crds: &[CustomResourceDefinition]) -> Self {
        let mut by_version: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for crd in crds {
            for version in crd.spec.versions.iter().filter(|version| version.served) {
                by_version
                    .entry(format!("{}/{}", crd.spec.group, version.name))
                    .or_default()
                    .push(crd.spec.names.plural.clone());
            }
        }
        Self(by_version)
    }

    async fn missing(&self, client: &Client) -> Result<Vec<String>, kube::Error> {
        let mut missing = Vec::new();
        for (group_version, plurals) in &self.0 {
            let served = match client.list_api_group_resources(group_version).await {
                Ok(list) => list.resources,
                Err(kube::Error::Api(status)) if status.code == 404 => Vec::new(),
                Err(error) => return Err(error),
            };
            for plural in plurals {
                if !served.iter().any(|resource| resource.name == *plural) {
                    missing.push(format!("{plural} ({group_version})"));
                }
            }
        }
        Ok(missing)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::http::{Request, Uri};
    use futures::future::join_all;
    use tokio::net::TcpListener;
    use tokio::sync::{Notify, Semaphore};

    use super::*;

    /// An API server that answers nothing about objects before it is told to.
    struct Server {
        in_flight: AtomicUsize,
        most: AtomicUsize,
        arrived: Notify,
        released: Semaphore,
    }

    impl Server {
        fn new() -> Arc<Self> {
            let (in_flight, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Arc::new(Self { in_flight, most, arrived: Notify::new(), released: Semaphore::new(0) })
        }

        async fn answer(self: Arc<Self>, uri: Uri) -> &'static str {
            if uri.path() != "/lease" {
                let in_flight = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(in_flight, Ordering::SeqCst);
                self.arrived.notify_one();
                let permit = self.released.acquire().await.unwrap();
                permit.forget();
                self.in_flight.fetch_sub(1, Ordering::SeqCst);
            }
            "{}"
        }
    }

    #[tokio::test]
    async fn requests_about_objects_are_bounded_and_keep_no_renewal_waiting() {
        let server = Server::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let handler = Arc::clone(&server);
        let router = Router::new().fallback(move |uri: Uri| Arc::clone(&handler).answer(uri));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let clients = clients_of(Config::new(url.parse().unwrap())).unwrap();

        let get = |client: &Client, path: &str| {
            let (client, request) = (client.clone(), Request::get(path).body(Vec::new()).unwrap());
            async move { client.request_text(request).await.unwrap() }
        };
        let count = 3 * MAX_IN_FLIGHT;
        let objects = tokio::spawn(join_all((0..count).map(|_| get(&clients.objects, "/objects"))));
        while server.in_flight.load(Ordering::SeqCst) < MAX_IN_FLIGHT {
            server.arrived.notified().await;
        }
        assert_eq!(get(&clients.lease, "/lease").await, "{}");
        server.released.add_permits(count);
        assert_eq!(objects.await.unwrap().len(), count);
        assert_eq!(server.most.load(Ordering::SeqCst), MAX_IN_FLIGHT);
    }
}
