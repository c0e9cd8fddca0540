//! A real Kubernetes control plane on loopback ports: etcd, kube-apiserver and, unless switched off,
//! kube-controller-manager. It is ready after some seconds. It ends when the handle is dropped or the process ends.
//!
//! All its files are in one temporary folder: keys, kubeconfigs, logs, the audit log, etcd's data.

mod keys;
mod processes;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};
use serde_json::json;
use tokio::sync::OnceCell;

use self::keys::Keys;
use crate::{
    assets::Assets,
    audit::Audit,
    error::{Error, Result},
    guard::{Guarded, TempFolder},
    http,
    tools::Tool,
};

/// How long a part may take to become ready before the start fails.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// The interval between two checks of readiness.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How often a start is tried when another process takes a chosen port first.
const PORT_TRIES: usize = 3;

/// The controllers of kube-controller-manager that run: those that install, scale and delete a namespaced
/// application, with its disruption budget.
const CONTROLLERS: &[&str] = &[
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "serviceaccount-controller",
];

/// The options of a control plane.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether kube-controller-manager runs. Without it, Deployments have no Pods, and deleted namespaces stay
    /// Terminating. Default: true.
    pub controller_manager: bool,
    /// Whether the API server writes its audit log. Default: true.
    pub audit: bool,
    /// Additional command line flags of kube-apiserver.
    pub api_server_flags: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { controller_manager: true, audit: true, api_server_flags: Vec::new() }
    }
}

/// A running control plane.
#[derive(Debug)]
pub struct ControlPlane {
    // In drop order: the programs end before their folder is removed.
    controller_manager: Option<Guarded>,
    api_server: Guarded,
    etcd: Guarded,
    etcd_port: u16,
    assets: &'static Assets,
    cluster: Cluster,
    folder: TempFolder,
}

static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();

impl ControlPlane {
    /// The control plane that all tests of a process share. The first call starts it; it ends with the process.
    pub async fn shared() -> Result<&'static Self> {
        SHARED.get_or_try_init(|| Self::start(Options::default())).await
    }

    /// Builds missing programs ([`Assets::ensure`]), starts the control plane and waits until it is ready.
    pub async fn start(options: Options) -> Result<Self> {
        let assets = Assets::ensure().await?;
        let mut tries = 1;
        loop {
            match Self::try_start(assets, &options).await {
                Err(Error::Ended { tail, .. }) if tries < PORT_TRIES && tail.contains("address already in use") => {
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn try_start(assets: &'static Assets, options: &Options) -> Result<Self> {
        let folder = TempFolder::create()?;
        let keys = Keys::create(folder.path())?;
        let (etcd_port, port) = (free_port()?, free_port()?);
        let layout = processes::Layout { assets, folder: folder.path(), etcd_port, port };
        let mut plane = Self {
            controller_manager: None,
            etcd: processes::etcd(&layout)?,
            api_server: processes::api_server(&layout, &keys, options)?,
            etcd_port,
            assets,
            cluster: Cluster { server: format!("https://127.0.0.1:{port}"), authority: keys.authority },
            folder,
        };
        plane.cluster.write_kubeconfig(&plane.kubeconfig(), &json!({ "token": keys.admin_token }), "default")?;
        plane.wait_for_api().await?;
        if options.controller_manager {
            let layout = processes::Layout { assets, folder: plane.folder.path(), etcd_port, port };
            plane.controller_manager = Some(processes::controller_manager(&layout)?);
            plane.wait_for_controllers().await?;
        }
        Ok(plane)
    }

    /// Kills the API server with SIGKILL, starts it again with the same data and address, and waits until it is ready.
    pub async fn restart_api_server(&mut self) -> Result<()> {
        self.api_server.restart()?;
        self.wait_for_api().await
    }

    /// Compacts etcd: all versions of objects but the present ones are gone. Returns the present revision, which is also the
    /// newest `resourceVersion`.
    pub async fn compact(&self) -> Result<u64> {
        let doing = || Error::io("compacting etcd");
        let url = |what: &str| format!("http://127.0.0.1:{}/v3/kv/{what}", self.etcd_port);
        let (_, answer) = http::post(&url("range"), &json!({ "key": "Lw==" }), START_TIMEOUT).await.map_err(doing())?;
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap_or_default();
        let revision = answer["header"]["revision"].as_str().and_then(|revision| revision.parse().ok());
        let revision: u64 =
            revision.ok_or_else(|| doing()(std::io::Error::other(format!("it names no revision: {answer}"))))?;
        let compaction = json!({ "revision": revision.to_string(), "physical": true });
        http::post(&url("compaction"), &compaction, START_TIMEOUT).await.map_err(doing())?;
        Ok(revision)
    }

    /// Waits until the API server's `/readyz` succeeds.
    async fn wait_for_api(&mut self) -> Result<()> {
        let client = self.client().await?;
        let start = Instant::now();
        loop {
            self.etcd.check()?;
            self.api_server.check()?;
            let request = hyper::http::Request::get("/readyz").body(Vec::new()).unwrap_or_default();
            match client.request_text(request).await {
                Ok(_) => return Ok(()),
                Err(error) => check_timeout(start, "the API server to be ready", &error)?,
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until the controllers have created the `ServiceAccount` of the default namespace.
    async fn wait_for_controllers(&mut self) -> Result<()> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, "default");
        let start = Instant::now();
        loop {
            if let Some(manager) = &mut self.controller_manager {
                manager.check()?;
            }
            match accounts.get("default").await {
                Ok(_) => return Ok(()),
                Err(error) => check_timeout(start, "the default ServiceAccount to be created", &error)?,
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// The administrator's kubeconfig (group `system:masters`).
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// The path of the certificate of the authority that signed the API server's certificate.
    #[must_use]
    pub fn authority(&self) -> &Path {
        &self.cluster.authority
    }

    /// The API server's URL, `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.cluster.server
    }

    /// A new client as administrator. A client cannot be used on another tokio runtime than its own, and each
    /// `#[tokio::test]` has one; therefore tests do not share clients.
    pub async fn client(&self) -> Result<Client> {
        client_of(&self.kubeconfig()).await
    }

    /// A new client that authenticates as a `ServiceAccount`.
    pub async fn client_as(&self, namespace: &str, service_account: &str) -> Result<Client> {
        client_of(&self.kubeconfig_as(namespace, service_account).await?).await
    }

    /// A kubeconfig that authenticates as a `ServiceAccount`.
    pub async fn kubeconfig_as(&self, namespace: &str, service_account: &str) -> Result<PathBuf> {
        // A controller creates the ServiceAccount of a new namespace a moment later.
        let account = format!("serviceaccount/{service_account}");
        self.kubectl(["wait", "--for=create", &account, "--namespace", namespace, "--timeout=60s"]).await?;
        let token = self
            .kubectl(["create", "token", service_account, "--namespace", namespace])
            .await?
            .stdout
            .trim()
            .to_owned();
        let path = self.folder.path().join(format!("kubeconfig-{namespace}-{service_account}"));
        self.cluster.write_kubeconfig(&path, &json!({ "token": token }), namespace)?;
        Ok(path)
    }

    /// Creates a namespace for a test; returns its name, `<prefix>-<random>`.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let namespace = Namespace {
            metadata: kube::core::ObjectMeta { generate_name: Some(format!("{prefix}-")), ..Default::default() },
            ..Default::default()
        };
        let created = Api::<Namespace>::all(self.client().await?)
            .create(&PostParams::default(), &namespace)
            .await
            .map_err(Error::kube("creating a namespace"))?;
        Ok(created.metadata.name.unwrap_or_default())
    }

    /// kubectl as administrator: `plane.kubectl(["get", "pods"]).await?`.
    pub fn kubectl<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Tool {
        self.tool("kubectl", &self.assets.kubectl, args)
            .env("KUBECACHEDIR", self.folder.path().join("kubectl-cache"))
            .env("KUBERC", "off")
    }

    /// Helm as administrator, without the user's repositories and plugins:
    /// `plane.helm(["install", "glue", "charts/kube-glue", "--wait"]).await?`.
    pub fn helm<S: Into<String>>(&self, args: impl IntoIterator<Item = S>) -> Tool {
        let home = self.folder.path().join("helm");
        self.tool("helm", &self.assets.helm, args)
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            // Not kubectl's cache: discovery that Helm cached before it installed CRDs would hide them from kubectl.
            .env("KUBECACHEDIR", home.join("discovery"))
    }

    fn tool<S: Into<String>>(&self, name: &'static str, path: &Path, args: impl IntoIterator<Item = S>) -> Tool {
        Tool::new(name, path, args.into_iter().map(Into::into).collect(), self.folder.path())
            .env("KUBECONFIG", self.kubeconfig())
    }

    /// The API server's audit log.
    #[must_use]
    pub fn audit(&self) -> Audit<'_> {
        Audit::new(self, self.folder.path().join(processes::AUDIT_LOG))
    }

    /// The paths of its programs.
    #[must_use]
    pub fn assets(&self) -> &'static Assets {
        self.assets
    }

    /// The folder of its files: `etcd.log`, `kube-apiserver.log`, `kube-controller-manager.log`, `audit.log`, the
    /// kubeconfigs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The process ids of its programs.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let parts = [Some(&self.etcd), Some(&self.api_server), self.controller_manager.as_ref()];
        parts.into_iter().flatten().map(Guarded::pid).collect()
    }
}

/// The cluster entry of kubeconfigs.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    server: String,
    authority: PathBuf,
}

