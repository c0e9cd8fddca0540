//! A container: a local process that is restarted by the Pod's restart policy.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::ExitStatus,
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::{
    api::core::v1::{
        Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    },
    apimachinery::pkg::apis::meta::v1::Time,
};
use rustix::process::Signal;
use tokio::{
    process::{Child, ChildStdin, Command},
    sync::watch,
};

use super::{
    RunningContainer, credentials, environment,
    pod::PodContext,
    probe::{self, ProbeResult},
    send, status,
};
use crate::{control_plane::free_port, guard};

/// The first back-off before a restart; it doubles each time.
const MIN_BACK_OFF: Duration = Duration::from_millis(200);
/// The longest back-off.
const MAX_BACK_OFF: Duration = Duration::from_secs(5);
/// After running this long, the back-off is the first one again.
const BACK_OFF_RESET: Duration = Duration::from_secs(30);
/// The interval between two attempts to start while the configuration or the token is missing.
const START_RETRY: Duration = Duration::from_secs(1);

/// Whether and how the containers must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// They run on.
    No,
    /// SIGTERM now, SIGKILL after this grace period.
    Within(Duration),
    /// SIGKILL now.
    Now,
}

/// A container's state.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) state: ContainerState,
    pub(super) last_state: Option<ContainerState>,
    pub(super) ready: bool,
    /// Whether the startup probe has passed.
    pub(super) started: bool,
    pub(super) restarts: u32,
    /// Whether it has ended and is not restarted.
    pub(super) finished: bool,
    pub(super) pid: Option<u32>,
    pub(super) http: Option<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            state: waiting("ContainerCreating", None),
            last_state: None,
            ready: false,
            started: false,
            restarts: 0,
            finished: false,
            pid: None,
            http: None,
        }
    }
}

impl Report {
    /// The state in [`RunningPod`](super::RunningPod).
    pub(super) fn view(&self) -> RunningContainer {
        let waiting = self.state.waiting.as_ref().map(|waiting| {
            let reason = waiting.reason.clone().unwrap_or_default();
            waiting.message.as_ref().map_or(reason.clone(), |message| format!("{reason}: {message}"))
        });
        let ended = self.state.terminated.as_ref().and_then(|ended| ended.reason.clone());
        RunningContainer {
            pid: self.pid,
            http: self.http.clone(),
            ready: self.ready,
            restarts: self.restarts,
            waiting: waiting.or(ended),
        }
    }
}

fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

/// Why a container cannot be started.
pub(super) struct StartFailure {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// A running process.
struct Process {
    child: Child,
    /// Dropping it kills the remaining processes of the process group.
    _guard: Option<ChildStdin>,
    pid: u32,
    http: String,
    began: Instant,
    started_at: Time,
}

/// Runs the container until it is finished or the Pod ends.
pub(super) async fn run(
    context: Arc<PodContext>,
    container: Container,
    mut stop: watch::Receiver<Stop>,
    send_report: impl Fn(Report) + Send + Sync,
) {
    let policy = context.pod.spec.as_ref().and_then(|spec| spec.restart_policy.clone());
    let mut report = Report::default();
    let mut back_off = MIN_BACK_OFF;
    loop {
        if *stop.borrow_and_update() != Stop::No {
            return;
        }
        let process = match start(&context, &container).await {
            Ok(process) => process,
            Err(failure) => {
                report.state = waiting(failure.reason, Some(failure.message));
                send_report(report.clone());
                pause(START_RETRY, &mut stop).await;
                continue;
            }
        };
        let (began, started_at) = (process.began, process.started_at.clone());
        let (end, why) = supervise(process, &container, &mut report, &mut stop, &send_report).await;
        let ended = terminated(end, why, started_at);
        let failed = ended.exit_code != 0;
        report = Report {
            state: ContainerState { terminated: Some(ended), ..ContainerState::default() },
            ready: false,
            started: false,
            pid: None,
            http: None,
            ..report
        };
        let finished = match policy.as_deref() {
            Some("Never") => true,
            Some("OnFailure") => !failed,
            _ => false,
        };
        report.finished = finished || *stop.borrow() != Stop::No;
        send_report(report.clone());
        if report.finished {
            return;
        }
        if began.elapsed() >= BACK_OFF_RESET {
            back_off = MIN_BACK_OFF;
        }
        report.last_state = Some(std::mem::replace(&mut report.state, waiting("CrashLoopBackOff", None)));
        send_report(report.clone());
        pause(back_off, &mut stop).await;
        back_off = (back_off * 2).min(MAX_BACK_OFF);
        report.restarts += 1;
    }
}

/// Waits for a time, or until the Pod must end.
async fn pause(time: Duration, stop: &mut watch::Receiver<Stop>) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        _ = stop.wait_for(|stop| *stop != Stop::No) => {}
    }
}

