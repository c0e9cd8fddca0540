//! Finds programs that exist on this machine.

#[cfg(test)]
mod tests;

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::Program;

/// The first program with the right version. The name of the cache folder guarantees the version of a cached one.
pub(super) async fn find(program: &Program, cache: &Path) -> Option<PathBuf> {
    if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS") {
        let candidate = PathBuf::from(folder).join(program.name);
        if has_version(program, &candidate).await {
            return Some(candidate);
        }
    }
    let built = cache.join(program.name);
    if built.is_file() {
        return Some(built);
    }
    for folder in env::split_paths(&env::var_os("PATH")?) {
        let candidate = folder.join(program.name);
        if has_version(program, &candidate).await {
            return Some(candidate);
        }
    }
    None
}

/// Whether it runs and prints a version with the pinned minor.
async fn has_version(program: &Program, candidate: &Path) -> bool {
    if !candidate.is_file() {
        return false;
    }
    let asked = Command::new(candidate)
        .args(program.version_args)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await;
    asked.is_ok_and(|answer| {
        answer.status.success() && same_minor(&String::from_utf8_lossy(&answer.stdout), program.module.version())
    })
}

/// Whether a program's output has a version with the same minor as `pinned`, such as `v1.36.3`.
fn same_minor(output: &str, pinned: &str) -> bool {
    let minor = |version: &str| -> Option<(u32, u32)> {
        let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    // The first version in the output is the program's own; the Go version may follow.
    output.split_whitespace().find_map(minor) == minor(pinned)
}
