//! Firings and the runs that they started, for lineage. Pure.
//!
//! Glue has no id of a firing: it is identified by its object, its value and the time at which its intent was recorded.

use crate::api::GlueTrigger;
use crate::api::trigger::{Firing, GlueTriggerStatus, Started, Target as Fired, TargetKind};
use crate::controllers::runtime::lineage::origin::Origin;
use crate::glue::triggers::RunSummary;
use crate::glue::triggers::source::TriggerItem;
use crate::lineage::progress::{End, Stage};
use crate::lineage::run::{JobKind, ParentRun, RunSight, Target};

/// The firings of the object, each followed by the runs that it started.
pub(super) fn runs(object: &GlueTrigger, related: &[TriggerItem]) -> Vec<RunSight> {
    let Some(status) = &object.status else { return Vec::new() };
    let origin = Origin::of(object);
    let observed: Vec<RunSummary> = related.iter().filter_map(TriggerItem::run).collect();
    let mut runs = Vec::new();
    for firing in firings(status) {
        let Some(fired_at) = firing.fired_at.as_ref().map(|at| at.0) else { continue };
        let target = Target::new(JobKind::Trigger, &object.spec.trigger_name);
        let id = format!("{FIRING}{}{}", origin.object, suffix(firing));
        let (reached, state) = match &firing.ended_at {
            None => (Stage::Running, "FIRED"),
            Some(_) if firing.started.iter().any(|run| run.failed) => (Stage::Ended(End::Fail), "COMPLETED"),
            Some(_) => (Stage::Ended(End::Complete), "COMPLETED"),
        };
        let parent = ParentRun::Glue { target: target.clone(), id: id.clone(), root: origin.outer.clone() };
        let started = firing.started.iter().filter_map(|run| {
            let observed = observed.iter().find(|observed| observed.id == run.id);
            let sight = match observed {
                Some(observed) => RunSight {
                    started: observed.started_on,
                    ended: observed.ended_on.filter(|_| observed.ended),
                    message: observed.failure.clone(),
                    ..sight(run, &observed.state, observed.failure.is_some())
                },
                // It had ended when it was found, and no poll shows its times.
                None if run.ended => RunSight {
                    started: Some(fired_at),
                    ended: firing.ended_at.as_ref().map(|at| at.0),
                    message: run.message.clone(),
                    ..sight(run, run.state.as_deref().unwrap_or_default(), run.failed)
                },
                None => return None,
            };
            Some(RunSight { parent: Some(parent.clone()), ..sight })
        });
        let started: Vec<_> = started.collect();
        runs.push(origin.mark_own(RunSight {
            started: Some(fired_at),
            ended: firing.ended_at.as_ref().map(|at| at.0),
            ..RunSight::new(target, id, state, reached)
        }));
        runs.extend(started);
    }
    runs
}

/// Whether the status has the end of a firing, or of a run that one started.
pub(super) fn has_ended(status: &GlueTriggerStatus, run: &str) -> bool {
    firings(status).any(|firing| {
        firing.started.iter().any(|started| started.ended && started.id == run)
            || firing.ended_at.is_some() && run.starts_with(FIRING) && run.ends_with(&suffix(firing))
    })
}

fn firings(status: &GlueTriggerStatus) -> impl Iterator<Item = &Firing> {
    status.earlier_firings.iter().chain(&status.last_firing)
}

/// What the id of a firing begins with; the object follows.
const FIRING: &str = "firing/";

/// What the id of a firing ends with, the same in all statuses that have it.
fn suffix(firing: &Firing) -> String {
    format!("/{}/{}/{}", firing.value, firing.number, firing.intended_at.0)
}

