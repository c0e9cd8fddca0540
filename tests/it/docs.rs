//! The documentation is compared with the code: its commands are run in order on a cluster of their own, its YAML and
//! JSON is applied, its tables are compared with what they describe, and its links are checked.

mod blocks;
mod helm;
mod links;
pub mod policies;
mod tables;
mod walk;
mod ways;

use std::path::{Path, PathBuf};

/// The pages whose commands are run, in this order, on one cluster. The last one ends with `helm uninstall`.
const WALKED: [&str; 11] = [
    "README.md",
    "docs/gluejobrun.md",
    "docs/gluecrawlerrun.md",
    "docs/glueworkflowrun.md",
    "docs/gluetrigger.md",
    "docs/glueconnection.md",
    "docs/glueinventory.md",
    "docs/status.md",
    PLUGIN,
    "docs/security.md",
    OPERATIONS,
];
/// The page with the IAM policy of each kind, and the index of the ways to connect.
const CREDENTIALS: &str = "docs/credentials.md";
/// The folder with one page for each way to connect.
const WAYS: &str = "docs/credentials";
/// The page with the flags and the metrics.
const OPERATIONS: &str = "docs/operations.md";
/// The page about lineage, with the IAM policy for it.
const LINEAGE: &str = "docs/lineage.md";
/// The page of the kubectl plugin, with its exit codes.
const PLUGIN: &str = "docs/kubectl-plugin.md";
/// The page with the reasons.
const TROUBLESHOOTING: &str = "docs/troubleshooting.md";

/// The repository's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// A page, by its path from the root.
fn page(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The paths of all Markdown files of the repository, from the root.
fn markdown_files() -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a folder") {
            let entry = entry.expect("an entry");
            let (path, name, kind) = (entry.path(), entry.file_name(), entry.file_type().expect("a file type"));
            if kind.is_dir() && name != "target" && !name.as_encoded_bytes().starts_with(b".") {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "md") {
                let path = path.strip_prefix(root()).expect("a path below the root");
                files.push(path.to_str().expect("a UTF-8 path").to_owned());
            }
        }
    }
    files.sort();
    files
}
