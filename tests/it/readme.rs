//! The README is held to what it says: its commands are run in order on a cluster of their own, what it shows
//! as YAML and JSON is given to those who read it, and its tables are compared with the code.

mod blocks;
mod helm;
pub mod policies;
mod tables;
mod walk;
mod ways;

use std::path::{Path, PathBuf};

/// The page.
const README: &str = include_str!("../../README.md");

/// The repository's root folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}
