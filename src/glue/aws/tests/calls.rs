//! Every call of the adapter, once, for what must hold of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::api::inventory::ItemType;
use crate::api::trigger::{Target, TargetKind};
use crate::glue::aws::Glue;
use crate::glue::connections::ConnectionInput;
use crate::glue::documents::Collection;
use crate::glue::inventory::source::InventoryReader as _;
use crate::glue::job_runs::{RunMatcher, StartJobRun, StopOutcome};
use crate::glue::logs::PageStart;
use crate::glue::rate_limiter::Priority;
use crate::glue::scripts::ScriptLocation;
use crate::glue::{Error, ErrorKind};
use crate::redaction::Sensitive;

/// The operations that start or create something: what has no clear answer must not be taken for a failure.
const STARTS: [&str; 6] =
    ["StartJobRun", "StartCrawler", "StartWorkflowRun", "ResumeWorkflowRun", "StartTrigger", "CreateConnection"];

/// The error of a call.
#[derive(Debug)]
pub(super) struct Failed {
    method: &'static str,
    /// The operations that the method calls.
    operations: &'static [&'static str],
    error: Error,
}

impl Failed {
    /// What is wrong with the error of an answer with this HTTP status.
    pub(super) fn defect(&self, status: u16) -> Option<String> {
        let Self { method, operations, error } = self;
        let says = error.to_string();
        let may_be_refusal = (400..500).contains(&status) || error.kind == ErrorKind::Throttled;
        let wrong = if !operations.contains(&error.operation) {
            "is about another operation"
        } else if !says.contains(error.operation) || error.object.is_empty() || !says.contains(&error.object) {
            "does not name the operation and the object"
        } else if error.code.is_empty() {
            "has no code"
        } else if STARTS.contains(&error.operation) && !may_be_refusal && error.kind.is_definite_failure() {
            "is a clear failure without a clear refusal"
        } else {
            return None;
        };
        Some(format!("{method}, HTTP status {status}: the error {wrong}: {error:?}"))
    }
}

/// Makes calls in turn, each by a method that makes these operations. Collects the errors.
macro_rules! calls {
    ($glue:expr, $failed:expr; $($operations:expr => $method:ident($($argument:expr),*);)*) => {
        $(if let Err(error) = Box::pin($glue.$method($($argument),*)).await {
            $failed.push(Failed { method: stringify!($method), operations: &$operations, error });
        })*
    };
}

/// Makes every call. Returns the errors.
pub(super) async fn make_all_calls(glue: &Glue) -> Vec<Failed> {
    let mut failed = Vec::new();
    of_runs(glue, &mut failed).await;
    of_triggers_and_connections(glue, &mut failed).await;
    of_accounts(glue, &mut failed).await;
    // These have no errors: what AWS does not describe is used without a description.
    drop(glue.connection_type("JDBC").await);
    drop(glue.spark_defaults("etl").await);
    // The error of the item of a batch is in its answer.
    if let Ok(StopOutcome::Refused(error)) | Err(error) = glue.stop_job_run("etl", "jr_1").await {
        failed.push(Failed { method: "stop_job_run", operations: &["BatchStopJobRun"], error });
    }
    failed
}

