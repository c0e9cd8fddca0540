//! What is counted.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    Settings,
    crowd::{Crowd, Ending},
    replicas::Points,
};
use crate::format_duration;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Counts {
    killed: AtomicUsize,
    at_points: AtomicUsize,
    exits: AtomicUsize,
    pauses: AtomicUsize,
    api_server: AtomicUsize,
    compactions: AtomicUsize,
    gone: AtomicUsize,
    jumps: AtomicUsize,
    outages: AtomicUsize,
    faults: AtomicU64,
    panics: Mutex<Vec<String>>,
}

fn add(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn get(counter: &AtomicUsize) -> usize {
    counter.load(Ordering::Relaxed)
}

impl Counts {
    pub(super) fn killed(&self) {
        add(&self.killed);
    }

    pub(super) fn ended_at_point(&self) {
        add(&self.at_points);
    }

    pub(super) fn exited(&self) {
        add(&self.exits);
    }

    pub(super) fn paused(&self) {
        add(&self.pauses);
    }

    pub(super) fn api_server_killed(&self) {
        add(&self.api_server);
    }

    pub(super) fn compacted(&self, watches_are_gone: bool) {
        add(&self.compactions);
        if watches_are_gone {
            add(&self.gone);
        }
    }

    pub(super) fn clock_jumped(&self) {
        add(&self.jumps);
    }

    pub(super) fn outage(&self) {
        add(&self.outages);
    }

    pub(super) fn faults(&self, hits: u64) {
        self.faults.store(hits, Ordering::Relaxed);
    }

    pub(super) fn panics(&self, lines: impl Iterator<Item = String>) {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    /// The kills, at random and at points.
    pub(super) fn kills(&self) -> usize {
        get(&self.killed) + get(&self.at_points)
    }

    /// How far it came.
    pub(super) fn line(&self, kills: usize, crowd: &Crowd<'_>, took: Duration) -> String {
        let endings = crowd.endings();
        format!(
            "{} of {kills} kills ({} at points), {} pauses, API server killed {} times, {} objects ended with {} starts, \
             {} found, {}",
            self.kills(),
            get(&self.at_points),
            get(&self.pauses),
            get(&self.api_server),
            endings.len(),
            crowd.starts(),
            endings.iter().filter(|ending| !ending.is_good()).count(),
            format_duration(took)
        )
    }
}

/// What a run has shown.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The kills.
    pub kills: usize,
    /// Those of them at points that are compiled in.
    pub kills_at_points: usize,
    /// The points, and the kills at the one with the fewest.
    pub points: (usize, usize),
    /// What else was done, in words.
    pub disturbances: String,
    /// The objects that lived, by kind.
    pub objects: BTreeMap<String, usize>,
    /// The starts that Glue has of them.
    pub starts: usize,
    /// Those that are not what they should be.
    pub bad: Vec<Ending>,
    /// What panicking controllers said.
    pub panics: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

pub(super) fn report(
    settings: &Settings,
    counts: &Counts,
    crowd: &Crowd<'_>,
    points: &Points,
    took: Duration,
) -> Report {
    let endings = crowd.endings();
    let mut objects = BTreeMap::<String, usize>::new();
    for ending in &endings {
        let kind = ending.life.split(' ').next().unwrap_or_default();
        *objects.entry(kind.to_owned()).or_default() += 1;
    }
    let disturbances = format!(
        "{} pauses across the lease, {} kills of the API server, {} compactions ({} with watches answered 410), \
         {} jumps of the clock, {} outages and {} faults of AWS, {} exits of replicas by themselves",
        get(&counts.pauses),
        get(&counts.api_server),
        get(&counts.compactions),
        get(&counts.gone),
        get(&counts.jumps),
        get(&counts.outages),
        counts.faults.load(Ordering::Relaxed),
        get(&counts.exits),
    );
    Report {
        seed: settings.seed,
        kills: counts.kills(),
        kills_at_points: get(&counts.at_points),
        points: points.figures(),
        disturbances,
        objects,
        starts: crowd.starts(),
        bad: endings.into_iter().filter(|ending| !ending.is_good()).collect(),
        panics: counts.panics.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        took,
    }
}
