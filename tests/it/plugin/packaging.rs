//! What is shipped beside the binary: completion, manual pages, the manifest for krew.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::TestEnv;

/// Runs a program with this text as its input; none where the program is not installed.
fn accepts(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).arg(file).stdin(Stdio::null()).output().ok()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Some(if output.status.success() { errors } else { format!("{}: {errors}", output.status) })
}

#[tokio::test]
async fn shells_accept_the_completion() {
    let env = TestEnv::without_controller("plugin-completion").await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut checked = 0;
    for (shell, arguments) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        let script = env.glue(&format!("completion {shell}")).await.succeeded();
        assert!(script.data.contains("kubectl-glue"), "{shell}");
        let file = folder.path().join(shell);
        std::fs::write(&file, &script.data).expect("a file");
        if let Some(problem) = accepts(shell, arguments, &file) {
            assert_eq!(problem, "", "{shell}");
            checked += 1;
        }
    }
    assert!(checked > 0, "no shell is installed");
}

#[tokio::test]
async fn every_command_has_a_manual_page() {
    let env = TestEnv::without_controller("plugin-man").await;
    let folder = tempfile::tempdir().expect("a folder");
    env.glue(&format!("man {}", folder.path().display())).await.succeeded();
    let page = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_else(|_| panic!("no {name}"));
    for command in ["wait", "list", "import", "report"] {
        let text = page(&format!("kubectl-glue-{command}.1"));
        assert!(text.starts_with(".ie") && text.contains(".SH OPTIONS"), "{text}");
    }
    assert!(page("kubectl-glue.1").contains("kubectl\\-glue"));
    let version = env.glue("--version").await.succeeded();
    assert_eq!(version.data.trim(), format!("kubectl-glue {}", env!("CARGO_PKG_VERSION")));
}

/// krew-index, "Plugin manifest": the description has lines of up to 80 characters, the short one up to 50 in all.
#[test]
fn the_manifest_for_krew_names_the_binary() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".krew.yaml")).expect(".krew.yaml");
    let value = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
    assert_eq!(value("name:"), Some("glue"));
    assert_eq!(value("bin:"), Some("kubectl-glue"));
    assert!(value("shortDescription:").expect("a short description").len() <= 50);
    let template = text.lines().filter(|line| line.contains("addURIAndSha")).count();
    assert_eq!(template, text.matches("selector:").count(), "one address for each platform");
}
