//! The state changes of runs: start, slots and queue, end, stop, retry.

use std::sync::Arc;

use super::{JobRunState, Outcome, Run, RunNumber, Start};
use crate::{
    clock::Time,
    error::AwsError,
    glue::{Region, region::Event},
    wire::random_hex,
};

/// An event of a run. The number is the run's generation when the event was pushed.
#[derive(Clone, Debug)]
pub(in crate::glue) enum RunEvent {
    /// The resources are ready: RUNNING.
    Begin(RunNumber, u32),
    /// The run ends with its outcome or timeout.
    End(RunNumber, u32, End),
    /// STOPPING ends: STOPPED.
    Stopped(RunNumber, u32),
    /// The run was WAITING too long: EXPIRED.
    Expire(RunNumber, u32),
    /// Glue retries the run.
    Retry(RunNumber),
    /// A slot of a job becomes free.
    FreeSlot(Arc<Start>),
    /// A line of the run's log can be read: its index in the plan, and when it was written.
    Log(RunNumber, usize, Time),
}

/// Why a run ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::glue) enum End {
    /// By its plan.
    Planned,
    /// By its timeout, before the end of the plan.
    TimedOut,
}

/// What happens to a new run when all slots of its job are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::glue) enum WithoutSlot {
    /// The start is refused with `ConcurrentRunsExceededException`.
    Refuse,
    /// The run is FAILED: "the job exceeded its maximum allowed concurrent runs" (AWS Glue job run statuses). This
    /// happens to runs that a trigger starts.
    Fail,
}

impl Region {
    /// Starts a run, or queues it if queuing is enabled.
    pub(in crate::glue) fn start_run(
        &mut self,
        start: Start,
        previous: Option<RunNumber>,
        without_slot: WithoutSlot,
    ) -> Result<RunNumber, AwsError> {
        let job = self.job(&start.job).ok_or_else(|| missing_job(&start.job))?;
        let full = job.is_full();
        let queues = start.queuing.unwrap_or(false) && job.may_queue();
        if full && !queues && without_slot == WithoutSlot::Refuse {
            return Err(AwsError::modelled(
                "ConcurrentRunsExceededException",
                format!("Concurrent runs exceeded for {}", start.job),
            ));
        }
        let fresh: Arc<str> = format!("jr_{}", random_hex(64)).into();
        let (base_id, attempt, previous) = match previous.map(|number| self.runs.get(number)) {
            Some(before) => (before.base_id.clone(), before.attempt + 1, Some(before.id.clone())),
            None => (fresh, 0, None),
        };
        let start = Arc::new(start);
        let retries = start.retries;
        let number = self.add_run(start, base_id, attempt, previous, retries);
        if full && !queues {
            self.runs.get_mut(number).error = Some("Max concurrent runs exceeded".to_owned());
            self.finish(number, JobRunState::Failed);
        } else if full {
            let longest = self.runs.get(number).plan.longest_wait;
            self.set_state(number, JobRunState::Waiting);
            let generation = self.runs.get(number).generation;
            self.events.push(self.now() + longest, Event::Run(RunEvent::Expire(number, generation)));
            let start = self.runs.get(number).start.clone();
            if let Some(job) = self.job_of(&start) {
                job.waiting.push_back(number);
            }
        } else {
            self.take_slot_and_start(number);
        }
        Ok(number)
    }

    fn add_run(
        &mut self,
        start: Arc<Start>,
        base: Arc<str>,
        mut attempt: u32,
        previous: Option<Arc<str>>,
        retries_left: u32,
    ) -> RunNumber {
        let now = self.now();
        let job_name = start.job.clone();
        let no_arguments = std::collections::BTreeMap::new();
        let arguments = start.arguments.as_ref().unwrap_or(&no_arguments);
        let plan =
            self.job_mut(&job_name).map(|job| job.script.next(&mut job.plans_used, arguments)).unwrap_or_default();
        let mut id = base.clone();
        if attempt > 0 {
            id = attempt_id(&base, attempt);
            while self.runs.by_id.contains_key(&id) {
                attempt += 1;
                id = attempt_id(&base, attempt);
            }
        }
        let origin = start.origin;
        let number = self.runs.add(Run {
            id,
            base_id: base,
            attempt,
            previous,
            start,
            plan,
            state: JobRunState::Starting,
            history: Vec::with_capacity(4),
            started_on: now,
            modified_on: now,
            completed_on: None,
            running_since: None,
            error: None,
            holds_slot: false,
            generation: 0,
            retries_left,
        });
        if let Some(job) = self.job_mut(&job_name) {
            job.runs.push(number);
        }
        if let Some(origin) = origin {
            self.workflows.on_job_run(origin, number);
        }
        number
    }

    fn take_slot_and_start(&mut self, number: RunNumber) {
        let start = self.runs.get(number).start.clone();
        if let Some(job) = self.job_of(&start) {
            job.slots_taken += 1;
        }
        self.runs.get_mut(number).holds_slot = true;
        self.begin_starting(number);
    }

    fn begin_starting(&mut self, number: RunNumber) {
        self.set_state(number, JobRunState::Starting);
        let run = self.runs.get(number);
        let event = RunEvent::Begin(number, run.generation);
        self.events.push(self.now() + run.plan.starting, Event::Run(event));
    }

    fn set_state(&mut self, number: RunNumber, state: JobRunState) {
        let now = self.now();
        let run = self.runs.get_mut(number);
        run.state = state;
        run.modified_on = now;
        run.history.push((now, state));
    }

