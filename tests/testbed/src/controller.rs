//! The program under test: built by cargo, and its command line.
//!
//! Tests of the package have the path in `CARGO_BIN_EXE_kube-glue`; [`build`] is for other programs, such as the demo.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    error::{Error, Result},
    guard,
};

/// The name of the program and its package.
pub const NAME: &str = "kube-glue";
/// The name of the kubectl plugin.
pub const PLUGIN: &str = "kubectl-glue";

/// The workspace's root folder.
#[must_use]
pub fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap_or(root)
}

/// The cargo profile of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Not optimized.
    Dev,
    /// What the container image has.
    Release,
}

/// The program with these flags against the cluster of `kubeconfig`, as a [`guard::command`]. Its environment has no
/// variables of AWS but those in `aws` and, by default, the one that disables EC2 metadata.
#[must_use]
pub fn command<'a>(
    program: &Path,
    flags: impl IntoIterator<Item = (&'a str, &'a str)>,
    kubeconfig: &Path,
    aws: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> std::process::Command {
    let mut command = guard::command(program, Path::new("/dev/null"));
    command
        .arg("run")
        .args(flags.into_iter().flat_map(|(flag, value)| [flag, value]))
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("KUBECONFIG", kubeconfig)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(aws)
        .env("RUST_BACKTRACE", "0");
    command
}

/// cargo in the workspace's root folder, as a [`guard::command`].
#[must_use]
pub fn cargo() -> std::process::Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = guard::command(cargo, Path::new("/dev/null"));
    command.current_dir(workspace());
    // Variables that `cargo run` sets for this package would make cargo rerun build scripts that depend on them.
    let prefixes = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// Builds the controller with `cargo build`, with cargo's progress on standard error; returns its path.
pub async fn build(profile: Profile) -> Result<PathBuf> {
    build_program(NAME, profile, &[]).await
}

/// The same for another program of the package, or with these features of the package.
pub async fn build_program(name: &str, profile: Profile, features: &[&str]) -> Result<PathBuf> {
    let doing = "building a program with cargo";
    let mut command = cargo();
    command
        .args(["build", "--bin", name, "--message-format", "json-render-diagnostics", "--profile", profile.name()])
        .args(["--features", &features.join(",")])
        .stdout(Stdio::piped());
    let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(Error::io(doing))?;
    let _guard = child.stdin.take();
    let output = child.wait_with_output().await.map_err(Error::io(doing))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(Error::Command {
            command: format!("cargo build --bin {name}"),
            status: output.status,
            stdout: String::new(),
            stderr: "see cargo's output above".to_owned(),
        });
    }
    let built = stdout.lines().rev().find_map(|message| executable(name, message));
    built.ok_or_else(|| Error::io(doing)(std::io::Error::other("cargo's output does not name the built program")))
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// The path of the program in one of cargo's messages.
fn executable(name: &str, message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let named = message["target"]["name"] == name;
    message["executable"].as_str().filter(|_| named).map(PathBuf::from)
}
