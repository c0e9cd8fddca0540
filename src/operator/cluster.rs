//! The way to the cluster: the client, and the check that our custom resources are installed.

use std::{collections::BTreeMap, time::Duration};

use axum::http::{HeaderValue, header::USER_AGENT};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Client, Config, client::ClientBuilder};
use tower::timeout::TimeoutLayer;

use super::{
    error::{Error, chain},
    readiness::{Part, Readiness},
};

/// The longest the API server may take to begin an answer. A watch begins its answer at once, too.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// The longest a connection may be silent. CacheSync end by themselves before (after 290 s).
const SILENT_FOR: Duration = Duration::from_mins(5);

/// Between two looks for custom resources that are missing.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What to do when custom resources are missing.
const REMEDY: &str = "install them with the chart (`crds.install=true`) or with \
                      `kube-glue crds | kubectl apply --server-side -f -`";

/// A client for the cluster that kubectl would use, else for the one this runs in.
pub async fn client() -> Result<Client, Error> {
    let mut config = Config::infer().await.map_err(Error::KubeConfig)?;
    config.read_timeout = Some(SILENT_FOR);
    config.reset_reader_on_write = true;
    // The API server's audit log then tells this program from others.
    let name = concat!("kube-glue/", env!("CARGO_PKG_VERSION"));
    config.headers.push((USER_AGENT, HeaderValue::from_static(name)));
    let builder = ClientBuilder::try_from(config).map_err(Error::KubeClient)?;
    Ok(builder.with_layer(&TimeoutLayer::new(ANSWER_WITHIN)).build())
}

/// Waits until the API server answers and serves every one of `crds`, and says meanwhile what is
/// missing.
///
/// It asks the discovery API, which every account may read, so no right to read custom resource
/// definitions is needed.
pub async fn custom_resources(client: &Client, crds: &[CustomResourceDefinition], readiness: &Readiness) {
    let wanted = Wanted::of(crds);
    loop {
        match wanted.missing(client).await {
            Ok(missing) => {
                readiness.is_there(Part::ApiServer, "answers");
                if missing.is_empty() {
                    readiness.is_there(Part::CustomResources, "installed");
                    return;
                }
                readiness.waits_for(Part::CustomResources, format!("{} not installed: {REMEDY}", missing.join(", ")));
            }
            Err(error) => {
                readiness.waits_for(Part::ApiServer, format!("asking for the custom resources: {}", chain(&error)));
            }
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// The plural names wanted, by group and version.
struct Wanted(BTreeMap<String, Vec<String>>);

impl Wanted {
    fn of(crds: &[CustomResourceDefinition]) -> Self {
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
