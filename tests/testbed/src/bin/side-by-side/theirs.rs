//! What OpenMetadata's connector sees: its own source, installed from PyPI, in a process of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use kube_glue_double::Double;
use kube_glue_testbed::{Error, assets::target_folder, guard, progress};
use serde::Deserialize;
use tokio::process::Command;

use crate::{PROGRAM, account::REGION, error::SideBySideError, glue::Account, view::View};

/// The folder of the script and of the list of packages.
const HOME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bin/side-by-side");
/// The packages, in the versions with which the table was made.
const PACKAGES: &str = include_str!("openmetadata.txt");

/// What it asks for lineage only.
const FOR_LINEAGE: [&str; 3] = ["GetJob", "GetConnection", "GetObject"];

/// What the script prints.
#[derive(Debug, Deserialize)]
struct Printed {
    version: String,
    pipelines: Vec<Pipeline>,
}

/// A pipeline of OpenMetadata.
#[derive(Debug, Deserialize)]
struct Pipeline {
    name: String,
    tasks: Vec<Task>,
    runs: Vec<Run>,
    edges: Vec<[String; 2]>,
    tags: usize,
    errors: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Task {
    name: String,
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Debug, Deserialize)]
struct Run {
    job: String,
    /// In milliseconds since 1970.
    started: i64,
    status: String,
}

/// What it sees, and its version. Nobody else has sent the double a request before.
pub(crate) async fn read(double: &Double, account: &Account) -> Result<(View, String), SideBySideError> {
    let python = install().await?;
    progress::say(PROGRAM, "OpenMetadata's connector reads the account");
    let key = double.default_key();
    let mut command = guard::command(&python, Path::new("/dev/null"));
    command.arg(Path::new(HOME).join("openmetadata.py")).args([&double.url(), REGION]).stderr(Stdio::inherit()).envs([
        ("AWS_ACCESS_KEY_ID", key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        // The script is on S3, for which its client has no endpoint of its own.
        ("AWS_ENDPOINT_URL", &double.url()),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    let printed: Printed = serde_json::from_str(&run(command).await?)?;
    for error in printed.pipelines.iter().flat_map(|pipeline| &pipeline.errors) {
        progress::say(PROGRAM, &format!("  the connector says: {error}"));
    }
    let mut view = view(&printed.pipelines, account);
    let for_lineage: u64 = FOR_LINEAGE.iter().map(|operation| double.requests().count(operation)).sum();
    view.requests = double.requests().total() - for_lineage;
    Ok((view, printed.version))
}

fn view(pipelines: &[Pipeline], account: &Account) -> View {
    let tasks = |type_: &str| {
        let tasks = pipelines.iter().flat_map(|pipeline| &pipeline.tasks).filter(|task| task.type_ == type_);
        tasks.map(|task| task.name.clone()).collect()
    };
    let runs = || pipelines.iter().flat_map(|pipeline| &pipeline.runs);
    let is_newest = |run: &&Run| account.newest_starts.get(&run.job) == Some(&run.started);
    let newest: BTreeMap<_, _> = runs().filter(is_newest).map(|run| (run.job.clone(), run.status.clone())).collect();
    let edges = pipelines.iter().flat_map(|pipeline| &pipeline.edges);
    View {
        workflows: pipelines.iter().map(|pipeline| pipeline.name.clone()).collect(),
        jobs: tasks("JOB"),
        crawlers: tasks("CRAWLER"),
        triggers: tasks("TRIGGER"),
        tags: pipelines.iter().map(|pipeline| pipeline.tags).sum(),
        newest,
        runs_shown: runs().count(),
        edges: edges.map(|[from, to]| (dataset(from), dataset(to))).collect(),
        ..View::default()
    }
}

/// The name of a dataset: the path of a file, and `database.table` of a table.
fn dataset(name: &str) -> String {
    match name.split('.').collect::<Vec<_>>()[..] {
        // service.database.schema.table
        [_, database, _, table] if !name.contains("://") => format!("{database}.{table}"),
        _ => name.to_owned(),
    }
}

/// Installs the packages into a virtual environment in cargo's target folder, unless it has them. Returns its Python.
async fn install() -> Result<PathBuf, SideBySideError> {
    let home = target_folder().join("side-by-side-venv");
    let (python, stamp) = (home.join("bin/python"), home.join("installed.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGES) {
        return Ok(python);
    }
    progress::say(PROGRAM, "installing OpenMetadata's connector with pip: some minutes the first time");
    let mut create = guard::command("python3", Path::new("/dev/null"));
    create.args(["-m", "venv", "--clear"]).arg(&home);
    run(create).await?;
    let mut install = guard::command(&python, Path::new("/dev/null"));
    // The list is complete.
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    install.arg(Path::new(HOME).join("openmetadata.txt")).stderr(Stdio::inherit());
    run(install).await?;
    std::fs::write(&stamp, PACKAGES).map_err(Error::io(format!("writing {}", stamp.display())))?;
    Ok(python)
}

/// Runs a command to its end; what it printed on standard output.
async fn run(mut command: std::process::Command) -> Result<String, SideBySideError> {
    let shown = format!("{command:?}");
    command.stdout(Stdio::piped());
    let mut child =
        Command::from(command).kill_on_drop(true).spawn().map_err(Error::io(format!("starting {shown}")))?;
    let _guard = child.stdin.take();
    let output = child.wait_with_output().await.map_err(Error::io(format!("waiting for {shown}")))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = "see above".to_owned();
    Err(Error::Command { command: shown, status: output.status, stdout, stderr }.into())
}

#[cfg(test)]
mod tests {
    use super::dataset;

    #[test]
    fn datasets_have_the_names_of_the_account() {
        assert_eq!(dataset("glue.sales.*.orders"), "sales.orders");
        assert_eq!(dataset("s3://lake.example/a.b.c/d"), "s3://lake.example/a.b.c/d");
    }
}
