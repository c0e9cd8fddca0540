use serde_json::Value;

use super::*;

fn call(operation: &str, name: &str) -> Call {
    Call { service: "glue", operation: operation.into(), name: Some(name.to_owned()), ..Call::default() }
}

#[tokio::test]
async fn a_wait_is_woken_by_requests_and_answers() {
    let requests = Requests::default();
    let waiter = tokio::spawn({
        let requests = requests.clone();
        async move { requests.wait_for(Request::succeeded).await.sequence }
    });
    let first = requests.record(Time(0), call("GetJobRun", "a"), Bytes::new());
    requests
        .record_answer(&first, Answer { status: 400, code: None, dropped: false, executed: false, rewritten: false });
    let second = requests.record(Time(0), call("GetJobRun", "a"), Bytes::new());
    requests
        .record_answer(&second, Answer { status: 200, code: None, dropped: false, executed: true, rewritten: false });
    assert_eq!(waiter.await.unwrap(), 2);
}

#[test]
fn bodies_and_requests_can_be_left_out_and_are_still_counted() {
    let requests = Requests::default();
    requests.record(Time(0), call("StartJobRun", "a"), Bytes::from_static(b"{\"JobName\":\"a\"}"));
    requests.keep(Keep::NoBodies);
    requests.record(Time(0), call("StartJobRun", "b"), Bytes::from_static(b"{}"));
    requests.keep(Keep::Counts);
    requests.record(Time(0), call("StartJobRun", "b"), Bytes::new());
    assert_eq!(requests.count("StartJobRun"), 3);
    assert_eq!(requests.of("StartJobRun").count(), 2);
    let first = requests.of("StartJobRun").name("a");
    assert_eq!(first[0].field("JobName"), Some("a".into()));
    assert_eq!(requests.of("StartJobRun").name("b")[0].body(), Value::Null);
}
