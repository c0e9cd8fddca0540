//! Lineage of the runs that an inventory sees, at a receiver of its own or at that of the controller.

use std::collections::BTreeSet;

use kube_glue::api::GlueInventory;
use kube_glue::api::run::Phase;
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::{Value, json};

use super::{define_account, item, objects, refresh};
use crate::harness::{STEP, TestEnv, run_id, stepwise};
use crate::lineage::receiver::{Answer, Receiver, is_end, of_run, types_of};

const API_KEY: &str = "the-key-of-the-team";

/// An environment whose controller lets the namespace send to `receiver`.
async fn setup(name: &str, receiver: &Receiver) -> TestEnv {
    let mut env = TestEnv::with_credentials(name).await;
    let allowed = format!("{}={}", env.namespace, receiver.url());
    env.set_flags(&[("--allowed-lineage-receivers", &allowed)]);
    put_key(&mut env, API_KEY).await;
    env.start_controller();
    env
}

async fn put_key(env: &mut TestEnv, key: &str) {
    env.secrets.push(key.to_owned());
    env.put_secret("catalog", &[("token", key)]).await;
}

/// An inventory that sends to `receiver` with the key of the Secret.
fn sending_to(receiver: &Receiver) -> Value {
    let key = json!({"name": "catalog", "key": "token"});
    json!({"lineage": {"transport": {"url": receiver.url(), "apiKeySecretRef": key}}})
}

/// The newest run of an item, as Glue's id.
fn newest(object: &GlueInventory, name: &str) -> String {
    item(object, name)["lastRun"]["id"].as_str().unwrap_or_else(|| panic!("no run of {name}")).to_owned()
}

fn delivered_until(object: &GlueInventory) -> Option<String> {
    Some(object.status.as_ref()?.lineage.as_ref()?.delivered_until.as_ref()?.0.to_string())
}

fn problem(object: &GlueInventory) -> Option<&str> {
    object.status.as_ref()?.lineage.as_ref()?.problem.as_deref()
}

/// The number of runs that have ended among these events.
fn ended(events: &[Value]) -> usize {
    let ends = events.iter().filter(|event| is_end(event));
    ends.map(|event| event["run"]["runId"].to_string()).collect::<BTreeSet<_>>().len()
}

/// What makes an event the same one.
fn identities(events: &[Value]) -> BTreeSet<String> {
    let identity = |event: &Value| format!("{} {} {}", event["run"]["runId"], event["eventType"], event["eventTime"]);
    events.iter().map(identity).collect()
}

#[tokio::test]
async fn an_inventory_sends_each_run_that_it_sees_to_its_receiver_and_its_status_says_until_when() {
    let receiver = Receiver::start().await;
    let env = setup("ginv-lineage", &receiver).await;
    define_account(&env);
    let inventories = objects(&env);
    inventories.create("all", sending_to(&receiver)).await;
    let object = inventories.wait_until("all", "it is delivered", |object| delivered_until(object).is_some()).await;
    let events = receiver.events();
    let [etl, flow] = ["etl", "flow"].map(|name| newest(&object, name));
    assert_eq!((types_of(&events, &etl), types_of(&events, &flow)), (vec!["START", "COMPLETE"], vec!["START", "FAIL"]));
    let load = newest(&object, "load");
    assert_eq!(types_of(&events, &load), ["START", "FAIL"]);
    let end = of_run(&events, &load).last().expect("an end");
    let parent = &end["run"]["facets"]["parent"];
    let flow_run = of_run(&events, &flow).next().expect("an event")["run"]["runId"].clone();
    assert_eq!((&parent["job"]["name"], &parent["run"]["runId"]), (&json!("workflow/flow"), &flow_run));
    assert_eq!(end["run"]["facets"]["errorMessage"]["message"], "no such path");
    assert_eq!(end["run"]["facets"]["kubeGlue_run"]["object"], Value::Null, "no object started it");
    let crawl = newest(&object, "raw");
    assert_eq!(types_of(&events, &crawl), ["START", "COMPLETE"]);
    assert_eq!((events.len(), ended(&events)), (8, 4));
    assert!(receiver.authorization().iter().all(|sent| sent.as_deref() == Some(&format!("Bearer {API_KEY}"))));
    assert_eq!(receiver.refused(), [""; 0]);
    let lag =
        format!("kube_glue_inventory_lineage_lag_seconds{{namespace=\"{}\",inventory=\"all\"}} 0.0", env.namespace);
    env.wait_for_metrics(&[&lag]).await;
}