impl Cluster {
    /// The same cluster, reached at another URL if there is one.
    pub(crate) fn at(&self, server: Option<String>) -> Self {
        Self { server: server.unwrap_or_else(|| self.server.clone()), authority: self.authority.clone() }
    }

    /// Writes a kubeconfig; `user` is the `user` object of its user entry.
    pub(crate) fn write_kubeconfig(&self, path: &Path, user: &serde_json::Value, namespace: &str) -> Result<()> {
        // JSON is valid YAML for kubectl, client-go and kube.
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{ "name": "testbed", "cluster": {
                "server": self.server,
                "certificate-authority": self.authority,
            }}],
            "users": [{ "name": "testbed", "user": user }],
            "contexts": [{ "name": "testbed", "context": {
                "cluster": "testbed", "user": "testbed", "namespace": namespace,
            }}],
            "current-context": "testbed",
        });
        std::fs::write(path, format!("{kubeconfig:#}\n")).map_err(Error::io(format!("writing {}", path.display())))
    }
}

/// Fails when waiting for `what` has taken longer than [`START_TIMEOUT`].
fn check_timeout(start: Instant, what: &str, last: &kube::Error) -> Result<()> {
    if start.elapsed() < START_TIMEOUT {
        return Ok(());
    }
    Err(Error::Timeout { what: what.to_owned(), after: START_TIMEOUT, last: last.to_string() })
}

pub(crate) async fn client_of(kubeconfig: &Path) -> Result<Client> {
    let config =
        Config::from_custom_kubeconfig(Kubeconfig::read_from(kubeconfig)?, &KubeConfigOptions::default()).await?;
    Client::try_from(config).map_err(Error::kube("making a client"))
}

/// A port of 127.0.0.1 that is free at the moment.
pub(crate) fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(listener.map_err(Error::io("choosing a free port"))?.port())
}
