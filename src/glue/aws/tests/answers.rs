//! Answers that are not as documented: without their content, of a proxy, in another order.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;

use crate::api::trigger::{Target, TargetKind};
use crate::glue::aws::{AwsConfig, Glue};
use crate::glue::identity::{CredentialSource, Endpoints, Identity, Keys, Sensitive};
use crate::glue::job_runs::{StartJobRun, StopOutcome};
use crate::glue::{Error, ErrorKind};
use crate::metrics::Metrics;

/// Answers every request with this HTTP status and body.
#[derive(Clone, Debug)]
struct Canned(u16, &'static str);

impl HttpConnector for Canned {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let status = self.0.try_into().unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.1))))
    }
}

async fn client(status: u16, body: &'static str) -> Glue {
    let connector = SharedHttpConnector::new(Canned(status, body));
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .empty_test_environment()
        .region(Region::new("eu-central-1"))
        .http_client(http_client_fn(move |_, _| connector.clone()));
    let config = AwsConfig::from_loader(loader, Duration::from_secs(1), None, Metrics::new()).await;
    let hidden = |text: &str| Sensitive::new(text.to_owned());
    let keys = Keys { access_key_id: hidden("AKIA1"), secret_access_key: hidden("hush"), session_token: None };
    let endpoints = Endpoints::default();
    let source = CredentialSource::Keys(keys);
    Glue::new(&config, Identity { region: "eu-central-1".to_owned(), source, role: None, endpoints })
}

/// The page of a proxy.
const PAGE: &str = "<html>Please sign in</html>";

fn start() -> StartJobRun {
    StartJobRun { job: "etl".to_owned(), ..StartJobRun::default() }
}

fn kind_and_code<T: std::fmt::Debug>(answer: Result<T, Error>) -> (ErrorKind, String) {
    let error = answer.unwrap_err();
    (error.kind, error.code)
}

#[tokio::test]
async fn an_answer_without_its_content_is_an_error() {
    for body in ["{}", PAGE, ""] {
        let glue = client(200, body).await;
        let read_kind = if body == PAGE { ErrorKind::Ambiguous } else { ErrorKind::Transient };
        let read = (read_kind, "AnswerNotUnderstood".to_owned());
        assert_eq!(kind_and_code(glue.job_run("etl", "jr_1").await), read, "{body:?}");
        assert_eq!(kind_and_code(glue.job_settings("etl").await), read, "{body:?}");
        assert_eq!(kind_and_code(glue.workflow_run("daily", "wr_1").await), read, "{body:?}");
        assert_eq!(kind_and_code(glue.connections(None, None).await), read, "{body:?}");
        // The run may have been started.
        let start = kind_and_code(glue.start_job_run(&start()).await);
        assert_eq!(start, (ErrorKind::Ambiguous, "AnswerNotUnderstood".to_owned()), "{body:?}");
    }
}

