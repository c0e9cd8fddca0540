//! Builds the missing programs with `go build`, one after the other.
//!
//! A second build of the same versions on a machine only links, because of Go's build cache.

#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    path::Path,
    process::{ExitStatus, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::{MissedTickBehavior, interval},
};

use super::{Module, Program};
use crate::{
    error::{Error, Result},
    guard, progress,
};

/// The number of lines of a failed build's output that the error shows.
const SHOWN_LINES: usize = 30;

pub(super) async fn build(missing: &[&'static Program], into: &Path) -> Result<()> {
    let names: Vec<&str> = missing.iter().map(|program| program.name).collect();
    check_go(&names, missing).await?;
    progress::line(&format!(
        "building {} from Go modules into {}; this is done once and takes some minutes with empty caches",
        names.join(", "),
        into.display()
    ));
    for (nth, program) in missing.iter().enumerate() {
        let version = program.module.version();
        let title = format!("[{}/{}] {} {version}", nth + 1, missing.len(), program.name);
        let then = match &names[nth + 1..] {
            [] => String::new(),
            rest => format!(" (then {})", rest.join(", ")),
        };
        let mut step = progress::Step::begin(title, then);
        let built = build_one(program, into, &mut step).await;
        step.end(if built.is_ok() { "built" } else { "failed" });
        built?;
    }
    Ok(())
}

async fn build_one(program: &'static Program, into: &Path, step: &mut progress::Step) -> Result<()> {
    let mut list = go(program.module);
    list.args(["list", "-mod=readonly", "-deps", program.package]);
    let mut packages = 0;
    run(program, list, step, |line| {
        if line.is_some() {
            packages += 1;
        }
        "fetching modules".to_owned()
    })
    .await?;

    let unfinished = into.join(format!(".{}.unfinished", program.name));
    let mut build = go(program.module);
    build.args(["build", "-v", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags"]);
    build.arg(linker_flags(program)).arg("-o").arg(&unfinished).arg(program.package);
    let mut compiled = 0;
    run(program, build, step, |line| {
        if line.is_some() {
            compiled += 1;
        }
        match compiled {
            0 => format!("checking which of {packages} packages are compiled already"),
            _ => format!("{compiled} of up to {packages} packages compiled"),
        }
    })
    .await?;
    std::fs::rename(&unfinished, into.join(program.name)).map_err(Error::io(format!(
        "moving {} to {}",
        program.name,
        into.display()
    )))
}

fn linker_flags(program: &Program) -> String {
    let version = program.module.version();
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    program.variables.iter().fold("-s -w".to_owned(), |flags, variable| {
        let set = variable.replace("VERSION", version).replace("MAJOR", major).replace("MINOR", minor);
        format!("{flags} -X {set}")
    })
}

/// `go` in a module's folder, for this machine, without the settings of the caller's environment.
fn go(module: &Module) -> std::process::Command {
    let mut command = guard::command("go", Path::new("/dev/null"));
    command.current_dir(module.path());
    for other in ["GOFLAGS", "GOOS", "GOARCH", "GO111MODULE", "GOEXPERIMENT"] {
        command.env_remove(other);
    }
    command.envs([("CGO_ENABLED", "0"), ("GOWORK", "off"), ("GO111MODULE", "on")]);
    command
}

/// Runs a go command. `on_line` gets each line of its output, and none at each tick; it returns the progress to show.
async fn run(
    program: &'static Program,
    mut command: std::process::Command,
    step: &mut progress::Step,
    mut on_line: impl FnMut(Option<&str>) -> String,
) -> Result<()> {
    let doing = || format!("running go for {}", program.name);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(Error::io(doing()))?;
    let _guard = child.stdin.take();
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Error::io(doing())(std::io::Error::other("no pipe")));
    };
    let (mut out, mut err) = (BufReader::new(out).lines(), BufReader::new(err).lines());
    let (mut out_open, mut err_open) = (true, true);
    let mut last = VecDeque::with_capacity(SHOWN_LINES);
    let mut tick = interval(progress::TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while out_open || err_open {
        let line = tokio::select! {
            line = out.next_line(), if out_open => { out_open = matches!(line, Ok(Some(_))); line }
            line = err.next_line(), if err_open => { err_open = matches!(line, Ok(Some(_))); line }
            _ = tick.tick() => {
                step.tick(&on_line(None));
                continue;
            }
        };
        if let Ok(Some(line)) = line {
            on_line(Some(&line));
            if last.len() == SHOWN_LINES {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    let status: ExitStatus = child.wait().await.map_err(Error::io(doing()))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Build { program: program.name, status, output: Vec::from(last).join("\n") })
}

/// Checks that Go is installed, and new enough or able to fetch the version that the modules require.
async fn check_go(names: &[&str], missing: &[&'static Program]) -> Result<()> {
    let needed = missing.iter().map(|program| program.module.go()).max().unwrap_or("1.26");
    let go_error = |found: String| Error::Go { missing: names.join(", "), needed: needed.to_owned(), found };
    for program in missing {
        let mut command = Command::new("go");
        command.args(["env", "GOVERSION"]).current_dir(program.module.path()).env("GOWORK", "off");
        let answer = command.output().await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => go_error("there is no `go` on PATH".to_owned()),
            _ => go_error(format!("`go env` did not start: {error}")),
        })?;
        if !answer.status.success() {
            return Err(go_error(String::from_utf8_lossy(&answer.stderr).trim().to_owned()));
        }
        let version = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        if !at_least(&version, program.module.go()) {
            return Err(go_error(format!("`go` on PATH is {version}")));
        }
    }
    Ok(())
}

/// Whether a version such as `go1.26.8` is at least `needed`, such as `1.26.0`.
fn at_least(version: &str, needed: &str) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        text.trim_start_matches("go")
            .split(|c: char| !c.is_ascii_digit())
            .take_while(|part| !part.is_empty())
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    let (version, needed) = (numbers(version), numbers(needed));
    let pad = |mut numbers: Vec<u32>| {
        numbers.resize(3, 0);
        numbers
    };
    pad(version) >= pad(needed)
}
