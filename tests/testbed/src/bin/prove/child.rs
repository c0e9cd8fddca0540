//! Methods that are tests, or other programs: cargo runs them, and those of the project print their rows
//! ([`kube_glue_testbed::proof`]).

use std::{
    process::{ExitStatus, Stdio},
    time::Duration,
};

use kube_glue_testbed::{Error, Proof, controller, progress::Progress, proof, tail};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::Command,
    sync::mpsc,
};

use crate::{PROGRAM, error::ProveError};

/// The interval between two lines of progress without a terminal.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The lines of its output that an error shows.
const TAIL: usize = 30;

/// How a program ended.
pub(crate) struct Ended {
    /// Its command line.
    command: String,
    pub(crate) status: ExitStatus,
    /// What it printed, without the rows.
    pub(crate) output: String,
    /// The rows that it printed.
    proofs: Vec<Proof>,
}

impl Ended {
    /// That it came to no result, and why.
    pub(crate) fn without_result(self) -> ProveError {
        let status = self.status;
        let outcome = if status.success() { "printed no result".to_owned() } else { format!("failed ({status})") };
        ProveError::Child { command: self.command, outcome, tail: tail(&self.output, TAIL) }
    }
}

/// Runs `cargo` with these arguments and variables, and returns the rows that it printed, of which there must be one at
/// least. A failure beside rows with violations is what they say already.
pub(crate) async fn cargo(args: &[&str], env: &[(&str, &str)]) -> Result<Vec<Proof>, ProveError> {
    let ended = run(args, env).await?;
    let says_why = ended.proofs.iter().any(|proof| proof.found > 0);
    if ended.proofs.is_empty() || (!ended.status.success() && !says_why) {
        return Err(ended.without_result());
    }
    Ok(ended.proofs)
}

/// Runs `cargo` with these arguments and variables to its end. Its last line of output is its progress.
pub(crate) async fn run(args: &[&str], env: &[(&str, &str)]) -> Result<Ended, ProveError> {
    let shown = format!("cargo {}", args.join(" "));
    let mut command = controller::cargo();
    command.args(args).env(proof::ASKED, "1").envs(env.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        Command::from(command).kill_on_drop(true).spawn().map_err(Error::io(format!("starting `{shown}`")))?;
    let _guard = child.stdin.take();
    let (sender, mut lines) = mpsc::unbounded_channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let reading = async move {
        tokio::join!(read(stdout, sender.clone()), read(stderr, sender));
    };
    let mut progress = Progress::new(PROGRAM, HEARTBEAT);
    let (mut proofs, mut output) = (Vec::new(), String::new());
    let showing = async {
        while let Some(line) = lines.recv().await {
            match Proof::parse(&line) {
                Some(proof) => proofs.push(proof),
                None if line.trim().is_empty() => {}
                None => {
                    progress.show(|| format!("  {}", line.trim()));
                    output.push_str(&line);
                    output.push('\n');
                }
            }
        }
        progress.clear();
    };
    tokio::join!(reading, showing);
    let status = child.wait().await.map_err(Error::io(format!("waiting for `{shown}`")))?;
    Ok(Ended { command: shown, status, output, proofs })
}

async fn read(from: Option<impl AsyncRead + Unpin>, lines: mpsc::UnboundedSender<String>) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from).split(b'\n');
    // A pipe that cannot be read is at its end.
    while let Ok(Some(line)) = from.next_segment().await {
        let _ = lines.send(String::from_utf8_lossy(&line).into_owned());
    }
}
