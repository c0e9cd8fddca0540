//! `cargo crds`: writes `crds/<plural>.yaml` for each kind, as `kube-glue crds` prints them.
//!
//! The files in name order are that output, and a test of the product holds the two together.

use std::{
    error::Error,
    fs,
    path::Path,
    process::{Command, ExitCode},
};

use kube_glue_testbed::controller;

#[tokio::main]
async fn main() -> ExitCode {
    match write().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crds/ could not be written: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn write() -> Result<(), Box<dyn Error>> {
    let output = Command::new(controller::build().await?).arg("crds").output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let printed = String::from_utf8(output.stdout)?;
    let folder = controller::workspace().join("crds");
    let written = printed.split_inclusive("---\n").filter(|document| *document != "---\n");
    let written = written.map(|document| document.strip_suffix("---\n").unwrap_or(document));
    let written = written.map(|document| file(&folder, document)).collect::<Result<Vec<_>, _>>()?;
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        // A kind that the code does not have any more.
        if path.extension().is_some_and(|extension| extension == "yaml") && !written.contains(&path) {
            fs::remove_file(&path)?;
            println!("removed {}", path.display());
        }
    }
    Ok(())
}

/// Writes one definition, unless it stands there already; answers where.
fn file(folder: &Path, document: &str) -> Result<std::path::PathBuf, Box<dyn Error>> {
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
