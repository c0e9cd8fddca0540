//! kubectl and Helm as commands.

use std::{
    ffi::OsString,
    future::{Future, IntoFuture},
    path::{Path, PathBuf},
    pin::Pin,
    process::{ExitStatus, Stdio},
};

use tokio::process::Command;

use crate::{
    error::{Error, Result},
    guard,
};

/// The output of a command.
#[derive(Debug, Clone)]
pub struct Output {
    /// The exit status.
    pub status: ExitStatus,
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
}

/// A command that runs when it is awaited. Awaited directly, an exit code other than 0 is an error with the
/// command's output; [`Tool::output`] accepts any exit code.
#[derive(Debug)]
#[must_use = "it runs when it is awaited"]
pub struct Tool {
    name: &'static str,
    path: PathBuf,
    args: Vec<String>,
    env: Vec<(&'static str, OsString)>,
    input: Option<String>,
    current_dir: Option<PathBuf>,
    folder: PathBuf,
}

impl Tool {
    /// `folder` is the folder for the file with the standard input.
    pub(crate) fn new(name: &'static str, path: &Path, args: Vec<String>, folder: &Path) -> Self {
        Self {
            name,
            path: path.to_path_buf(),
            args,
            env: Vec::new(),
            input: None,
            current_dir: None,
            folder: folder.to_path_buf(),
        }
    }

    /// Adds arguments.
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Sets the working folder, for relative paths in the arguments.
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(folder.into());
        self
    }

    /// Sets the standard input, for `kubectl apply -f -`.
    pub fn input(mut self, text: impl Into<String>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// Runs it and accepts any exit code.
    pub async fn output(self) -> Result<Output> {
        let doing = || format!("running {}", self.name);
        let mut input = None;
        if let Some(text) = &self.input {
            let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(Error::io(doing()))?;
            std::io::Write::write_all(&mut file, text.as_bytes()).map_err(Error::io(doing()))?;
            input = Some(file);
        }
        let stdin = input.as_ref().map_or_else(|| Path::new("/dev/null"), |file| file.path());
        let mut command = guard::command(&self.path, stdin);
        command.args(&self.args).envs(self.env).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = self.current_dir {
            command.current_dir(folder);
        }
        let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(Error::io(doing()))?;
        let _guard = child.stdin.take();
        let output = child.wait_with_output().await.map_err(Error::io(doing()))?;
        Ok(Output {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    async fn run(self) -> Result<Output> {
        let command = format!("{} {}", self.name, self.args.join(" "));
        let Output { status, stdout, stderr } = self.output().await?;
        if status.success() {
            return Ok(Output { status, stdout, stderr });
        }
        Err(Error::Command { command, status, stdout, stderr })
    }
}

impl IntoFuture for Tool {
    type Output = Result<Output>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
