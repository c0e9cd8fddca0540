//! Children that never outlive this process, however it ends.
//!
//! A destructor is not enough: statics are not dropped, and nothing runs at all after SIGKILL. So each
//! child is started by a line of shell that holds the reading end of a pipe whose writing end only this
//! process has. When this process goes, the kernel closes that end, and the watcher kills the child's
//! whole process group. The shell then replaces itself by the program (`exec`), so the process id, the
//! signals sent to it and its exit status are the program's own.
//!
//! Each child leads a process group of its own; Ctrl-C in a terminal therefore reaches this process only.

use std::{
    ffi::OsStr,
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use crate::error::{Error, Result, tail};

/// `$1` is what the program gets as standard input; the rest is its command line.
const WATCH: &str = r#"
exec 3<&0 <"$1"
shift
( read -r _; kill -KILL 0 ) <&3 >/dev/null 2>&1 &
exec 3<&-
exec "$@"
"#;

/// Waits for the pipe to close and removes the folder, again while programs that are just being killed
/// still write into it.
const SWEEP: &str = r#"
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rm -rf -- "$1" 2>/dev/null && exit 0
  sleep 0.1
done
"#;

/// A command line for `program` under guard, reading `stdin` (a file). Arguments, environment and output
/// are added as to any command. Its standard input must be left alone: it is the guard's pipe, and who
/// spawns the command keeps it for as long as the program may run.
pub fn command(program: impl AsRef<OsStr>, stdin: &Path) -> Command {
    let mut command = shell(WATCH);
    command.arg(stdin).arg(program);
    command
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script, "kube-glue-testbed"]);
    command.stdin(Stdio::piped()).process_group(0);
    command
}

/// A guarded program that runs until the handle goes.
#[derive(Debug)]
pub(crate) struct Guarded {
    program: &'static str,
    log: PathBuf,
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts `path` with `args`; its output goes to `log`.
    pub(crate) fn spawn(program: &'static str, path: &Path, args: &[String], log: PathBuf) -> Result<Self> {
        let out = File::create(&log).map_err(Error::io(format!("creating {}", log.display())))?;
        let err = out.try_clone().map_err(Error::io(format!("opening {} twice", log.display())))?;
        let mut child = command(path, Path::new("/dev/null"))
            .args(args)
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(Error::io(format!("starting {program}")))?;
        let pipe = child.stdin.take();
        Ok(Self { program, log, child, pipe })
    }

    /// An error with the end of the log when the program has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        let status = self.child.try_wait().map_err(Error::io(format!("asking whether {} runs", self.program)))?;
        match status {
            None => Ok(()),
            Some(status) => Err(self.ended(status)),
        }
    }

    fn ended(&self, status: ExitStatus) -> Error {
        Error::Ended {
            program: self.program,
            status,
            log: self.log.clone(),
            tail: tail(&std::fs::read_to_string(&self.log).unwrap_or_default(), 15),
        }
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Both only fail when the program is gone already.
        let _ = self.child.kill();
        drop(self.pipe.take());
        let _ = self.child.wait();
    }
}

/// A folder under the system's temporary folder that goes with this process, however it ends.
///
/// With `KUBE_GLUE_TESTBED_KEEP` set it stays, and where it is is printed.
#[derive(Debug)]
pub(crate) struct TempFolder {
    path: PathBuf,
    sweeper: Option<Child>,
}

impl TempFolder {
    pub(crate) fn create() -> Result<Self> {
        let path = tempfile::Builder::new()
            .prefix("kube-glue-testbed-")
            .tempdir()
            .map_err(Error::io("creating a temporary folder"))?
            .keep();
        if std::env::var_os("KUBE_GLUE_TESTBED_KEEP").is_some() {
            crate::progress::line(&format!("files are kept in {}", path.display()));
            return Ok(Self { path, sweeper: None });
        }
        let sweeper = shell(SWEEP)
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::io("starting the guard of the temporary folder"))?;
        Ok(Self { path, sweeper: Some(sweeper) })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        if let Some(mut sweeper) = self.sweeper.take() {
            drop(sweeper.stdin.take());
            let _ = sweeper.wait();
        }
    }
}
