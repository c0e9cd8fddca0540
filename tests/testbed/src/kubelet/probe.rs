//! Startup, liveness and readiness probes, with their periods and thresholds, against the one address that
//! the process serves.
//!
//! In two things this differs from a real kubelet, which is slower to see a container start: liveness is
//! first probed one period after the start, and readiness, until it passes for the first time, every
//! [`EAGER`], so that nobody waits a period for a process that took a moment to listen.

use std::time::Duration;

use futures::future::{OptionFuture, pending};
use k8s_openapi::api::core::v1::{Container, Probe};
use tokio::{
    net::TcpStream,
    time::{Instant, sleep_until, timeout},
};

use crate::http;

/// How often readiness is probed until it passes for the first time.
const EAGER: Duration = Duration::from_millis(100);

/// What the probes say at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) ready: bool,
    pub(super) started: bool,
}

/// Probes until the container has to be ended, and says why; `tell` hears each verdict.
pub(super) async fn run(container: &Container, base: &str, mut tell: impl FnMut(Verdict)) -> String {
    if let Some(startup) = &container.startup_probe
        && let Err(why) = startup_passes(startup, base).await
    {
        return format!("startup probe failed: {why}");
    }
    tell(Verdict { ready: container.readiness_probe.is_none(), started: true });
    let readiness = container.readiness_probe.as_ref();
    let liveness = container.liveness_probe.as_ref();
    tokio::select! {
        why = or_never(liveness.map(|probe| until_failed(probe, base))) => {
            format!("liveness probe failed: {why}")
        }
        () = or_never(readiness.map(|probe| follow(probe, base, &mut tell))) => String::new(),
    }
}

async fn or_never<T>(future: Option<impl Future<Output = T>>) -> T {
    match OptionFuture::from(future).await {
        Some(output) => output,
        None => pending().await,
    }
}

/// Each try of a probe in its period, from its initial delay on.
struct Tries<'a> {
    probe: &'a Probe,
    base: &'a str,
    next: Instant,
    period: Duration,
}

impl<'a> Tries<'a> {
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

async fn startup_passes(probe: &Probe, base: &str) -> Result<(), String> {
    let mut tries = Tries::of(probe, base);
    let mut failed = 0;
    loop {
        match tries.next().await {
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

async fn until_failed(probe: &Probe, base: &str) -> String {
    let mut tries = Tries::of(probe, base);
    tries.next += tries.period;
    let mut failed = 0;
    loop {
        match tries.next().await {
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

/// Readiness: it comes and goes.
async fn follow(probe: &Probe, base: &str, tell: &mut impl FnMut(Verdict)) {
    let mut tries = Tries::of(probe, base);
    let (mut passed, mut failed) = (0, 0);
    tries.period = tries.period.min(EAGER);
    loop {
        if tries.next().await.is_ok() {
            tries.period = period(probe);
            (passed, failed) = (passed + 1, 0);
            if passed >= probe.success_threshold.unwrap_or(1).max(1) {
                tell(Verdict { ready: true, started: true });
            }
        } else {
            (passed, failed) = (0, failed + 1);
            if failed >= failures(probe) {
                tell(Verdict { ready: false, started: true });
            }
        }
    }
}

/// One try: HTTP passes with 200 to 399, TCP with a connection.
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
