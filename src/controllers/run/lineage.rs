//! The runs that an object shows, for lineage. Pure.

use super::kind::RunKind;
use crate::api::lineage::DatasetName;
use crate::api::run::{RunPolicy, RunStatus};
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lineage::origin::Origin;
use crate::lineage::dataset::DatasetId;
use crate::lineage::progress::{End, Stage};
use crate::lineage::run::{Declared, ParentRun, RunSight, Target};

/// The datasets that the owner of the object declares. A name that OpenLineage does not take is left out.
fn declared(policy: &RunPolicy) -> Declared {
    let ids =
        |named: &[DatasetName]| named.iter().filter_map(|one| DatasetId::new(&one.namespace, &one.name)).collect();
    let lineage = policy.lineage.as_ref();
    lineage.map(|lineage| Declared { inputs: ids(&lineage.inputs), outputs: ids(&lineage.outputs) }).unwrap_or_default()
}

/// The runs of the object: that of `item`, with those that it started, and runs of earlier attempts that Glue does not know
/// any more.
pub(super) fn runs<K: RunKind>(object: &K, item: Option<&Item<K>>) -> Vec<RunSight> {
    let origin = Origin::of(object);
    let attempts = object.status().map(|status| K::run_status(status).attempts.as_slice()).unwrap_or_default();
    let mut runs = item.map(|item| object.runs(item)).unwrap_or_default();
    if let Some((own, started)) = runs.split_first_mut() {
        *own = origin.mark_own(own.clone());
        own.declared = declared(object.policy());
        let attempt = attempts.iter().find(|attempt| attempt.id.as_ref() == Some(&own.id));
        // Glue's clock, where it shows a time: two clocks would put the events of the run into another order.
        own.requested = attempt.filter(|_| own.started.is_none()).map(|attempt| attempt.intended_at.0);
        for run in started {
            if let Some(ParentRun::Glue { root, .. }) = &mut run.parent {
                root.clone_from(&origin.outer);
            }
        }
    }
    let lost = attempts.iter().filter(|attempt| attempt.ended_at.is_some() && attempt.state.as_deref() == Some(LOST));
    for attempt in lost {
        let Some(id) = attempt.id.as_ref().filter(|id| runs.iter().all(|run| run.id != **id)) else { continue };
        let target = Target::new(K::JOB_KIND, object.target());
        runs.push(origin.mark(RunSight {
            requested: Some(attempt.intended_at.0),
            ended: attempt.ended_at.as_ref().map(|ended| ended.0),
            message: Some("Glue does not know the run any more".to_owned()),
            ..RunSight::new(target, id, LOST, Stage::Ended(End::Abort))
        }));
    }
    runs
}

/// The state of a run that Glue does not know any more, in the status.
pub(super) const LOST: &str = "GONE";

/// Whether an attempt of the status has the end of this run.
pub(super) fn has_ended(status: &RunStatus, run: &str) -> bool {
    status.attempts.iter().any(|attempt| attempt.ended_at.is_some() && attempt.id.as_deref() == Some(run))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::api::{GlueJobRun, LINEAGE_NOMINAL_TIME, LINEAGE_PARENT};
    use crate::glue::job_runs::source::JobRunItem;
    use crate::glue::job_runs::{JobRun, JobRunState, RunDetails};
    use crate::lineage::run::JobKind;

    fn object(attempts: &serde_json::Value) -> GlueJobRun {
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
            "metadata": {"namespace": "team-a", "name": "orders", "annotations": {
                LINEAGE_PARENT: "airflow/daily.orders/5b3dd7d6-9b0f-4f2a-8b0a-111111111111",
                LINEAGE_NOMINAL_TIME: "2026-11-27T00:00:00Z",
            }},
            "spec": {"jobName": "etl", "lineage": {
                "inputs": [{"namespace": "kafka://broker:9092", "name": "orders"}],
                "outputs": [{"namespace": "s3://lake", "name": "audit"}, {"namespace": " ", "name": "none"}],
            }},
            "status": {"observedGeneration": 1, "attempts": attempts},
        });
        serde_json::from_value(object).expect("an object")
    }

    fn attempt(id: &str) -> serde_json::Value {
        json!({
            "number": 0, "key": "team-a/u/0", "activeSince": "2026-11-27T01:00:00Z",
            "intendedAt": "2026-11-27T01:00:00Z", "id": id,
        })
    }

    #[test]
    fn a_run_says_who_asked_for_it_and_what_had_to_end_before() {
        let details =
            RunDetails { predecessors: vec![("first".to_owned(), "jr_0".to_owned())], ..RunDetails::default() };
        let run = JobRun {
            error_message: Some("boom".to_owned()),
            glue_version: Some("5.0".to_owned()),
            details: Some(Box::new(details)),
            ..JobRun::fixture("jr_1", JobRunState::Timeout)
        };
        let object = object(&json!([attempt("jr_1")]));
        let runs = runs(&object, Some(&JobRunItem { run, retry_expected: false }));
        let [run] = runs.as_slice() else { panic!("{runs:?}") };
        assert_eq!((run.target.clone(), run.id.as_str()), (Target::new(JobKind::Job, "etl"), "jr_1"));
        assert_eq!((run.stage, run.state.as_str()), (Stage::Ended(End::Fail), "TIMEOUT"));
        assert_eq!((run.message.as_deref(), run.glue_version.as_deref()), (Some("boom"), Some("5.0")));
        assert_eq!(run.upstream, [(Target::new(JobKind::Job, "first"), Some("jr_0".to_owned()))]);
        assert_eq!(run.object.as_deref(), Some("team-a/orders"));
        let declared = |namespace: &str, name: &str| [DatasetId::new(namespace, name).expect("an id")].into();
        let expected =
            Declared { inputs: declared("kafka://broker:9092", "orders"), outputs: declared("s3://lake", "audit") };
        assert_eq!(run.declared, expected);
        assert_eq!(run.requested.map(|at| at.to_string()).as_deref(), Some("2026-11-27T01:00:00Z"));
        assert_eq!(run.nominal.map(|at| at.to_string()).as_deref(), Some("2026-11-27T00:00:00Z"));
        let Some(ParentRun::Outer(parent)) = &run.parent else { panic!("{:?}", run.parent) };
        assert_eq!((parent.job.namespace.as_str(), parent.job.name.as_str()), ("airflow", "daily.orders"));
    }

    #[test]
    fn where_glue_shows_a_time_no_event_has_one_of_the_controllers_clock() {
        let run = JobRun { started_on: Some(Timestamp::UNIX_EPOCH), ..JobRun::fixture("jr_1", JobRunState::Starting) };
        let object = object(&json!([attempt("jr_1")]));
        let runs = runs(&object, Some(&JobRunItem { run, retry_expected: false }));
        assert_eq!((runs[0].requested, runs[0].started), (None, Some(Timestamp::UNIX_EPOCH)));
    }

    #[test]
    fn a_run_that_glue_does_not_know_any_more_was_aborted() {
        let mut lost = attempt("jr_1");
        lost["state"] = json!(LOST);
        lost["endedAt"] = json!("2026-11-27T02:00:00Z");
        let object = object(&json!([lost]));
        let runs = runs(&object, None);
        assert_eq!(runs.len(), 1);
        assert_eq!((runs[0].stage, runs[0].id.as_str()), (Stage::Ended(End::Abort), "jr_1"));
        assert!(has_ended(&object.status.expect("a status").run, "jr_1"));
    }

    #[test]
    fn without_an_observation_there_is_no_run() {
        assert_eq!(runs(&object(&json!([attempt("jr_1")])), None), []);
    }
}
