//! Child processes that end with this process, however it ends.
//!
//! Destructors are not enough: statics are not dropped, and no code runs after SIGKILL. Therefore a shell script
//! starts each child. It has the reading end of a pipe; only this process has the writing end. When this process
//! ends, the kernel closes the pipe, and a watcher in the script kills the child's process group. The shell replaces
//! itself by the program (`exec`), so that process id, signals and exit status are the program's own.
//!
//! Each child leads its own process group. Ctrl-C in a terminal therefore reaches only this process.

use std::{
    ffi::OsStr,
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use crate::error::{Error, Result, tail};

/// `$1` is the file for the program's standard input; the other arguments are its command line.
const WATCH: &str = r#"
exec 3<&0 <"$1"
shift
( read -r _; kill -KILL 0 ) <&3 >/dev/null 2>&1 &
exec 3<&-
exec "$@"
"#;

/// Waits until the pipe is closed and removes the folder. It retries while programs that are being killed still
/// write into it.
const SWEEP: &str = r#"
read -r _
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  rm -rf -- "$1" 2>/dev/null && exit 0
  sleep 0.1
done
"#;

/// A command that runs `program` with the file `stdin` as standard input, and ends with this process. The caller
/// adds arguments, environment and output as usual, but must not set the command's standard input: this is the
/// guard's pipe, and the program is killed when the caller drops it.
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

/// A program that runs until the handle is dropped or this process ends.
#[derive(Debug)]
pub(crate) struct Guarded {
    program: &'static str,
    path: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    child: Child,
    pipe: Option<ChildStdin>,
}

impl Guarded {
    /// Starts `path` with `args`; its output is appended to `log`.
    pub(crate) fn spawn(program: &'static str, path: &Path, args: &[String], log: PathBuf) -> Result<Self> {
        let opened = File::options().append(true).create(true).open(&log);
        let out = opened.map_err(Error::io(format!("opening {}", log.display())))?;
        let err = out.try_clone().map_err(Error::io(format!("opening {} twice", log.display())))?;
        let mut child = command(path, Path::new("/dev/null"))
            .args(args)
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(Error::io(format!("starting {program}")))?;
        let pipe = child.stdin.take();
        Ok(Self { program, path: path.to_path_buf(), args: args.to_vec(), log, child, pipe })
    }

    /// Kills the program and starts it again with the same arguments.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.kill();
        *self = Self::spawn(self.program, &self.path, &self.args, self.log.clone())?;
        Ok(())
    }

    /// Kills the program with SIGKILL, and waits for its end.
    fn kill(&mut self) {
        // Both fail only when the program has ended already.
        let _ = self.child.kill();
        drop(self.pipe.take());
        let _ = self.child.wait();
    }

    /// Fails, with the end of the log, when the program has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        let status = self.child.try_wait().map_err(Error::io(format!("checking whether {} runs", self.program)))?;
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
        self.kill();
    }
}

/// A temporary folder that is removed when the handle is dropped or this process ends, however it ends.
///
/// With `KUBE_GLUE_TESTBED_KEEP` set it is kept, and its path is printed.
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
            .map_err(Error::io("starting the removal of the temporary folder"))?;
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