async fn start(context: &PodContext, container: &Container) -> Result<Process, StartFailure> {
    if let Some(message) = environment::unsupported(&context.pod, container) {
        return Err(StartFailure { reason: "CreateContainerConfigError", message });
    }
    let image = container.image.as_deref().unwrap_or_default();
    let program = program(context, image).ok_or_else(|| StartFailure {
        reason: "ErrImagePull",
        message: format!("the test bed has no program for image {image}"),
    })?;
    let failed = |message: String| StartFailure { reason: "CreateContainerError", message };
    let address = format!("127.0.0.1:{}", free_port().map_err(|error| failed(error.to_string()))?);
    let mut resolved = environment::resolve(context, container, &address).await?;
    if let Some(kubeconfig) = credentials::kubeconfig(context).await? {
        resolved.variables.insert("KUBECONFIG".to_owned(), kubeconfig.display().to_string());
    }
    let log = context.folder.join(format!("{}.log", container.name));
    let open = || File::options().append(true).create(true).open(&log);
    let (out, err) = open()
        .and_then(|out| Ok((out, open()?)))
        .map_err(|error| failed(format!("opening {}: {error}", log.display())))?;
    let mut command = guard::command(&program, std::path::Path::new("/dev/null"));
    command
        .args(&resolved.args)
        .env_clear()
        .envs(&resolved.variables)
        .current_dir(&context.folder)
        .stdout(out)
        .stderr(err);
    let mut child = Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("starting {}: {error}", program.display())))?;
    Ok(Process {
        _guard: child.stdin.take(),
        pid: child.id().unwrap_or_default(),
        child,
        http: format!("http://{address}"),
        began: Instant::now(),
        started_at: status::now(),
    })
}

/// The program for an image, by its exact name or else by its repository.
fn program(context: &PodContext, image: &str) -> Option<PathBuf> {
    let images = &context.settings.images;
    images.get(image).or_else(|| images.get(repository(image))).cloned()
}

/// The repository of `registry:5000/a/b:1.2@sha256:...` is `registry:5000/a/b`.
fn repository(image: &str) -> &str {
    let tagged = image.split('@').next().unwrap_or(image);
    match tagged.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => tagged,
    }
}

/// Supervises a process until it has ended. Returns its exit status and, if a probe ended it, the reason.
async fn supervise(
    mut process: Process,
    container: &Container,
    report: &mut Report,
    stop: &mut watch::Receiver<Stop>,
    send_report: &(impl Fn(Report) + Send + Sync),
) -> (std::io::Result<ExitStatus>, Option<String>) {
    let running = ContainerStateRunning { started_at: Some(process.started_at.clone()) };
    *report = Report {
        state: ContainerState { running: Some(running), ..ContainerState::default() },
        pid: Some(process.pid),
        http: Some(process.http.clone()),
        ready: false,
        started: false,
        ..report.clone()
    };
    send_report(report.clone());
    let address = process.http.clone();
    let mut why = None;
    let probes = probe::run(container, &address, |result| {
        let ProbeResult { ready, started } = result;
        if (report.ready, report.started) != (ready, started) {
            (report.ready, report.started) = (ready, started);
            send_report(report.clone());
        }
    });
    let grace = tokio::select! {
        ended = process.child.wait() => return (ended, None),
        failed = probes => {
            why = Some(failed);
            Duration::from_secs(30)
        }
        stopped = stop.wait_for(|stop| *stop != Stop::No) => match stopped.map(|stop| *stop) {
            Ok(Stop::Within(grace)) => grace,
            _ => Duration::ZERO,
        },
    };
    // Not ready any more. If the process has ended in the meantime, the wait below returns at once.
    *report = Report { ready: false, ..report.clone() };
    send_report(report.clone());
    if !grace.is_zero() {
        let _ = send(process.pid, Signal::TERM);
    }
    let kill_now = stop.wait_for(|stop| *stop == Stop::Now);
    tokio::select! {
        ended = process.child.wait() => return (ended, why),
        () = tokio::time::sleep(grace) => {}
        _ = kill_now => {}
    }
    let _ = send(process.pid, Signal::KILL);
    (process.child.wait().await, why)
}

fn terminated(end: std::io::Result<ExitStatus>, why: Option<String>, started_at: Time) -> ContainerStateTerminated {
    let (exit_code, signal) = match &end {
        // The exit code of a killed process is 128 + signal, as in a shell and a kubelet.
        Ok(status) => {
            (status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(255), status.signal())
        }
        Err(_) => (255, None),
    };
    ContainerStateTerminated {
        exit_code,
        signal,
        reason: Some(if exit_code == 0 { "Completed" } else { "Error" }.to_owned()),
        message: why.or_else(|| end.err().map(|error| error.to_string())),
        started_at: Some(started_at),
        finished_at: Some(status::now()),
        ..ContainerStateTerminated::default()
    }
}