/// Tags of a connection are written by its ARN.
#[tokio::test]
async fn the_arn_of_a_connection_in_the_catalog_of_another_account_has_that_account() {
    let glue = client(200, r#"{"ConnectionList": [{"Name": "db"}]}"#).await;
    let (connections, _) = glue.connections(Some("222222222222"), None).await.unwrap();
    let arn = "arn:aws:glue:eu-central-1:222222222222:connection/db";
    assert_eq!(connections[0].arn.as_deref(), Some(arn));
}

#[tokio::test]
async fn an_empty_list_is_an_answer_and_a_run_without_a_status_is_none() {
    let list = client(200, r#"{"ConnectionList": []}"#).await.connections(None, None).await.unwrap();
    assert!(list.0.is_empty());
    let glue = client(200, r#"{"Run": {"Name": "daily", "WorkflowRunId": "wr_1"}}"#).await;
    assert_eq!(kind_and_code(glue.workflow_run("daily", "wr_1").await).0, ErrorKind::Transient);
}

#[tokio::test]
async fn the_error_of_a_proxys_page_says_what_came() {
    for (status, kind, code, words) in [
        (200, ErrorKind::Ambiguous, "AnswerNotUnderstood", "expected"),
        (403, ErrorKind::Denied, "Unknown", "HTTP status 403"),
        (502, ErrorKind::Ambiguous, "Unknown", "HTTP status 502"),
    ] {
        let error = client(status, PAGE).await.job_run("etl", "jr_1").await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{error}");
        assert!(error.message.contains(words), "{error}");
    }
}

/// Without a code, an error was shown as `GetJobRun of job etl run jr_1: `.
#[tokio::test]
async fn an_empty_error_code_is_none() {
    for body in [r#"{"__type": ""}"#, r#"{"__type": " ", "message": ""}"#, r#"{"message": ""}"#] {
        let error = client(400, body).await.job_run("etl", "jr_1").await.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (ErrorKind::Invalid, "Unknown"), "{body}: {error:?}");
        assert_eq!(error.message, "HTTP status 400 without an error of AWS", "{body}");
    }
    let refused = r#"{"Errors": [{"JobRunId": "jr_1", "ErrorDetail": {"ErrorCode": "", "ErrorMessage": "no"}}]}"#;
    let StopOutcome::Refused(error) = client(200, refused).await.stop_job_run("etl", "jr_1").await.unwrap() else {
        panic!("the stop is refused");
    };
    assert_eq!((error.code.as_str(), error.message.as_str()), ("Unknown", "no"), "{error:?}");
    let refused = r#"{"Errors": {"db": {"ErrorCode": ""}}}"#;
    let error = client(200, refused).await.delete_connection(None, "db").await.unwrap_err();
    assert_eq!(error.code, "Unknown", "{error:?}");
}

#[tokio::test]
async fn a_page_is_newest_first_whatever_its_order() {
    let glue = client(200, r#"{"JobRuns": [{"Id": "old", "StartedOn": 1.5}, {"Id": "new", "StartedOn": 1.6}]}"#).await;
    let page = glue.job_runs("etl", None).await.unwrap();
    assert_eq!(page.items.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["new", "old"]);
    let target = |kind| Target { kind, name: "daily".to_owned() };
    assert_eq!(glue.newest_run(&target(TargetKind::Job)).await.unwrap().as_deref(), Some("new"));

    let crawls = r#"{"Crawls": [{"CrawlId": "old", "StartTime": 1.5}, {"CrawlId": "new", "StartTime": 1.6}]}"#;
    let page = client(200, crawls).await.newest_crawls("raw", None).await.unwrap();
    assert_eq!(page.items.iter().map(|crawl| crawl.id.as_str()).collect::<Vec<_>>(), ["new", "old"]);

    let runs = r#"{"Runs": [{"WorkflowRunId": "old", "StartedOn": 1.5}, {"WorkflowRunId": "new", "StartedOn": 1.6}]}"#;
    let newest = client(200, runs).await.newest_run(&target(TargetKind::Workflow)).await.unwrap();
    assert_eq!(newest.as_deref(), Some("new"));
}

/// The same answer without `on_large_stack` ends the process.
#[test]
fn a_visual_job_is_read_on_the_stack_of_a_worker_of_tokio() {
    const VISUAL: &str = r#"{"Job": {"Name": "etl", "MaxRetries": 3, "CodeGenConfigurationNodes": {
        "n1": {"S3CsvSource": {"Name": "in", "Paths": ["s3://lake/raw"]}},
        "n2": {"CatalogTarget": {"Name": "out", "Inputs": ["n1"], "Database": "sales", "Table": "orders"}}}}}"#;
    let read = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let glue = client(200, VISUAL).await;
            let document = glue.job_document("etl").await.unwrap();
            let nodes = document["CodeGenConfigurationNodes"].as_object().map(serde_json::Map::len);
            (glue.job_settings("etl").await.unwrap().max_retries, nodes)
        })
    };
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(read).unwrap();
    assert_eq!(thread.join().unwrap(), (3, Some(2)));
}
