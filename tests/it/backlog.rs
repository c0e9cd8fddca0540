//! What a controller finds after an upgrade or a node's death: many objects at once. What must hold without a clock is
//! asserted here; `cargo load` measures the rest.

use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::ListParams;
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::json;

use crate::harness::{TestEnv, run_id, stepwise};

const OBJECTS: usize = 500;

/// Finalizer, intent and run id: three writes each, each sent once, and nobody else ever holds the lease.
#[tokio::test]
async fn a_backlog_is_started_with_three_writes_each_and_the_lease_is_kept() {
    let mut env = TestEnv::with_credentials("backlog").await;
    let everyone = u32::try_from(OBJECTS).expect("a small number");
    env.define_job(JobDefinition::new("steps").max_concurrent_runs(everyone).script(stepwise(Outcome::Succeeded)));
    // The runs stay STARTING: RUNNING would be one more write.
    env.double.clock().hold();
    let creations = (0..OBJECTS).map(|number| {
        let (env, name) = (&env, format!("run-{number}"));
        async move { env.create_run(&name, "steps", json!({})).await }
    });
    futures::stream::iter(creations).buffer_unordered(16).for_each(|_| async {}).await;

    env.set_flags(&[("--lease-duration", "15s")]);
    env.start_controller_as("leader");
    env.wait_for_answers("StartJobRun", OBJECTS).await;
    let last = format!("run-{}", OBJECTS - 1);
    env.wait_for_run_id(&last).await;
    let runs = loop {
        let runs = env.job_runs().list(&ListParams::default()).await.expect("the runs").items;
        if runs.iter().all(|run| run_id(run).is_some()) {
            break runs;
        }
    };
    assert_eq!((runs.len(), env.start_calls()), (OBJECTS, everyone.into()));

    let entries = env.plane.audit().entries().await.expect("the audit log");
    let writes = |user_agent: &str| {
        let of_namespace = entries.iter().filter(|entry| entry.namespace == env.namespace);
        let patches = of_namespace.filter(|entry| entry.resource == "gluejobruns" && entry.verb == "patch");
        patches.filter(|entry| entry.user_agent.starts_with(user_agent)).map(|entry| entry.code).collect::<Vec<_>>()
    };
    let writes = writes("kube-glue/");
    assert!(writes.iter().all(|code| *code == 200), "the API server refused none");
    assert_eq!(writes.len(), 3 * OBJECTS);
    let leases: Api<Lease> = Api::namespaced(env.client.clone(), &env.namespace);
    let lease = leases.get("kube-glue").await.expect("the lease").spec.expect("a spec");
    assert_eq!((lease.holder_identity.as_deref(), lease.lease_transitions), (Some("leader"), None));
}
