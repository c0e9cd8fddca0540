//! Passes and events over objects that the cache or the watch shows later than the API server has them.

use axum::http::StatusCode;
use futures::future;
use serde_json::json;

use super::api_server;
use super::probe::ProbeLoop;
use super::shared::shared;
use crate::api::GlueJobRun;
use crate::controllers::run::sharing;
use crate::controllers::runtime::context::Context;
use crate::controllers::runtime::existing_objects::ExistingObjects;
use crate::controllers::runtime::reconciler::Action;
use crate::controllers::runtime::requeue::Requeuer;
use crate::controllers::runtime::{Settings, watch};
use crate::glue::aws::tests::fixture::{Answers, config};
use crate::metrics::Metrics;

/// The last write of a finished object removes its finalizer. A pass that was queued meanwhile would remove it again, which
/// the API server refuses.
#[tokio::test]
async fn an_object_that_was_forgotten_since_its_pass_began_is_left_alone() {
    let mut probe = ProbeLoop::start("stale-cache", ["one"], 2).await;
    assert_eq!(probe.pass("one").await, Action::AwaitChange);
    assert_eq!(probe.passed_by_now().len(), 1);
    probe.forget("one");
    assert_eq!(probe.pass("one").await, Action::AwaitChange);
    assert_eq!(probe.passed_by_now(), []);
    probe.stop().await;
}

/// The controller has recorded the run of a key, and the watch shows the version before that. Another object of the key must
/// still learn of the run: Glue may not list it yet.
#[tokio::test]
async fn a_late_event_does_not_take_the_place_of_what_was_written() {
    let client = api_server::client(|_, _, _| future::ready(api_server::failure(StatusCode::NOT_FOUND, "NotFound")));
    let (settings, metrics) = (Settings::example(), Metrics::new());
    let shared = shared::<GlueJobRun>(&client, config(Answers::new(400, "", "{}")).await, &settings, &metrics);
    let context = Context::<GlueJobRun>::new(shared, Requeuer::new().0);
    let object = |version: u64, run: Option<&str>| -> GlueJobRun {
        let attempt = json!({"id": run, "number": 0, "retry": 0, "key": "a/day-1/0", "intendedAt": "2026-11-28T00:00:00Z",
            "activeSince": "2026-11-28T00:00:00Z"});
        let metadata = json!({"namespace": "a", "name": "one", "uid": "uid", "resourceVersion": version.to_string()});
        let object = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": metadata,
            "spec": {"jobName": "etl", "idempotencyKey": "day-1"}, "status": {"phase": "Starting", "attempts": [attempt]}});
        serde_json::from_value(object).unwrap()
    };
    let run_of_other = || {
        let other = ("a".to_owned(), "other".to_owned());
        context.with_shared_runs(|runs| runs.attempt_of_others("a/day-1", &other)).map(|(_, run)| run)
    };
    let mut existing = ExistingObjects::default();
    watch::on_applied(&context, &object(1, None), false, &mut existing);
    assert_eq!(run_of_other(), None);
    // The process writes version 3.
    context.local_states.with("uid", |local| local.expected_version = Some(3));
    let status = object(3, Some("jr_1"));
    let name = ("a".to_owned(), "one".to_owned());
    context.with_shared_runs(|runs| runs.set(&name, sharing::need(&status, &status.status.clone().unwrap().run)));
    for (version, run) in [(2, None), (3, Some("jr_1"))] {
        watch::on_applied(&context, &object(version, run), false, &mut existing);
        assert_eq!(run_of_other().as_deref(), Some("jr_1"), "version {version}");
    }
}
