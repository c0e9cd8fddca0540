//! Startup, liveness and readiness probes with their periods and thresholds. All use the process's one address.
//!
//! There are two differences from a real kubelet. Liveness is first probed one period after the start, because this
//! kubelet sees a container start sooner. Readiness is probed every [`FIRST_READINESS_PERIOD`] until it passes for
//! the first time, so that tests do not wait a period for a process that needs a moment to listen.

use std::time::Duration;

use futures::future::{OptionFuture, pending};
use k8s_openapi::api::core::v1::{Container, Probe};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use crate::http;

/// The readiness period until the probe passes for the first time.
const FIRST_READINESS_PERIOD: Duration = Duration::from_millis(100);

/// The current result of the probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ProbeResult {
    pub(super) ready: bool,
    pub(super) started: bool,
}

/// Probes until the container must be killed; returns the reason. `report` gets each result.
pub(super) async fn run(container: &Container, base: &str, mut report: impl FnMut(ProbeResult)) -> String {
    if let Some(startup) = &container.startup_probe
        && let Err(why) = run_startup(startup, base).await
    {
        return format!("startup probe failed: {why}");
    }
    report(ProbeResult { ready: container.readiness_probe.is_none(), started: true });
    let readiness = container.readiness_probe.as_ref();
    let liveness = container.liveness_probe.as_ref();
    tokio::select! {
        why = or_never(liveness.map(|probe| run_liveness(probe, base))) => {
            format!("liveness probe failed: {why}")
        }
        () = or_never(readiness.map(|probe| run_readiness(probe, base, &mut report))) => String::new(),
    }
}

async fn or_never<T>(future: Option<impl Future<Output = T>>) -> T {
    match OptionFuture::from(future).await {
        Some(output) => output,
        None => pending().await,
    }
}

/// The attempts of a probe: the first after the initial delay, the next after a period each.
struct Attempts<'a> {
    probe: &'a Probe,
    base: &'a str,
    next: Instant,
    period: Duration,
}

impl<'a> Attempts<'a> {
    fn of(probe: &'a Probe, base: &'a str) -> Self {
        let delay = seconds(probe.initial_delay_seconds, 0);
        Self { probe, base, next: Instant::now() + delay, period: period(probe) }
    }

    async fn next(&mut self) -> Result<(), String> {
        sleep_until(self.next).await;
        self.next = Instant::now() + self.period;
        attempt(self.probe, self.base).await
    }
}

fn seconds(value: Option<i32>, default: u64) -> Duration {
    Duration::from_secs(value.and_then(|value| u64::try_from(value).ok()).unwrap_or(default))
}

fn period(probe: &Probe) -> Duration {
    seconds(probe.period_seconds, 10)
}

fn failures(probe: &Probe) -> i32 {
    probe.failure_threshold.unwrap_or(3).max(1)
}

async fn run_startup(probe: &Probe, base: &str) -> Result<(), String> {
    let mut attempts = Attempts::of(probe, base);
    let mut failed = 0;
    loop {
        match attempts.next().await {
            Ok(()) => return Ok(()),
            Err(why) => {
                failed += 1;
                if failed >= failures(probe) {
                    return Err(why);
                }
            }
        }
    }
}

async fn run_liveness(probe: &Probe, base: &str) -> String {
    let mut attempts = Attempts::of(probe, base);
    attempts.next += attempts.period;
    let mut failed = 0;
    loop {
        match attempts.next().await {
            Ok(()) => failed = 0,
            Err(why) => {
                failed += 1;
                if failed >= failures(probe) {
                    return why;
                }
            }
        }
    }
}

/// Reports each change of readiness; it never returns.
async fn run_readiness(probe: &Probe, base: &str, report: &mut impl FnMut(ProbeResult)) {
    let mut attempts = Attempts::of(probe, base);
    let (mut passed, mut failed) = (0, 0);
    attempts.period = attempts.period.min(FIRST_READINESS_PERIOD);
    loop {
        if attempts.next().await.is_ok() {
            attempts.period = period(probe);
            (passed, failed) = (passed + 1, 0);
            if passed >= probe.success_threshold.unwrap_or(1).max(1) {
                report(ProbeResult { ready: true, started: true });
            }
        } else {
            (passed, failed) = (0, failed + 1);
            if failed >= failures(probe) {
                report(ProbeResult { ready: false, started: true });
            }
        }
    }
}

/// One attempt. HTTP passes with status 200 to 399, TCP with a connection.
async fn attempt(probe: &Probe, base: &str) -> Result<(), String> {
    let limit = seconds(probe.timeout_seconds, 1);
    if let Some(get) = &probe.http_get {
        let path = get.path.as_deref().unwrap_or("/");
        return match http::get(&format!("{base}/{}", path.trim_start_matches('/')), limit).await {
            Ok((200..400, _)) => Ok(()),
            Ok((status, body)) => Err(format!("HTTP status {status}: {body}")),
            Err(error) => Err(error.to_string()),
        };
    }
    let address = base.trim_start_matches("http://");
    match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no connection within {limit:?}")),
    }
}
