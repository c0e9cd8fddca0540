//! The CRDs in `crds/`: their installation, and that they match the code.

use std::path::Path;

use kube_glue_testbed::ControlPlane;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::harness::WAIT_TIMEOUT;

/// Installs `crds/` as the README does. Only the first call of the test process does anything.
pub async fn install(plane: &ControlPlane) {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    INSTALLED
        .get_or_init(|| async {
            let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
            let crds = crds.to_str().expect("a path");
            plane.kubectl(["apply", "--server-side", "-f", crds]).await.expect("the CRDs");
            for crd in kube_glue::api::crds() {
                let name = crd.metadata.name.expect("a name");
                let wait = ["wait", "--for=condition=Established", "--timeout=60s", "crd", &name];
                plane.kubectl(wait).await.expect("an established CRD");
            }
            timeout(WAIT_TIMEOUT, wait_for_discovery(plane)).await.expect("discovery of all kinds in time");
        })
        .await;
}

/// Waits until kubectl can discover all kinds. The API server updates discovery some time after a CRD is
/// Established, and there is no watch for that.
async fn wait_for_discovery(plane: &ControlPlane) {
    let kinds: Vec<_> = kube_glue::api::crds().into_iter().map(|crd| crd.spec.names.plural).collect();
    loop {
        // The command fails while discovery has only a part of the group.
        let list = plane.kubectl(["api-resources", "--api-group=kube-glue.dev", "--output=name"]);
        let known = list.output().await.expect("kubectl").stdout;
        if kinds.iter().all(|kind| known.contains(kind)) {
            return;
        }
    }
}

#[test]
fn the_files_in_crds_match_the_output_of_kube_glue_crds() {
    let printed =
        std::process::Command::new(env!("CARGO_BIN_EXE_kube-glue")).arg("crds").output().expect("kube-glue crds");
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).expect("text");
    let mut files: Vec<_> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crds"))
        .expect("crds/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let committed: String = files.iter().map(|file| std::fs::read_to_string(file).expect("a file")).collect();
    let difference = committed.lines().zip(printed.lines()).find(|(committed, printed)| committed != printed);
    assert!(committed == printed, "crds/ is out of date: run `cargo crds` (first difference: {difference:?})");
}