    pub(in crate::glue) fn run_event(&mut self, event: RunEvent) {
        match event {
            RunEvent::Begin(number, generation) if self.is_current(number, generation) => {
                self.begin_running(number);
            }
            RunEvent::End(number, generation, end) if self.is_current(number, generation) => {
                self.end(number, end);
            }
            RunEvent::Stopped(number, generation) if self.is_current(number, generation) => {
                self.finish(number, JobRunState::Stopped);
            }
            RunEvent::Expire(number, generation) if self.is_current(number, generation) => {
                self.leave_queue(number);
                self.finish(number, JobRunState::Expired);
            }
            RunEvent::Retry(number) => self.retry(number),
            RunEvent::FreeSlot(start) => self.free_slot(&start),
            RunEvent::Log(number, line, written) => self.write_log_line(number, line, written),
            _ => {}
        }
    }

    fn is_current(&self, number: RunNumber, generation: u32) -> bool {
        self.runs.get(number).generation == generation
    }

    fn begin_running(&mut self, number: RunNumber) {
        let now = self.now();
        self.set_state(number, JobRunState::Running);
        for (index, line) in self.runs.get(number).plan.logs.iter().enumerate() {
            let written = now + line.at;
            self.events.push(written + line.delay, Event::Run(RunEvent::Log(number, index, written)));
        }
        let run = self.runs.get_mut(number);
        run.running_since = Some(now);
        let timeout = run.start.timeout.map(|minutes| now + std::time::Duration::from_mins(u64::from(minutes)));
        let planned = (run.plan.outcome != Outcome::Never).then(|| now + run.plan.running);
        let (at, end) = match (planned, timeout) {
            (Some(planned), Some(timeout)) if timeout < planned => (timeout, End::TimedOut),
            (Some(planned), _) => (planned, End::Planned),
            (None, Some(timeout)) => (timeout, End::TimedOut),
            (None, None) => return,
        };
        let event = RunEvent::End(number, run.generation, end);
        self.events.push(at, Event::Run(event));
    }

    fn end(&mut self, number: RunNumber, end: End) {
        let run = self.runs.get_mut(number);
        let (state, error) = match (end, &run.plan.outcome) {
            (End::TimedOut, _) | (_, Outcome::Timeout | Outcome::Never) => (JobRunState::Timeout, None),
            (End::Planned, Outcome::Succeeded) => (JobRunState::Succeeded, None),
            (End::Planned, Outcome::Failed(message)) => (JobRunState::Failed, Some(message.clone())),
            (End::Planned, Outcome::Error(message)) => (JobRunState::Error, Some(message.clone())),
        };
        run.error = error;
        self.finish(number, state);
    }

    fn finish(&mut self, number: RunNumber, state: JobRunState) {
        let now = self.now();
        self.set_state(number, state);
        let run = self.runs.get_mut(number);
        run.completed_on = Some(now);
        run.generation += 1;
        // "Jobs that reach the timeout limit are not restarted" (Number of retries, Adding jobs in AWS Glue).
        // Stopped runs are not either.
        let again = state == JobRunState::Failed && run.retries_left > 0 && run.holds_slot;
        if again {
            // The next attempt takes over the slot.
            let at = now + run.plan.retry_after;
            self.events.push(at, Event::Run(RunEvent::Retry(number)));
            return;
        }
        if run.holds_slot {
            run.holds_slot = false;
            let at = now + run.plan.slot_lag;
            let event = RunEvent::FreeSlot(run.start.clone());
            self.events.push(at, Event::Run(event));
        }
        self.run_ended(number);
    }

    fn retry(&mut self, failed: RunNumber) {
        let run = self.runs.get_mut(failed);
        run.holds_slot = false;
        let (start, base, attempt, id) = (run.start.clone(), run.base_id.clone(), run.attempt + 1, run.id.clone());
        let retries_left = run.retries_left.saturating_sub(1);
        if self.job_of(&start).is_none() {
            return;
        }
        let number = self.add_run(start, base, attempt, Some(id), retries_left);
        self.runs.get_mut(number).holds_slot = true;
        self.begin_starting(number);
    }

    fn free_slot(&mut self, start: &Start) {
        let Some(job) = self.job_of(start) else {
            return;
        };
        job.slots_taken = job.slots_taken.saturating_sub(1);
        if job.is_full() {
            return;
        }
        if let Some(next) = job.waiting.pop_front() {
            self.runs.get_mut(next).generation += 1;
            self.take_slot_and_start(next);
        }
    }

    fn leave_queue(&mut self, number: RunNumber) {
        let start = self.runs.get(number).start.clone();
        if let Some(job) = self.job_of(&start) {
            job.waiting.retain(|waiting| *waiting != number);
        }
    }

    /// Stops a run: STOPPING at once, STOPPED after the plan's time.
    pub(in crate::glue) fn stop_run(&mut self, number: RunNumber) -> Result<(), AwsError> {
        let run = self.runs.get(number);
        match run.state {
            JobRunState::Stopping => return Ok(()),
            JobRunState::Waiting => self.leave_queue(number),
            state if state.is_final() => {
                return Err(AwsError::modelled(
                    "JobRunInTerminalStateException",
                    format!("Job run {} is in a terminal state: {}", run.id, state.as_str()),
                ));
            }
            _ => {}
        }
        self.set_state(number, JobRunState::Stopping);
        let run = self.runs.get_mut(number);
        run.generation += 1;
        let event = RunEvent::Stopped(number, run.generation);
        let at: Time = run.modified_on + run.plan.stopping;
        self.events.push(at, Event::Run(event));
        Ok(())
    }
}

/// The error of `StartJobRun` for a job that does not exist.
pub(in crate::glue) fn missing_job(_job: &str) -> AwsError {
    AwsError::not_found("Failed to start job run due to missing metadata.")
}

fn attempt_id(base: &str, attempt: u32) -> Arc<str> {
    format!("{base}_attempt_{attempt}").into()
}
