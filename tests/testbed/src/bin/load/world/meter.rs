//! Reads memory, CPU time and connections of the controller, through its restarts.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use kube_glue_testbed::{Error, Kubelet};

use super::{
    is_controller,
    process::{self, Usage},
};
use crate::error::LoadError;

/// The interval between two readings.
const INTERVAL: Duration = Duration::from_millis(200);
/// How many readings are kept, to see when the controller came to rest.
const KEPT: usize = 3000;

/// What was read since the last [`Meter::reset`].
#[derive(Debug, Default)]
struct Readings {
    /// The last reading of each process.
    processes: BTreeMap<u32, Usage>,
    /// CPU time of processes before the reset.
    cpu_before: f64,
    peak: f64,
    connections: usize,
    /// The CPU time of all processes at some times.
    history: VecDeque<(Instant, f64)>,
}

impl Readings {
    fn cpu(&self) -> f64 {
        self.processes.values().map(|usage| usage.cpu).sum()
    }
}

/// Reads until it is dropped, on a thread of its own, so that a busy runtime delays no reading.
#[derive(Debug)]
pub(crate) struct Meter {
    readings: Arc<Mutex<Readings>>,
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Meter {
    /// `port` is the API server's.
    pub(crate) fn start(kubelet: Arc<Kubelet>, port: u16) -> Result<Self, LoadError> {
        let readings = Arc::<Mutex<Readings>>::default();
        let stop = Arc::<AtomicBool>::default();
        let thread = thread::Builder::new()
            .name("meter".to_owned())
            .spawn({
                let (readings, stop) = (Arc::clone(&readings), Arc::clone(&stop));
                move || {
                    while !stop.load(Ordering::Relaxed) {
                        read(&kubelet, port, &readings);
                        thread::sleep(INTERVAL);
                    }
                }
            })
            .map_err(Error::io("starting the meter"))?;
        Ok(Self { readings, stop, thread: Some(thread) })
    }

    /// Begins anew: peaks and CPU time count from here.
    pub(crate) fn reset(&self, pid: Option<u32>) {
        if let Some(pid) = pid {
            process::reset_peak(pid);
        }
        let mut readings = lock(&self.readings);
        readings.cpu_before = readings.cpu();
        readings.peak = 0.0;
        readings.connections = 0;
    }

    /// The controller's CPU seconds since the reset.
    pub(crate) fn cpu(&self) -> f64 {
        let readings = lock(&self.readings);
        readings.cpu() - readings.cpu_before
    }

    /// The most memory since the reset, in MiB.
    pub(crate) fn peak(&self) -> f64 {
        lock(&self.readings).peak
    }

    /// The most connections to the API server at a time since the reset.
    pub(crate) fn connections(&self) -> usize {
        lock(&self.readings).connections
    }

    /// When the controller came to rest after `began`: from then on it used less than `part` of a core for `lasting`.
    /// None while it has not.
    pub(crate) fn at_rest_since(&self, began: Instant, part: f64, lasting: Duration) -> Option<Instant> {
        let history: Vec<_> = lock(&self.readings).history.iter().copied().filter(|(at, _)| *at >= began).collect();
        let (last, _) = *history.last()?;
        let busy = history.windows(2).rev().find(|pair| {
            let [(from, before), (to, after)] = [pair[0], pair[1]];
            after - before > part * (to - from).as_secs_f64()
        });
        let since = busy.map_or(history[0].0, |pair| pair[1].0);
        (last - since >= lasting).then_some(since)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed already.
            let _ = thread.join();
        }
    }
}

fn lock(readings: &Mutex<Readings>) -> MutexGuard<'_, Readings> {
    readings.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read(kubelet: &Kubelet, port: u16, readings: &Mutex<Readings>) {
    let ours = kubelet.pods().into_iter().filter(is_controller);
    let running: Vec<_> = ours.flat_map(|pod| pod.containers.into_values()).filter_map(|one| one.pid).collect();
    let usages: Vec<_> = running.iter().filter_map(|pid| Some((*pid, process::usage(*pid)?))).collect();
    let connections: usize = running.iter().map(|pid| process::connections(*pid, port)).sum();
    let mut readings = lock(readings);
    for (pid, usage) in usages {
        readings.peak = readings.peak.max(usage.peak);
        readings.processes.insert(pid, usage);
    }
    readings.connections = readings.connections.max(connections);
    let cpu = readings.cpu();
    readings.history.push_back((Instant::now(), cpu));
    if readings.history.len() > KEPT {
        readings.history.pop_front();
    }
}
