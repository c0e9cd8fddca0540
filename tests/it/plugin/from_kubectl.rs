//! Under kubectl: as a plugin, and completing its command line.

use std::ffi::OsString;

use serde_json::json;

use crate::harness::TestEnv;

#[tokio::test]
async fn kubectl_finds_the_plugin_by_its_name_and_completes_its_line() {
    let env = TestEnv::without_controller("plugin-kubectl").await;
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["kubectl-glue", "kubectl_complete-glue"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kubectl-glue"), folder.path().join(name)).expect("a link");
    }
    let mut path = OsString::from(folder.path());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let shown = env.plane.kubectl(["glue", "explain", "notfound"]).env("PATH", &path).await.expect("the plugin");
    assert!(shown.stdout.starts_with("NotFound\n") && shown.stdout.contains("Remedy"), "{}", shown.stdout);
    env.create_run("nightly", "etl", json!({})).await;
    let name = &env.namespace;
    for (line, expected) in [
        (format!("glue wait -n {name} gjr/n"), "gjr/nightly\n:4\n"),
        (format!("glue run -n {name} job e"), "etl\n:4\n"),
        ("glue expla".to_owned(), "explain\n:4\n"),
        ("glue stop gj".to_owned(), "gjr/\n:6\n"),
    ] {
        let words = std::iter::once("__complete").chain(line.split(' '));
        let completed = env.plane.kubectl(words).env("PATH", &path).await.expect("the completion");
        assert!(completed.stdout.starts_with(expected), "{line}: {}", completed.stdout);
    }
}
