//! Jobs and their runs.

use super::episode::{Operation, Refusal};
use std::collections::BTreeMap;

use super::{Caller, ClientId, Glue};
use crate::glue::ErrorKind;
use crate::glue::job_runs::{JobRun, JobRunState, parse_attempt_key};
use crate::simulation::time::{Ms, Random, SECOND, timestamp};

/// How many runs a page shows. Glue shows 200; fewer let small worlds have deep lists.
pub const PAGE: usize = 8;

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// `MaxConcurrentRuns`.
    pub places: usize,
    /// How long the place of a run that has ended stays taken.
    pub frees_late: Ms,
    /// How its runs go.
    pub course: Course,
    /// The runs, oldest first, by their numbers.
    pub runs: Vec<usize>,
    pub random: Random,
    /// When each client last tried a start.
    pub tried: BTreeMap<ClientId, Ms>,
}

/// How the runs of a job go.
#[derive(Clone, Debug)]
pub struct Course {
    /// The shortest and the longest run.
    pub lasts: (Ms, Ms),
    pub fails: f64,
    /// How likely a stop is accepted and has no effect, the first time.
    pub lies: f64,
    /// How likely a run stays in STOPPING, and until when.
    pub sticks: f64,
    pub stuck_until: Ms,
    /// How long after its start a run may be missing in lists.
    pub shown_late: Ms,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    pub id: String,
    pub job: String,
    /// What its start carried: `base/number`.
    pub key: String,
    pub client: usize,
    /// The plan of the object that started it.
    pub plan: usize,
    pub begun: Ms,
    pub shown: Ms,
    pub running: Ms,
    pub ends: Ms,
    pub outcome: JobRunState,
    /// When Glue accepted a stop that has an effect, and when the run is stopped by it.
    pub stop: Option<(Ms, Ms)>,
    /// Whether the next stop has no effect.
    pub next_stop_lies: bool,
    /// Whether it stays in STOPPING.
    pub sticks: bool,
}

impl Run {
    pub fn state(&self, now: Ms) -> JobRunState {
        match self.stop {
            Some((_, stopped)) if now >= stopped => JobRunState::Stopped,
            Some((accepted, _)) if now >= accepted => JobRunState::Stopping,
            _ if now >= self.ends => self.outcome.clone(),
            _ if now < self.running => JobRunState::Starting,
            _ => JobRunState::Running,
        }
    }

    /// When it ends, if it is left alone from now on.
    pub fn ended(&self) -> Ms {
        self.stop.map_or(self.ends, |(_, stopped)| stopped)
    }

    pub fn is_live(&self, now: Ms) -> bool {
        now < self.ended()
    }

    /// The key without the number of the attempt.
    pub fn base(&self) -> &str {
        parse_attempt_key(&self.key).map_or(self.key.as_str(), |(base, _)| base)
    }

    fn show(&self, now: Ms) -> JobRun {
        let state = self.state(now);
        let ended = state.is_final().then(|| timestamp(self.ended()));
        let started_on = Some(timestamp(self.begun));
        JobRun { started_on, completed_on: ended, ..JobRun::fixture(&self.id, state) }
    }
}

/// A run as Glue shows it, with its key.
pub type Listed = (JobRun, String);

impl Glue {
    /// How many of the job's places are free.
    pub fn free_places(&self, job: &Job, now: Ms) -> usize {
        let taken = job.runs.iter().filter(|run| now < self.runs[**run].ended() + job.frees_late).count();
        job.places.saturating_sub(taken)
    }

