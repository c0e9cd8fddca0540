//! What the worlds of a campaign cost.

use std::fmt;

use serde_json::json;

use super::checks::Checks;
use super::glue::Glue;
use super::time::{Ms, SECOND};

/// The figures of one world, or of several together.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub seeds: u64,
    /// Events.
    pub steps: u64,
    pub passes: u64,
    pub objects: u64,
    pub starts: u64,
    pub writes: u64,
    pub calls: u64,
    /// Virtual time.
    pub time: Ms,
    /// The longest time for which a ready object waited beside a free place, until a start was tried.
    pub worst_idle: Ms,
    /// The longest time from the end of a run until its object says so.
    pub worst_lag: Ms,
    /// The most starts of others that passed a tenant by.
    pub worst_passed: u64,
    pub worst_writes: u64,
    /// The longest time from the end of the faults until everybody had settled.
    pub settled_after: Ms,
}

impl Figures {
    /// The world has ended.
    pub fn close(&mut self, glue: &Glue, checks: &Checks, now: Ms) {
        self.seeds = 1;
        self.time = now;
        self.calls = glue.calls.values().sum();
        self.worst_idle = checks.worst_idle;
        self.worst_lag = checks.worst_lag;
        self.worst_passed = checks.worst_passed;
        self.worst_writes = checks.worst_writes;
        self.settled_after = checks.settled_after;
    }

    /// The line for `cargo prove`, whose test bed has its form: this program does not depend on it.
    pub(super) fn proof(&self, found: usize) -> String {
        let detail = format!("{} objects, {} events", self.objects, self.steps);
        let proof = json!({ "amount": self.seeds, "unit": "seeds", "detail": detail, "found": found });
        format!("proof: {proof}")
    }

    /// Adds another world.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.passes += other.passes;
        self.objects += other.objects;
        self.starts += other.starts;
        self.writes += other.writes;
        self.calls += other.calls;
        self.time += other.time;
        self.worst_idle = self.worst_idle.max(other.worst_idle);
        self.worst_lag = self.worst_lag.max(other.worst_lag);
        self.worst_passed = self.worst_passed.max(other.worst_passed);
        self.worst_writes = self.worst_writes.max(other.worst_writes);
        self.settled_after = self.settled_after.max(other.settled_after);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seeds               {}", self.seeds)?;
        writeln!(f, "virtual hours       {}", self.time / SECOND / 3600)?;
        writeln!(f, "steps               {}", self.steps)?;
        writeln!(f, "passes              {}", self.passes)?;
        writeln!(f, "objects             {}", self.objects)?;
        writeln!(f, "runs started        {}", self.starts)?;
        writeln!(f, "calls to Glue       {}", self.calls)?;
        writeln!(f, "writes              {}", self.writes)?;
        writeln!(f, "most writes         {} to one object", self.worst_writes)?;
        writeln!(f, "worst wait          {} s beside a free place", self.worst_idle / SECOND)?;
        writeln!(f, "worst lag           {} s from the end of a run to its status", self.worst_lag / SECOND)?;
        writeln!(f, "fairness            {} starts of others at most pass a tenant by", self.worst_passed)?;
        write!(f, "settled             {} s after the last fault at most", self.settled_after / SECOND)
    }
}
