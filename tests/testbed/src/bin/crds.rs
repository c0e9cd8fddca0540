//! `cargo crds`: writes the output of `kube-glue crds` to `crds/<plural>.yaml`, one file per kind.
//!
//! A test of kube-glue compares the files, in the order of their names, with that output.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use kube_glue_testbed::controller;

#[tokio::main]
async fn main() -> ExitCode {
    match write().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write crds/: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn write() -> Result<(), Box<dyn Error>> {
    let output = Command::new(controller::build(controller::Profile::Dev).await?).arg("crds").output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let printed = String::from_utf8(output.stdout)?;
    let folder = controller::workspace().join("crds");
    let documents = printed.split_inclusive("---\n").filter(|document| *document != "---\n");
    let documents = documents.map(|document| document.strip_suffix("---\n").unwrap_or(document));
    let written = documents.map(|document| write_file(&folder, document)).collect::<Result<Vec<_>, _>>()?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        // The file of a kind that was removed.
        if path.extension().is_some_and(|extension| extension == "yaml") && !written.contains(&path) {
            fs::remove_file(&path)?;
            println!("removed {}", path.display());
        }
    }
    Ok(())
}

/// Writes one definition if it has changed. Returns the path of its file.
fn write_file(folder: &Path, document: &str) -> Result<PathBuf, Box<dyn Error>> {
    let name = document.lines().find_map(|line| line.strip_prefix("  name: ")).ok_or("a definition without a name")?;
    let plural = name.split_once('.').map_or(name, |(plural, _)| plural);
    let path = folder.join(plural).with_extension("yaml");
    let text = format!("---\n{document}");
    if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        fs::write(&path, text)?;
        println!("wrote {}", path.display());
    }
    Ok(path)
}
