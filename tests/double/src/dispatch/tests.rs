//! Faults as a client sees them: over HTTP.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{CrawlerSettings, DEFAULT_ACCOUNT, Double, Fault, JobDefinition, Rewrite, RunScript, Then};

const REGION: &str = "eu-west-1";

async fn double() -> Double {
    let double = Double::start().await.unwrap();
    double.check_signatures(false);
    double.define_job(DEFAULT_ACCOUNT, REGION, JobDefinition::new("etl").script(RunScript::never_ends()));
    let crawler = CrawlerSettings::new("raw");
    double.define_crawler(DEFAULT_ACCOUNT, REGION, crawler, crate::CrawlScript::default()).unwrap();
    double
}

/// Calls an operation of Glue; returns the HTTP status and the body. Status 0 is a closed connection.
async fn call(double: &Double, operation: &str, body: &Value) -> (u16, String) {
    let body = body.to_string();
    send(double, "glue", &format!("X-Amz-Target: AWSGlue.{operation}\r\n"), &body).await
}

async fn send(double: &Double, service: &str, headers: &str, body: &str) -> (u16, String) {
    let key = double.default_key().id;
    let scope = format!("{key}/20260101/{REGION}/{service}/aws4_request");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: double\r\nConnection: close\r\nContent-Length: {}\r\n{headers}X-Amz-Date: \
         20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00\r\n\
         \r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(double.address()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // A connection that is closed without an answer may be reset.
    let _ = stream.read_to_string(&mut answer).await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
}

fn code(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["__type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_refusal_has_its_status_and_code_and_nothing_is_done() {
    let double = double().await;
    for (then, status, expected) in [
        (Then::Throttle, 400, "ThrottlingException"),
        (Then::AccessDenied, 400, "AccessDeniedException"),
        (Then::ExpiredToken, 400, "ExpiredTokenException"),
        (Then::Http500, 500, "InternalServiceException"),
        (Then::Http503, 503, "ServiceUnavailable"),
    ] {
        let id = double.faults().add(Fault::on("StartJobRun").then(then));
        let (seen, body) = call(&double, "StartJobRun", &json!({ "JobName": "etl" })).await;
        assert_eq!((seen, code(&body).as_str()), (status, expected));
        double.faults().remove(id);
    }
    double.faults().add(Fault::on("StartJobRun").then(Then::DropConnectionBefore));
    assert_eq!(call(&double, "StartJobRun", &json!({ "JobName": "etl" })).await.0, 0);
    assert!(double.runs(DEFAULT_ACCOUNT, REGION, "etl").is_empty());
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    double.faults().add(Fault::on("GetCallerIdentity").then(Then::AccessDenied));
    let (status, body) = send(&double, "sts", "", form).await;
    assert!(status == 403 && body.contains("<Code>AccessDenied</Code>"), "{status} {body}");
}

#[tokio::test]
async fn the_operation_runs_and_its_answer_is_replaced() {
    let double = double().await;
    let start = json!({ "JobName": "etl" });
    double.faults().add(Fault::on("StartJobRun").times(1).then(Then::proxy_page()));
    let (status, body) = call(&double, "StartJobRun", &start).await;
    assert!(status == 200 && body.starts_with("<html>"), "{status} {body}");
    let changes = [(Rewrite::UnknownValues, "SOMETHING_NEW", true), (Rewrite::OnlyIdentities, "JobRunState", false)];
    for (rewrite, word, has_word) in changes {
        double.faults().add(Fault::on("GetJobRuns").times(1).then(Then::RewriteAnswer { rewrite }));
        let (_, body) = call(&double, "GetJobRuns", &start).await;
        assert_eq!((body.contains(word), body.contains("\"Id\":\"jr_")), (has_word, true), "{body}");
    }
    let rewrite = Rewrite::LongLists { entries: 3 };
    double.faults().add(Fault::on_any().then(Then::RewriteAnswer { rewrite }));
    let (_, body) = call(&double, "GetJobRuns", &start).await;
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["JobRuns"].as_array().unwrap().len(), 3);
    call(&double, "StartCrawler", &json!({ "Name": "raw" })).await;
    let all = double.requests().all();
    let rewritten: Vec<_> = all.iter().map(|request| request.answer().unwrap().rewritten).collect();
    assert_eq!(rewritten, [true, true, true, true, false], "an answer without lists stays as it is");
    assert!(all.iter().all(|request| request.answer().unwrap().executed));
}

#[tokio::test]
async fn the_answer_of_sts_may_be_a_page_or_have_no_members() {
    let double = double().await;
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let sparse = Then::RewriteAnswer { rewrite: Rewrite::OnlyIdentities };
    for (then, is_xml) in [(Then::proxy_page(), false), (sparse, true)] {
        double.faults().add(Fault::on("GetCallerIdentity").times(1).then(then));
        let (status, body) = send(&double, "sts", "", form).await;
        assert_eq!((status, body.starts_with("<GetCaller"), body.contains(DEFAULT_ACCOUNT)), (200, is_xml, false));
    }
}

#[tokio::test]
async fn a_stop_that_lies_stops_nothing() {
    let double = double().await;
    let run = double.call(DEFAULT_ACCOUNT, REGION, "StartJobRun", &json!({ "JobName": "etl" })).unwrap();
    double.call(DEFAULT_ACCOUNT, REGION, "StartCrawler", &json!({ "Name": "raw" })).unwrap();
    double.faults().add(Fault::on_any().then(Then::Lie));
    let stop = json!({ "JobName": "etl", "JobRunIds": [run["JobRunId"]] });
    let (status, body) = call(&double, "BatchStopJobRun", &stop).await;
    assert!(status == 200 && body.contains("SuccessfulSubmissions") && body.contains("\"Errors\":[]"), "{body}");
    assert_eq!(call(&double, "StopCrawler", &json!({ "Name": "raw" })).await, (200, "{}".to_owned()));
    assert_ne!(double.runs(DEFAULT_ACCOUNT, REGION, "etl")[0]["JobRunState"], "STOPPING");
    let (_, crawler) = call(&double, "GetCrawler", &json!({ "Name": "raw" })).await;
    assert!(crawler.contains("\"State\":\"RUNNING\""), "a read is not affected: {crawler}");
    assert!(double.requests().of("StopCrawler").iter().all(|stop| !stop.answer().unwrap().executed));
}

#[tokio::test]
async fn connections_are_refused_for_a_while() {
    let double = double().await;
    assert_eq!(call(&double, "GetJobs", &json!({})).await.0, 200);
    double.refuse_connections();
    // The listener is closed by its own task.
    while let Ok(stream) = TcpStream::connect(double.address()).await {
        drop(stream);
        tokio::task::yield_now().await;
    }
    double.accept_connections();
    while TcpStream::connect(double.address()).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(call(&double, "GetJobs", &json!({})).await.0, 200);
}
