//! The command lines of the control plane's programs.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use super::{CONTROLLERS, Options, keys::Keys};
use crate::{
    assets::Assets,
    audit,
    error::{Error, Result},
    guard::Guarded,
};

/// The file name of the audit log.
pub(super) const AUDIT_LOG: &str = "audit.log";

/// The paths and ports in the command lines.
pub(super) struct Layout<'a> {
    pub(super) assets: &'a Assets,
    pub(super) folder: &'a Path,
    pub(super) etcd_port: u16,
    pub(super) port: u16,
}

impl Layout<'_> {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn log(&self, program: &str) -> PathBuf {
        self.folder.join(format!("{program}.log"))
    }

    fn etcd_url(&self) -> String {
        format!("http://{}:{}", Ipv4Addr::LOCALHOST, self.etcd_port)
    }
}

fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs.iter().map(|(flag, value)| format!("--{flag}={value}")).collect()
}

pub(super) fn etcd(layout: &Layout<'_>) -> Result<Guarded> {
    let args = flags(&[
        ("data-dir", &layout.path("etcd")),
        ("listen-client-urls", &layout.etcd_url()),
        ("advertise-client-urls", &layout.etcd_url()),
        // A single member needs a peer port too.
        ("listen-peer-urls", "http://127.0.0.1:0"),
        // The data is temporary: waiting for the disk would only cost time.
        ("unsafe-no-fsync", "true"),
        ("quota-backend-bytes", "4294967296"),
        ("log-level", "warn"),
    ]);
    Guarded::spawn("etcd", &layout.assets.etcd, &args, layout.log("etcd"))
}

pub(super) fn api_server(layout: &Layout<'_>, keys: &Keys, options: &Options) -> Result<Guarded> {
    let path = |path: &Path| path.display().to_string();
    let mut args = flags(&[
        ("etcd-servers", &layout.etcd_url()),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &layout.port.to_string()),
        // Loopback is not a valid address for the endpoints of the `kubernetes` service, which nothing here uses.
        ("advertise-address", "127.0.0.1"),
        ("endpoint-reconciler-type", "none"),
        ("service-cluster-ip-range", "10.0.0.0/24"),
        ("cert-dir", &layout.path("certificates")),
        ("tls-cert-file", &path(&keys.serving_certificate)),
        ("tls-private-key-file", &path(&keys.serving_key)),
        ("token-auth-file", &path(&keys.tokens)),
        ("authorization-mode", "RBAC"),
        ("service-account-issuer", "https://kubernetes.default.svc.cluster.local"),
        ("service-account-key-file", &path(&keys.service_account_public)),
        ("service-account-signing-key-file", &path(&keys.service_account_private)),
        // This plugin mounts tokens by volumes. The emulated kubelet provides them by a kubeconfig instead.
        ("disable-admission-plugins", "ServiceAccount"),
        ("allow-privileged", "true"),
        ("profiling", "false"),
    ]);
    if options.audit {
        let policy = layout.folder.join("audit-policy.yaml");
        std::fs::write(&policy, audit::POLICY).map_err(Error::io("writing the audit policy"))?;
        args.extend(flags(&[
            ("audit-policy-file", &path(&policy)),
            ("audit-log-path", &layout.path(AUDIT_LOG)),
            // In MB. Large, so that the log is not rotated while it is read.
            ("audit-log-maxsize", "16384"),
        ]));
    }
    args.extend(options.api_server_flags.iter().cloned());
    Guarded::spawn("kube-apiserver", &layout.assets.kube_apiserver, &args, layout.log("kube-apiserver"))
}

pub(super) fn controller_manager(layout: &Layout<'_>) -> Result<Guarded> {
    let args = flags(&[
        ("kubeconfig", &layout.path("kubeconfig")),
        ("controllers", &CONTROLLERS.join(",")),
        ("leader-elect", "false"),
        // No serving port.
        ("secure-port", "0"),
        // With the default limits, many deletions take minutes.
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
    ]);
    Guarded::spawn(
        "kube-controller-manager",
        &layout.assets.kube_controller_manager,
        &args,
        layout.log("kube-controller-manager"),
    )
}
