//! One replica of the controller as a process that is killed, paused and started again.

use std::{
    fs::File,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdin, Command};

use crate::{
    controller,
    error::{Error, Result},
};

/// How a replica is started.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The program.
    pub program: PathBuf,
    /// Its flags.
    pub flags: Vec<(String, String)>,
    /// The cluster.
    pub kubeconfig: PathBuf,
    /// Its environment: where AWS is, and more.
    pub env: Vec<(String, String)>,
    /// The file that its output is appended to.
    pub log: PathBuf,
}

impl Setup {
    /// Sets a flag.
    pub fn flag(&mut self, flag: &str, value: &str) {
        self.flags.retain(|(name, _)| name != flag);
        self.flags.push((flag.to_owned(), value.to_owned()));
    }
}

/// A running replica. It gets SIGKILL when this value is dropped and when this process ends in any way.
#[derive(Debug)]
pub struct Replica {
    child: Child,
    process: Process,
    /// The guard's pipe.
    _guard: Option<ChildStdin>,
}

/// The process of a [`Replica`], to send signals to. Signals to a process that has ended do nothing.
#[derive(Debug, Clone, Copy)]
pub struct Process(Option<Pid>);

impl Process {
    /// Kills it with SIGKILL.
    pub fn kill(self) {
        self.send(Signal::KILL);
    }

    /// Stops it with SIGSTOP, as a machine without CPU time would.
    pub fn pause(self) {
        self.send(Signal::STOP);
    }

    /// Lets it go on with SIGCONT.
    pub fn resume(self) {
        self.send(Signal::CONT);
    }

    fn send(self, signal: Signal) {
        if let Some(pid) = self.0 {
            // It may have ended by itself. Its number is not given away before the replica is waited for.
            let _ = kill_process(pid, signal);
        }
    }
}

impl Replica {
    /// Starts it.
    pub fn start(setup: &Setup) -> Result<Self> {
        let doing = || Error::io("starting a replica of the controller");
        let log = File::options().append(true).create(true).open(&setup.log).map_err(doing())?;
        let (flags, env) = (borrowed(&setup.flags), borrowed(&setup.env));
        let mut command = controller::command(&setup.program, flags, &setup.kubeconfig, env);
        command.stdout(Stdio::null()).stderr(log);
        let mut child = Command::from(command).kill_on_drop(true).spawn().map_err(doing())?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        Ok(Self { _guard: child.stdin.take(), process: Process(pid), child })
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> Process {
        self.process
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.map_err(Error::io("waiting for a replica of the controller"))
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