async fn of_runs(glue: &Glue, failed: &mut Vec<Failed>) {
    let names = ["etl".to_owned()];
    let run = StartJobRun { job: "etl".to_owned(), ..StartJobRun::default() };
    let matcher = RunMatcher::Argument { name: "--kube-glue-run".to_owned(), base: "a/uid".to_owned() };
    calls! { glue, failed;
        ["StartJobRun"] => start_job_run(&run);
        ["GetJobRun"] => job_run("etl", "jr_1");
        ["GetJobRun"] => matching_job_run("etl", "jr_1", &matcher, Priority::Search);
        ["GetJobRuns"] => job_runs("etl", None);
        ["GetJobRuns"] => job_run_history("etl", None, Priority::Search);
        ["BatchStopJobRun"] => stop_job_runs("etl", &["jr_1".to_owned()]);
        ["GetJob"] => job_settings("etl");
        ["GetJob"] => job_max_concurrent_runs("etl");
        ["StartCrawler"] => start_crawler("etl");
        ["StopCrawler"] => stop_crawler("etl");
        ["BatchGetCrawlers"] => crawlers(&names);
        ["BatchGetCrawlers"] => crawler("etl");
        ["GetCrawlerMetrics"] => crawl_estimates(&names);
        ["ListCrawls"] => newest_crawls("etl", None);
        ["ListCrawls"] => crawl("etl", "c");
        ["StartWorkflowRun"] => start_workflow_run("etl", BTreeMap::new());
        ["ResumeWorkflowRun"] => resume_workflow_run("etl", "wr_1", &names);
        ["StopWorkflowRun"] => stop_workflow_run("etl", "wr_1");
        ["GetWorkflowRun"] => workflow_run("etl", "wr_1");
        ["GetWorkflowRun"] => workflow_run_with_nodes("etl", "wr_1", Priority::Poll);
        ["GetWorkflowRuns"] => workflow_runs("etl", 25, None, Priority::Poll);
        ["GetWorkflow"] => workflow_max_concurrent_runs("etl");
        ["DescribeLogStreams"] => log_streams("/aws-glue/jobs/error", "jr_1", None);
        ["GetLogEvents"] => log_events("/aws-glue/jobs/error", "jr_1", &PageStart::Time(0));
        ["GetLogEvents"] => log_events("/aws-glue/jobs/error", "jr_1", &PageStart::Last(10));
        ["GetLogEvents"] => log_events("/aws-glue/jobs/error", "jr_1", &PageStart::Token("t".to_owned(), 0));
    }
}

async fn of_triggers_and_connections(glue: &Glue, failed: &mut Vec<Failed>) {
    let names = ["etl".to_owned()];
    let target = |kind| Target { kind, name: "etl".to_owned() };
    let (job, crawler, workflow) = (target(TargetKind::Job), target(TargetKind::Crawler), target(TargetKind::Workflow));
    let properties = [("JDBC_CONNECTION_URL".to_owned(), Sensitive::new("jdbc:postgresql://db/sales".to_owned()))];
    let input = ConnectionInput {
        name: "db".to_owned(),
        type_: "JDBC".to_owned(),
        properties: properties.into(),
        ..ConnectionInput::default()
    };
    let tags = BTreeMap::from([("team".to_owned(), "data".to_owned())]);
    let arn = "arn:aws:glue:eu-central-1:222222222222:connection/db";
    calls! { glue, failed;
        ["BatchGetTriggers"] => triggers(&names);
        ["StartTrigger"] => start_trigger("etl", true);
        ["StartTrigger"] => start_trigger("etl", false);
        ["StopTrigger"] => stop_trigger("etl");
        ["GetJobRuns"] => newest_run(&job);
        ["ListCrawls"] => newest_run(&crawler);
        ["GetWorkflowRuns"] => newest_run(&workflow);
        ["GetJobRuns"] => may_have_started(&job, "etl");
        ["GetWorkflowRuns"] => newer_runs(&workflow, "etl", None);
        ["GetConnections"] => connections(None, None);
        ["CreateConnection"] => create_connection(None, &input, &tags);
        ["UpdateConnection"] => update_connection(None, &input);
        ["TestConnection"] => test_connection(None, "db");
        ["TestConnection"] => test_connection_input(None, &input);
        ["BatchDeleteConnection"] => delete_connection(None, "db");
        ["TagResource", "UntagResource"] => tag_connection(arn, &tags, &names);
    }
}