fn sight(run: &Started, state: &str, failed: bool) -> RunSight {
    let Fired { kind, name } = &run.target;
    let (kind, reached) = match kind {
        TargetKind::Job => (JobKind::Job, Stage::of_job_run(state)),
        TargetKind::Crawler => (JobKind::Crawler, Stage::of_crawl(state)),
        TargetKind::Workflow => {
            let outcome = if failed { End::Fail } else { End::Complete };
            (JobKind::Workflow, Stage::of_workflow_run(state, outcome))
        }
    };
    RunSight::new(Target::new(kind, name), &run.id, state, reached)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(started: &serde_json::Value, ended_at: Option<&str>) -> GlueTrigger {
        let firing = json!({
            "number": 0, "value": "monday", "intendedAt": "2026-11-27T01:00:00Z", "firedAt": "2026-11-27T01:00:01Z",
            "started": started, "runsResolved": true, "endedAt": ended_at,
        });
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueTrigger",
            "metadata": {"namespace": "team-a", "name": "refresh"}, "spec": {"triggerName": "nightly"},
            "status": {"observedGeneration": 1, "lastFiring": firing},
        });
        serde_json::from_value(object).expect("an object")
    }

    fn crawl(id: &str, state: &str, ended: bool) -> TriggerItem {
        TriggerItem::Crawl(RunSummary {
            id: id.to_owned(),
            state: state.to_owned(),
            is_known: true,
            ended,
            failure: None,
            started_on: Some(jiff::Timestamp::UNIX_EPOCH),
            ended_on: ended.then_some(jiff::Timestamp::UNIX_EPOCH),
            is_triggered: true,
        })
    }

    #[test]
    fn a_firing_is_the_parent_of_what_it_started() {
        let live = json!([{"kind": "Crawler", "name": "raw", "id": "c-1", "state": "RUNNING"}]);
        let object = object(&live, None);
        let runs = runs(&object, &[crawl("c-1", "RUNNING", false)]);
        let [firing, crawl] = runs.as_slice() else { panic!("{runs:?}") };
        assert_eq!((firing.target.clone(), firing.stage), (Target::new(JobKind::Trigger, "nightly"), Stage::Running));
        assert_eq!(firing.id, "firing/team-a/refresh/monday/0/2026-11-27T01:00:00Z");
        assert_eq!((crawl.target.clone(), crawl.stage), (Target::new(JobKind::Crawler, "raw"), Stage::Running));
        assert_eq!(crawl.started, Some(jiff::Timestamp::UNIX_EPOCH), "by Glue's clock");
        let Some(ParentRun::Glue { id, .. }) = &crawl.parent else { panic!("{crawl:?}") };
        assert_eq!(*id, firing.id);
        assert!(!has_ended(object.status.as_ref().expect("a status"), "c-1"));
    }

    #[test]
    fn a_firing_ends_with_its_runs_and_as_they_did() {
        let run = |failed| json!([{"kind": "Job", "name": "etl", "id": "jr_1", "state": "FAILED", "ended": true, "failed": failed}]);
        for (failed, end) in [(true, End::Fail), (false, End::Complete)] {
            let object = object(&run(failed), Some("2026-11-27T02:00:00Z"));
            let runs = runs(&object, &[]);
            assert_eq!(runs[0].stage, Stage::Ended(end));
            assert_eq!((runs[1].stage, runs[1].started.is_some()), (Stage::Ended(End::Fail), true));
            let status = object.status.as_ref().expect("a status");
            assert!(has_ended(status, &runs[0].id) && has_ended(status, "jr_1"));
            assert!(!has_ended(status, "firing/team-a/refresh/tuesday/1/2026-11-27T01:00:00Z"));
        }
    }

    #[test]
    fn what_was_not_fired_is_no_run_and_what_no_poll_has_shown_waits() {
        let live = json!([{"kind": "Job", "name": "etl", "id": "jr_1"}]);
        let mut object = object(&live, None);
        assert_eq!(runs(&object, &[]).len(), 1);
        object.status.as_mut().and_then(|status| status.last_firing.as_mut()).expect("a firing").fired_at = None;
        assert_eq!(runs(&object, &[]), []);
    }
}
