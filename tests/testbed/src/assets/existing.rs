//! Programs that are there already.

#[cfg(test)]
mod tests;

use std::{
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::Program;

/// The first program of a version that fits. What the bed has built itself fits by its folder's name.
pub(super) async fn find(program: &Program, kept: &Path) -> Option<PathBuf> {
    if let Some(folder) = env::var_os("KUBEBUILDER_ASSETS") {
        let candidate = PathBuf::from(folder).join(program.name);
        if fits(program, &candidate).await {
            return Some(candidate);
        }
    }
    let built = kept.join(program.name);
    if built.is_file() {
        return Some(built);
    }
    for folder in env::split_paths(&env::var_os("PATH")?) {
        let candidate = folder.join(program.name);
        if fits(program, &candidate).await {
            return Some(candidate);
        }
    }
    None
}

/// Whether it runs and says a version of the pinned minor.
async fn fits(program: &Program, candidate: &Path) -> bool {
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
        answer.status.success() && says(&String::from_utf8_lossy(&answer.stdout), program.module.version())
    })
}

/// Whether a program's words name a version of the same minor as `pinned` (`v1.36.3`).
fn says(words: &str, pinned: &str) -> bool {
    let minor = |version: &str| -> Option<(u32, u32)> {
        let mut parts = version.trim_start_matches('v').split(['.', '-', '+']);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    // The first word that looks like a version is the program's own; the Go version may follow.
    words.split_whitespace().find_map(minor) == minor(pinned)
}
