//! How long commands of `kubectl glue` take, from the start of the process to its end, beside `kubectl get`.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use kube_glue_testbed::{Error, controller};
use serde_json::{Value, json};
use tokio::process::Command;

use super::Context;
use crate::{
    error::LoadError,
    row::{Row, Unit},
    sample::spec,
    world::{OBJECTS, Setup, World},
};

pub(super) const NAME: &str = "plugin";
/// The objects that are listed.
const RUNS: usize = 20;
/// How often each command is run, in turn with the others, so that what drifts does so for all.
const ROUNDS: usize = 20;
/// The commands that need the API server and nothing else.
const COMMANDS: [&str; 6] = [
    "status gjr/run-0",
    "tree gjr/run-0",
    "top",
    "top -o wide",
    "rerun gjr/run-0 --dry-run -o yaml",
    "suspend gjr/run-1",
];
/// The name under which kubectl runs the plugin to complete a line.
const COMPLETER: &str = "kubectl_complete-glue";

/// A command, and how long it took.
struct Timed {
    program: PathBuf,
    arguments: Vec<String>,
    took: Vec<Duration>,
}

pub(super) async fn measure(context: &Context) -> Result<Vec<Row>, LoadError> {
    let world = context.world(Setup::USUAL).await?;
    // Without a controller they all stay as they are.
    let suspended = |nth| {
        let mut spec: Value = spec(nth);
        spec["suspend"] = json!(true);
        spec
    };
    world.create_runs(OBJECTS, RUNS, suspended).await?;
    let plugin = plugin(context).await?;
    let completer = world.plane.folder().join(COMPLETER);
    symlink(&plugin, &completer).map_err(Error::io("linking the plugin"))?;
    let mut kubectl = Timed::new(&world.plane.assets().kubectl, "get gjr");
    let mut completion = Timed::new(&completer, "wait gjr/run-1");
    let mut commands = COMMANDS.map(|line| Timed::new(&plugin, line));
    for _ in 0..ROUNDS {
        for command in commands.iter_mut().chain([&mut kubectl, &mut completion]) {
            command.run(&world).await?;
        }
    }
    let baseline = kubectl.median();
    let row = |measure: String, value, most| {
        let row = context.row(NAME, measure, value, Unit::Milliseconds);
        row.against("kubectl get gjr", baseline).at_most(most)
    };
    let of_command =
        |command: &Timed| row(format!("kubectl glue {}", command.arguments.join(" ")), command.median(), 1.0);
    let mut rows: Vec<_> = commands.iter().map(of_command).collect();
    rows.push(row("completion of a name".to_owned(), completion.median(), 0.5));
    let bytes = plugin.metadata().map_err(Error::io("reading the size of the plugin"))?.len();
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
    let size = bytes as f64 / f64::from(1 << 20);
    rows.push(context.row(NAME, "size of the binary", size, Unit::Mebibytes));
    Ok(rows)
}

/// The plugin beside the controller that is measured, or a new build.
async fn plugin(context: &Context) -> Result<PathBuf, LoadError> {
    let beside = context.settings.controller.with_file_name(controller::PLUGIN);
    if beside.exists() {
        return Ok(beside);
    }
    Ok(controller::build_program(controller::PLUGIN, controller::Profile::Release, &[]).await?)
}

impl Timed {
    fn new(program: &Path, line: &str) -> Self {
        let arguments = line.split_whitespace().map(str::to_owned).collect();
        Self { program: program.to_owned(), arguments, took: Vec::with_capacity(ROUNDS) }
    }

    /// Runs it once. It must succeed.
    async fn run(&mut self, world: &World) -> Result<(), LoadError> {
        let mut command = Command::new(&self.program);
        // A completion has the incomplete word at its end.
        command.args(["-n", OBJECTS]).args(&self.arguments);
        command.env("KUBECONFIG", world.plane.kubeconfig()).env("HOME", world.plane.folder());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let status = command.status().await.map_err(Error::io("running a command"))?;
        self.took.push(began.elapsed());
        let line = self.arguments.join(" ");
        if status.success() { Ok(()) } else { Err(LoadError::Outcome(format!("{line}: {status}"))) }
    }

    /// The median in milliseconds.
    fn median(&self) -> f64 {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}
