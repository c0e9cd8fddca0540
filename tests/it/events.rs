//! Events that the API server would refuse as they are.

use std::time::Duration;

use kube_glue_double::{JobDefinition, RunScript};
use serde_json::json;

use crate::harness::{TestEnv, is_event_on, object_name};

#[tokio::test]
async fn a_failed_run_has_its_event_whatever_the_length_of_its_message_and_name() {
    let env = TestEnv::new("events").await;
    let long_name = "n".repeat(250);
    let messages =
        [("ascii", "x".repeat(1500)), ("japanese", "失".repeat(400)), (&long_name, "no such bucket".to_owned())];
    for (n, (name, message)) in messages.iter().enumerate() {
        let job = format!("job-{n}");
        let script = RunScript::fails(message).starting(Duration::ZERO).running(Duration::from_millis(100));
        env.define_job(JobDefinition::new(&job).script(script));
        env.create_run(name, &job, json!({})).await;
    }
    for (name, message) in &messages {
        env.wait_for_event_on(name, "Failed").await;
        let events = env.events().await;
        let event = events.iter().find(|event| is_event_on(event, name, "Failed")).expect("the event");
        let note = event.note.as_deref().expect("a note");
        assert!(note.len() <= 1024 && object_name(event) == Some(name), "{note}");
        assert_eq!(note.ends_with("(shortened)"), message.len() > 1000, "{note}");
    }
    assert!(!env.logs().contains("refused an Event"));
}