/// Reads that show nothing new send nothing; after a restart what is sent again is the same.
#[tokio::test]
async fn nothing_is_sent_twice_but_what_is_the_same_event() {
    let receiver = Receiver::start().await;
    let mut env = setup("ginv-lineage-again", &receiver).await;
    define_account(&env);
    objects(&env).create("all", sending_to(&receiver)).await;
    objects(&env).wait_until("all", "it is delivered", |object| delivered_until(object).is_some()).await;
    refresh(&env, "all", "1").await;
    env.wait_for_calls("GetJobRuns", 6).await;
    let before = receiver.events();
    assert_eq!(before.len(), 8);
    env.kill_controller();
    env.start_controller();
    env.wait_for_calls("GetJobRuns", 9).await;
    env.call_glue("StartJobRun", &json!({"JobName": "idle"}));
    refresh(&env, "all", "2").await;
    let shows = |object: &GlueInventory| item(object, "idle")["state"] == "SUCCEEDED";
    let object = objects(&env).wait_until("all", "it shows the new run", shows).await;
    let idle = newest(&object, "idle");
    let has_ended = |events: &[Value]| types_of(events, &idle).contains(&"COMPLETE");
    let events = receiver.wait_until("the new run has ended", has_ended).await;
    assert_eq!(types_of(&events, &idle), ["START", "COMPLETE"]);
    let (known, new) = (identities(&before), identities(&events));
    assert_eq!(new.difference(&known).count(), 2, "only the new run is new");
    assert!(new.is_superset(&known));
}

#[tokio::test]
async fn a_receiver_that_is_not_listed_gets_nothing_and_the_inventory_says_so() {
    let (receiver, listed) = (Receiver::start().await, Receiver::start().await);
    let env = setup("ginv-lineage-denied", &listed).await;
    define_account(&env);
    objects(&env).create("all", sending_to(&receiver)).await;
    objects(&env).create("none", json!({"lineage": {}})).await;
    for (name, reason) in [("all", "ReceiverNotAllowed"), ("none", "NoReceiver")] {
        let says = |object: &GlueInventory| {
            let status = object.status.as_ref();
            let ready = status.and_then(|status| status.declared.condition("Ready"));
            ready.is_some_and(|ready| ready.reason == reason && ready.status == "False")
        };
        let object = objects(&env).wait_until(name, reason, says).await;
        assert_eq!(item(&object, "etl")["state"], "SUCCEEDED", "the account is shown all the same");
    }
    assert_eq!((receiver.authorization().len(), listed.authorization().len()), (0, 0));
}

#[tokio::test]
async fn a_receiver_that_refuses_the_key_is_reported_and_gets_everything_with_the_next_key() {
    let receiver = Receiver::start().await;
    receiver.answer([Answer::Status(401); 6]);
    let mut env = setup("ginv-lineage-key", &receiver).await;
    define_account(&env);
    objects(&env).create("all", sending_to(&receiver)).await;
    let failing = objects(&env).wait_until("all", "it reports the trouble", |object| problem(object).is_some()).await;
    assert_eq!(problem(&failing), Some("it answers with status 401"));
    let ready = failing.status.as_ref().and_then(|status| status.declared.condition("Ready")).expect("a condition");
    assert!(ready.status == "True" && ready.message.ends_with("it answers with status 401"), "{ready:?}");
    assert_eq!(delivered_until(&failing), None);
    receiver.forget_answers();
    put_key(&mut env, "another-key-of-the-team").await;
    let is_over = |object: &GlueInventory| delivered_until(object).is_some() && problem(object).is_none();
    objects(&env).wait_until("all", "it is delivered", is_over).await;
    assert_eq!(ended(&receiver.events()), 4);
    let last = receiver.authorization().pop().flatten();
    assert_eq!(last.as_deref(), Some("Bearer another-key-of-the-team"));
}

/// The run of an object is sent by the object; the inventory of its namespace sends what others started.
#[tokio::test]
async fn at_the_controllers_receiver_the_run_of_an_object_comes_once() {
    let receiver = Receiver::start().await;
    let mut env = TestEnv::with_credentials("ginv-lineage-own").await;
    env.double.clock().hold();
    env.set_flags(&[("--openlineage-url", &receiver.url())]);
    env.start_controller();
    env.define_job(JobDefinition::new("etl").max_concurrent_runs(9).script(stepwise(Outcome::Succeeded)));
    env.create_run("one", "etl", json!({})).await;
    env.wait_for_run_id("one").await;
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    let run = env.wait_finished("one", Phase::Succeeded).await;
    let own = run_id(&run).expect("an id").to_owned();
    receiver.wait_until("the object's run has ended", |events| ended(events) == 1).await;
    let sent = receiver.events().len();
    env.call_glue("StartJobRun", &json!({"JobName": "etl"}));
    env.double.clock().step(STEP);
    env.double.clock().step(STEP);
    objects(&env).create("all", json!({"runsPerJob": 5, "lineage": {}})).await;
    let object = objects(&env).wait_until("all", "it is delivered", |object| delivered_until(object).is_some()).await;
    let events = receiver.events();
    let other = newest(&object, "etl");
    assert_ne!(other, own);
    assert_eq!(types_of(&events, &other), ["START", "COMPLETE"]);
    assert_eq!(events.len(), sent + 2, "nothing more of the object's run");
    let lineage = object.status.and_then(|status| status.lineage).expect("a status");
    assert_eq!(lineage.receiver, "controller");
}
