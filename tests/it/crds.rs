//! The CRDs: what stands in `crds/` is what the code says, and the API server holds people to it.

use std::path::Path;

use kube_glue_testbed::ControlPlane;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::harness::PATIENCE;

/// Installs `crds/`, once for all tests, as the README says to.
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
            timeout(PATIENCE, discovered(plane)).await.expect("kubectl knows all kinds");
        })
        .await;
}

/// Waits until kubectl knows all kinds. It goes by discovery, which the API server brings up to date after it has
/// called a CRD established, and of which nothing tells.
async fn discovered(plane: &ControlPlane) {
    let kinds: Vec<_> = kube_glue::api::crds().into_iter().map(|crd| crd.spec.names.plural).collect();
    loop {
        // It fails where the group is only half there.
        let list = plane.kubectl(["api-resources", "--api-group=kube-glue.dev", "--output=name"]);
        let known = list.output().await.expect("kubectl").stdout;
        if kinds.iter().all(|kind| known.contains(kind)) {
            return;
        }
    }
}

/// `kube-glue crds` prints what stands in `crds/`.
#[test]
fn the_files_are_what_the_code_says() {
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
    let stands: String = files.iter().map(|file| std::fs::read_to_string(file).expect("a file")).collect();
    let differs = stands.lines().zip(printed.lines()).find(|(stands, printed)| stands != printed);
    assert!(stands == printed, "crds/ is out of date: run `cargo crds` (first difference: {differs:?})");
}
