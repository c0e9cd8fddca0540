//! The programs of the test bed: etcd, kube-apiserver, kube-controller-manager, kubectl and helm.
//!
//! Each program is searched for in these places. The first one with the right minor version is used:
//! 1. the folder in `KUBEBUILDER_ASSETS`,
//! 2. the cache folder, where the test bed keeps the programs it has built,
//! 3. `PATH`.
//!
//! A program that is not found is built into the cache folder, from the Go modules under `tests/testbed/go`, which
//! pin the versions. The cache folder is `<versions and hash of the modules>` in `KUBE_GLUE_TESTBED_DIR`, by default
//! `testbed` in cargo's target folder. A lock file makes one process build and the others wait.

mod build;
mod existing;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

use tokio::sync::OnceCell;

use crate::{
    error::{Error, Result},
    progress,
};

/// The paths of the programs.
#[derive(Debug, Clone)]
pub struct Assets {
    /// etcd 3.
    pub etcd: PathBuf,
    /// kube-apiserver.
    pub kube_apiserver: PathBuf,
    /// kube-controller-manager, of the API server's version.
    pub kube_controller_manager: PathBuf,
    /// kubectl, of the API server's version.
    pub kubectl: PathBuf,
    /// Helm 4.
    pub helm: PathBuf,
}

/// One wrapper module under `tests/testbed/go`.
struct Module {
    folder: &'static str,
    go_mod: &'static str,
    go_sum: &'static str,
    /// The Go module whose version is the programs' version.
    go_name: &'static str,
}

const KUBERNETES: Module = Module {
    folder: "kubernetes",
    go_mod: include_str!("../go/kubernetes/go.mod"),
    go_sum: include_str!("../go/kubernetes/go.sum"),
    go_name: "k8s.io/kubernetes",
};
const ETCD: Module = Module {
    folder: "etcd",
    go_mod: include_str!("../go/etcd/go.mod"),
    go_sum: include_str!("../go/etcd/go.sum"),
    go_name: "go.etcd.io/etcd/server/v3",
};
const HELM: Module = Module {
    folder: "helm",
    go_mod: include_str!("../go/helm/go.mod"),
    go_sum: include_str!("../go/helm/go.sum"),
    go_name: "helm.sh/helm/v4",
};

impl Module {
    /// The pinned version, such as `v1.36.3`.
    fn version(&self) -> &'static str {
        let pinned = |line: &'static str| {
            line.trim().trim_start_matches("require ").strip_prefix(self.go_name)?.strip_prefix(' ')
        };
        self.go_mod.lines().find_map(pinned).unwrap_or("v0.0.0").trim_end_matches(" // indirect")
    }

    /// The folder of go.mod and go.sum.
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("go").join(self.folder)
    }

    /// The oldest Go version that builds it.
    fn go(&self) -> &'static str {
        self.go_mod.lines().find_map(|line| line.strip_prefix("go ")).unwrap_or("1.26")
    }
}

/// A program of the test bed.
struct Program {
    name: &'static str,
    module: &'static Module,
    package: &'static str,
    /// Linker variables. `VERSION`, `MAJOR` and `MINOR` are replaced by the module's version.
    variables: &'static [&'static str],
    /// The arguments with which it prints its version.
    version_args: &'static [&'static str],
}

const KUBERNETES_VARIABLES: &[&str] = &[
    "k8s.io/component-base/version.gitVersion=VERSION",
    "k8s.io/component-base/version.gitMajor=MAJOR",
    "k8s.io/component-base/version.gitMinor=MINOR",
];

const fn kubernetes(name: &'static str, package: &'static str, version_args: &'static [&'static str]) -> Program {
    Program { name, module: &KUBERNETES, package, variables: KUBERNETES_VARIABLES, version_args }
}

/// In build order. The second takes most of the time, and the others reuse its compiled packages.
static PROGRAMS: [Program; 5] = [
    Program {
        name: "etcd",
        module: &ETCD,
        package: "go.etcd.io/etcd/server/v3",
        variables: &[],
        version_args: &["--version"],
    },
    kubernetes("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver", &["--version"]),
    kubernetes("kubectl", "k8s.io/kubernetes/cmd/kubectl", &["version", "--client"]),
    kubernetes("kube-controller-manager", "k8s.io/kubernetes/cmd/kube-controller-manager", &["--version"]),
    Program {
        name: "helm",
        module: &HELM,
        package: "helm.sh/helm/v4/cmd/helm",
        variables: &["helm.sh/helm/v4/internal/version.version=VERSION"],
        version_args: &["version", "--short"],
    },
];

impl Assets {
    /// Finds all programs and builds the missing ones, with progress on standard error. A build takes some minutes
    /// with empty caches, and about a minute with Go's build cache.
    pub async fn ensure() -> Result<&'static Self> {
        static FOUND: OnceCell<Assets> = OnceCell::const_new();
        FOUND.get_or_try_init(Self::find_or_build).await
    }

    async fn find_or_build() -> Result<Self> {
        let cache = cache_folder();
        let mut found = find(&cache).await;
        if found.iter().any(Option::is_none) {
            std::fs::create_dir_all(&cache).map_err(Error::io(format!("creating {}", cache.display())))?;
            let lock = lock(cache.join(".lock")).await?;
            // Another process may have built them in the meantime.
            found = find(&cache).await;
            let missing: Vec<&'static Program> =
                PROGRAMS.iter().zip(&found).filter(|(_, path)| path.is_none()).map(|(program, _)| program).collect();
            if !missing.is_empty() {
                build::build(&missing, &cache).await?;
            }
            drop(lock);
        }
        let [etcd, kube_apiserver, kubectl, kube_controller_manager, helm] =
            std::array::from_fn(|nth| found[nth].take().unwrap_or_else(|| cache.join(PROGRAMS[nth].name)));
        Ok(Self { etcd, kube_apiserver, kube_controller_manager, kubectl, helm })
    }
}

async fn find(cache: &Path) -> Vec<Option<PathBuf>> {
    let mut found = Vec::with_capacity(PROGRAMS.len());
    for program in &PROGRAMS {
        found.push(existing::find(program, cache).await);
    }
    found
}

/// Waits for the lock. It is held until the file is dropped or the process ends.
async fn lock(path: PathBuf) -> Result<File> {
    let doing = format!("locking {}", path.display());
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        if file.try_lock().is_err() {
            progress::line("another process is building the test bed's programs; waiting for it");
            file.lock()?;
        }
        Ok(file)
    });
    locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(Error::io(doing))
}

fn cache_folder() -> PathBuf {
    let mut hash = DefaultHasher::new();
    for module in [&KUBERNETES, &ETCD, &HELM] {
        (module.go_mod, module.go_sum).hash(&mut hash);
    }
    for program in &PROGRAMS {
        (program.package, program.variables).hash(&mut hash);
    }
    (std::env::consts::OS, std::env::consts::ARCH).hash(&mut hash);
    let versions = format!(
        "kubernetes-{}-etcd-{}-helm-{}-{:016x}",
        KUBERNETES.version(),
        ETCD.version(),
        HELM.version(),
        hash.finish(),
    );
    let parent =
        std::env::var_os("KUBE_GLUE_TESTBED_DIR").map_or_else(|| target_folder().join("testbed"), PathBuf::from);
    parent.join(versions)
}

/// Cargo's target folder: the ancestor of this program's file that has a `CACHEDIR.TAG`.
#[must_use]
pub fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program
        .ancestors()
        .find(|folder| folder.join("CACHEDIR.TAG").exists())
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"), Path::to_path_buf)
}