    /// `StartJobRun`: the id of the run.
    pub fn start_job_run(&mut self, now: Ms, who: &Caller, job: &str, key: &str) -> Result<String, ErrorKind> {
        if let Some(job) = self.jobs.get_mut(job) {
            job.tried.insert(who.client, now);
        }
        self.admit(now, who, Operation::Start, job)?;
        if self.is_gone(now, who, job) {
            return Err(ErrorKind::NotFound);
        }
        match self.refusal(now, who, Operation::Start, job) {
            Some(Refusal::Quota) => return Err(ErrorKind::LimitExceeded),
            Some(Refusal::Invalid) => return Err(ErrorKind::Invalid),
            _ => {}
        }
        let entry = self.jobs.get(job).ok_or(ErrorKind::NotFound)?;
        if self.free_places(entry, now) == 0 {
            return Err(ErrorKind::Busy);
        }
        let number = self.runs.len();
        let entry = self.jobs.get_mut(job).ok_or(ErrorKind::NotFound)?;
        let (random, course) = (&mut entry.random, &entry.course);
        let running = now + random.between(SECOND, 8 * SECOND);
        let run = Run {
            id: format!("jr_{number}"),
            job: job.to_owned(),
            key: key.to_owned(),
            client: who.client,
            plan: who.plan.unwrap_or_default(),
            begun: now,
            shown: now + random.between(0, course.shown_late),
            running,
            ends: running + random.between(course.lasts.0, course.lasts.1),
            outcome: if random.chance(course.fails) { JobRunState::Failed } else { JobRunState::Succeeded },
            stop: None,
            next_stop_lies: random.chance(course.lies),
            sticks: random.chance(course.sticks),
        };
        let id = run.id.clone();
        entry.runs.push(number);
        self.runs.push(run);
        Ok(id)
    }

    /// `BatchStopJobRun` of one run. Whether it was live.
    pub fn stop_job_run(&mut self, now: Ms, who: &Caller, job: &str, id: &str) -> Result<bool, ErrorKind> {
        self.admit(now, who, Operation::Stop, job)?;
        if self.is_gone(now, who, job) {
            return Ok(false);
        }
        let stuck_until = self.jobs.get(job).map_or(0, |job| job.course.stuck_until);
        let Some(run) = self.runs.iter_mut().find(|run| run.id == id && run.job == job) else { return Ok(false) };
        if !run.is_live(now) || run.stop.is_some() {
            return Ok(false);
        }
        if std::mem::take(&mut run.next_stop_lies) {
            return Ok(true);
        }
        let stopped = now + 5 * SECOND;
        run.stop = Some((now, if run.sticks { stopped.max(stuck_until) } else { stopped }));
        Ok(true)
    }

    /// `GetJobRuns`: a page, newest first, and whether there is another one.
    pub fn job_runs(
        &mut self,
        now: Ms,
        who: &Caller,
        job: &str,
        page: usize,
    ) -> Result<(Vec<Listed>, bool), ErrorKind> {
        self.admit(now, who, Operation::List, job)?;
        if self.is_gone(now, who, job) {
            return Err(ErrorKind::NotFound);
        }
        let runs = &self.jobs.get(job).ok_or(ErrorKind::NotFound)?.runs;
        let mut shown = runs.iter().rev().map(|run| &self.runs[*run]).filter(|run| run.shown <= now).skip(page * PAGE);
        let listed = shown.by_ref().take(PAGE).map(|run| (run.show(now), run.key.clone())).collect();
        Ok((listed, shown.next().is_some()))
    }

    /// `GetJob`: `MaxConcurrentRuns`.
    pub fn job(&mut self, now: Ms, who: &Caller, job: &str) -> Result<usize, ErrorKind> {
        self.admit(now, who, Operation::GetTarget, job)?;
        if self.is_gone(now, who, job) {
            return Err(ErrorKind::NotFound);
        }
        self.jobs.get(job).map(|job| job.places).ok_or(ErrorKind::NotFound)
    }

    /// `GetJobRun`.
    pub fn job_run(&mut self, now: Ms, who: &Caller, job: &str, id: &str) -> Result<Listed, ErrorKind> {
        self.admit(now, who, Operation::Get, job)?;
        if self.is_gone(now, who, job) {
            return Err(ErrorKind::NotFound);
        }
        let is_shown = |run: &Run| run.shown <= now;
        let run = self.runs.iter().find(|run| run.id == id && is_shown(run));
        run.map(|run| (run.show(now), run.key.clone())).ok_or(ErrorKind::NotFound)
    }

    /// Whether the job or crawler is deleted.
    pub fn is_gone(&self, now: Ms, who: &Caller, target: &str) -> bool {
        let account = self.clients[who.client];
        let gone = self.episodes.iter().filter(|episode| episode.refusal == Refusal::TargetGone);
        gone.into_iter().any(|episode| episode.refuses(now, account, who, Operation::Stop, target))
    }
}
