//! What Glue starts and stops.

use std::sync::Arc;

use super::bounds::ADOPTED_LONG_AGO;
use super::{Checks, Property};
use crate::api::run::{DeletionPolicy, Phase, RunStatus, StopCause};
use crate::controllers::run::waiting::waits_for;
use crate::controllers::runtime::queue::Cause;
use crate::simulation::cluster::{Cluster, Object};
use crate::simulation::glue::Glue;
use crate::simulation::scenario::Scenario;
use crate::simulation::time::{Ms, timestamp};

/// A stop that Glue has accepted.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Whether the object that asked for it was being deleted.
    by_deletion: bool,
}

impl Checks {
    /// Glue has started a run.
    pub fn started(&mut self, now: Ms, glue: &Glue, cluster: &Cluster, scenario: &Scenario, id: &str) {
        self.now = now;
        self.oldest_first(glue, cluster, scenario, id);
        let Some(run) = glue.runs.iter().find(|run| run.id == id) else { return };
        let others =
            glue.runs.iter().filter(|other| other.id != run.id && other.job == run.job && other.base() == run.base());
        for other in others {
            let stopped = other.stop.is_some() || self.left_behind.contains(&other.id);
            let about = [self.names[run.plan].clone(), self.names[other.plan].clone()];
            if other.key == run.key && !stopped {
                return self.flag(
                    Property::StartedOnce,
                    &about,
                    format!("{} and {} are both attempt {}", other.id, run.id, run.key),
                );
            }
            if other.is_live(now) && !stopped {
                let what = format!("{} ({}) is live, and {} ({}) is started", other.id, other.key, run.id, run.key);
                return self.flag(Property::StartedOnce, &about, what);
            }
        }
        let own = (run.client, run.job.clone());
        self.passed.remove(&own);
        let waiting = self.passed.iter_mut().filter(|((_, job), _)| *job == run.job);
        let mut starved = None;
        for ((client, _), (starts, name)) in waiting {
            *starts += 1;
            self.worst_passed = self.worst_passed.max(*starts);
            if *starts > super::bounds::PASSED_BY {
                starved = Some((*client, *starts, name.clone()));
            }
        }
        if let Some((client, starts, name)) = starved {
            let what =
                format!("client {client} waits for a place of {} while others start {starts} runs of it", run.job);
            self.flag(Property::FairShares, &[name], what);
        }
    }

    /// No object of the client that has waited for the job for a while is older than the one that starts.
    fn oldest_first(&mut self, glue: &Glue, cluster: &Cluster, scenario: &Scenario, id: &str) {
        let Some(run) = glue.runs.iter().find(|run| run.id == id) else { return };
        let Some(started) = cluster.get(&self.names[run.plan]) else { return };
        let is_first = |object: &&Arc<Object>| {
            let client = scenario.tenants[scenario.plans[object.plan].tenant].client;
            let waits = waits_for(&object.status) == Some(Cause::ConcurrentRuns);
            let for_a_while = object
                .status
                .condition("Ready")
                .is_some_and(|ready| timestamp(self.now).duration_since(ready.last_transition_time.0).as_secs() > 30);
            object.target == run.job
                && client == run.client
                && object.created() < started.created()
                && waits
                && for_a_while
                && self.is_ready(object, self.now, cluster, glue, scenario)
        };
        if let Some(older) = cluster.objects().find(is_first) {
            let what = format!("{} is started, and the older {} waits for the same job", started.name.1, older.name.1);
            let about = [older.name.clone(), started.name.clone()];
            self.flag(Property::OldestFirst, &about, what);
        }
    }

    /// Glue has accepted a stop that the object of `plan` asked for.
    pub fn stopped(&mut self, now: Ms, glue: &Glue, cluster: &Cluster, id: &str, plan: Option<usize>) {
        self.now = now;
        let Some(plan) = plan else { return };
        let asker = cluster.get(&self.names[plan]);
        let by_deletion = asker.is_none_or(|object| object.is_deleting());
        self.stops.entry(id.to_owned()).or_default().push(Stop { by_deletion });
        let is_live = glue.runs.iter().any(|run| run.id == id && run.stop.is_some_and(|(accepted, _)| accepted == now));
        if !by_deletion || !is_live {
            return;
        }
        let wants = |object: &Object| {
            let since = self.adopted.get(&(object.uid().to_owned(), id.to_owned()));
            let attempt = object.status.attempt().filter(|attempt| attempt.id.as_deref() == Some(id));
            object.plan != plan
                && attempt.is_some_and(|attempt| attempt.stop_cause.is_none())
                && since.is_some_and(|since| *since + ADOPTED_LONG_AGO < now)
                && !object.is_deleting()
                && !object.is_finished()
                && object.policy.stop != Some(true)
                && object.policy.suspend != Some(true)
        };
        if let Some(other) = cluster.objects().find(|object| wants(object)) {
            let what = format!("the deletion of {} stops {id}, which {} wants", self.names[plan].1, other.name.1);
            let about = [other.name.clone(), self.names[plan].clone()];
            self.flag(Property::OthersRunsGoOn, &about, what);
        }
    }

    /// A status was written: whether it is right.
    pub(super) fn status_is_right(&mut self, now: Ms, object: &Object, before: &RunStatus, after: &RunStatus) {
        self.now = now;
        let Some(attempt) = after.attempt() else { return };
        if let Some(id) = &attempt.id
            && before.attempt().and_then(|before| before.id.as_ref()) != Some(id)
        {
            self.adopted.insert((object.uid().to_owned(), id.clone()), now);
        }
        let ends_stopped = after.phase == Some(Phase::Stopped) && before.phase != Some(Phase::Stopped);
        let wanted = object.policy.stop == Some(true)
            || object.policy.suspend == Some(true)
            || object.is_deleting()
            || attempt.stop_cause == Some(StopCause::StopRequested);
        let stops = attempt.id.as_ref().and_then(|id| self.stops.get(id));
        let by_deletion = stops.is_some_and(|stops| stops.iter().all(|stop| stop.by_deletion));
        if ends_stopped && !wanted && by_deletion {
            let what =
                format!("it ends as Stopped with {:?}, which only another object's deletion stopped", attempt.id);
            self.flag(Property::WorkIsDone, std::slice::from_ref(&object.name), what);
        }
    }

    /// An object is gone.
    pub fn gone(&mut self, now: Ms, object: &Object, glue: &Glue, cluster: &Cluster) {
        self.now = now;
        let Some(id) = object.status.attempt().and_then(|attempt| attempt.id.clone()) else { return };
        let Some(run) = glue.runs.iter().find(|run| run.id == id) else { return };
        let may_go_on = object.policy.deletion_policy == Some(DeletionPolicy::Orphan)
            || object.status.attempt().is_some_and(|attempt| attempt.adopted)
            || self.left_behind.contains(&id)
            || self.stops.contains_key(&id);
        let has = |other: &&std::sync::Arc<Object>| {
            other.status.attempts.iter().any(|attempt| attempt.id.as_deref() == Some(&id))
        };
        if run.is_live(now) && run.stop.is_none() && !may_go_on && cluster.objects().find(has).is_none() {
            let what = format!("{id} goes on, and the last object that wanted it is gone");
            self.flag(Property::NothingIsForgotten, std::slice::from_ref(&object.name), what);
        }
    }
}