async fn of_accounts(glue: &Glue, failed: &mut Vec<Failed>) {
    let names = ["etl".to_owned()];
    let script = ScriptLocation { bucket: "scripts".to_owned(), key: "etl.py".to_owned() };
    calls! { glue, failed;
        ["GetCallerIdentity"] => identify();
        ["ListJobs"] => permission("ListJobs", "etl");
        ["UpdateConnection"] => permission("UpdateConnection", "etl");
        ["GetCallerIdentity", "TagResource"] => permission("TagResource", "etl");
        ["GetJobs"] => jobs_page(None);
        ["GetJobRuns"] => newest_job_runs("etl", 5);
        ["GetCrawlers"] => crawlers_page(None);
        ["ListCrawls"] => newest_crawls_of("etl", 5);
        ["GetTriggers"] => triggers_page(None);
        ["ListWorkflows"] => workflow_names_page(None);
        ["BatchGetWorkflows"] => workflows(&names);
        ["GetWorkflow"] => workflow("etl");
        ["GetTags"] => tags(ItemType::Job, "etl");
        ["ListJobs"] => list_names(Collection::Jobs, 100, None);
        ["ListCrawlers"] => list_names(Collection::Crawlers, 100, None);
        ["ListTriggers"] => list_names(Collection::Triggers, 100, None);
        ["ListWorkflows"] => list_names(Collection::Workflows, 100, None);
        ["GetConnections"] => list_names(Collection::Connections, 100, None);
        ["BatchGetJobs"] => definitions(Collection::Jobs, &names);
        ["BatchGetCrawlers"] => definitions(Collection::Crawlers, &names);
        ["BatchGetTriggers"] => definitions(Collection::Triggers, &names);
        ["BatchGetWorkflows"] => definitions(Collection::Workflows, &names);
        ["GetConnections"] => connection_documents(100, None);
        ["GetConnection"] => connection_document(None, "db");
        ["GetJob"] => job_document("etl");
        ["GetTables"] => table_documents("sales", None);
        ["GetDataflowGraph"] => dataflow_graph("print(1)");
        ["GetTrigger"] => trigger_document("etl");
        ["GetJobRun"] => job_run_document("etl", "jr_1");
        ["ListCrawls"] => crawl_document("etl", None);
        ["GetWorkflowRun"] => workflow_run_document("etl", "wr_1");
        ["GetObject"] => script(&script, 1024);
    }
}

/// The methods of a client that call AWS, by the adapter's source.
fn methods() -> BTreeSet<String> {
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/glue/aws");
    let files = adapter.read_dir().unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let sources = files.map(|path| std::fs::read_to_string(path).unwrap());
    let of_source = |source: String| {
        let blocks = source.split("\nimpl ").skip(1);
        let blocks = blocks.map(|block| block.split("\n}").next().unwrap_or_default());
        let names = blocks.flat_map(|block| {
            let (head, body) = block.split_once('\n').unwrap_or_default();
            let prefixes: &[_] = match head {
                "Glue {" => &["    pub async fn ", "    pub(in crate::glue) async fn "],
                "InventoryReader for Glue {" => &["    async fn "],
                _ => &[],
            };
            let name = |line: &str| {
                let rest = prefixes.iter().find_map(|prefix| line.strip_prefix(prefix))?;
                rest.split_once('(').map(|(name, _)| name.to_owned())
            };
            body.lines().filter_map(name).collect::<Vec<_>>()
        });
        names.collect::<Vec<_>>()
    };
    sources.flat_map(of_source).collect()
}

#[test]
fn no_call_of_the_adapter_is_forgotten() {
    let (ours, methods) = (include_str!("calls.rs"), methods());
    assert!(methods.len() > 60, "{methods:?}");
    let is_missing = |method: &&String| ![" => ", "glue."].iter().any(|by| ours.contains(&format!("{by}{method}(")));
    let missing: Vec<_> = methods.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "add them to calls.rs: {missing:?}");
}

#[test]
fn the_defects_of_an_error_are_noticed() {
    let of = |operation, object: &str, kind, code: &str, status| {
        let (object, code, message) = (object.to_owned(), code.to_owned(), String::new());
        let error = Error { operation, object, kind, code, message };
        Failed { method: "start_job_run", operations: &["StartJobRun"], error }.defect(status)
    };
    let has = |defect: Option<String>, words: &str| defect.is_some_and(|defect| defect.contains(words));
    assert_eq!(of("StartJobRun", "job etl", ErrorKind::Ambiguous, "Timeout", 200), None);
    assert_eq!(of("StartJobRun", "job etl", ErrorKind::Invalid, "InvalidInputException", 400), None);
    assert!(has(of("GetJob", "job etl", ErrorKind::Ambiguous, "Timeout", 200), "another operation"));
    assert!(has(of("StartJobRun", "", ErrorKind::Ambiguous, "Timeout", 200), "does not name"));
    assert!(has(of("StartJobRun", "job etl", ErrorKind::Ambiguous, "", 200), "no code"));
    for status in [200, 500] {
        assert!(has(of("StartJobRun", "job etl", ErrorKind::Transient, "Lost", status), "without a clear refusal"));
    }
}
