//! The resources in Glue that the samples name but do not create.

use std::time::Duration;

use kube_glue_double::{
    AwsError, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition, Outcome, RunScript,
};
use serde_json::{Value, json};

/// Creates the connection that a sample takes over, as if by hand.
///
/// # Errors
/// The double refuses the connection.
pub fn create_legacy_connection(double: &Double, region: &str) -> Result<(), AwsError> {
    let input = json!({"Name": "legacy-warehouse", "ConnectionType": "JDBC", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:redshift://old.example.com:5439/dev", "SECRET_ID": "warehouse/etl",
    }});
    double.call(DEFAULT_ACCOUNT, region, "CreateConnection", &json!({"ConnectionInput": input})).map(drop)
}

/// Creates the triggers of the samples, their workflow, and the crawler that they start, whose crawls take `crawling`.
///
/// # Errors
/// The double refuses one of them.
pub fn create_triggers(double: &Double, region: &str, crawling: Duration) -> Result<(), AwsError> {
    let crawls = CrawlScript::default().running(crawling).stopping(Duration::ZERO);
    double.define_crawler(DEFAULT_ACCOUNT, region, CrawlerSettings::new("orders"), crawls)?;
    let job = json!({"JobName": "orders-etl"});
    let ends = json!({"Conditions": [{"LogicalOperator": "EQUALS", "JobName": "orders-load", "State": "SUCCEEDED"}]});
    let by_time =
        json!({"Name": "orders-nightly", "Type": "SCHEDULED", "Schedule": "cron(15 2 * * ? *)", "Actions": [job]});
    let by_end = json!({"Name": "orders-after-load", "Type": "CONDITIONAL", "Predicate": ends, "Actions": [job]});
    let actions = json!([job, {"CrawlerName": "orders"}]);
    let by_hand = json!({"Name": "orders-refresh", "Type": "ON_DEMAND", "WorkflowName": "orders", "Actions": actions});
    double.call(DEFAULT_ACCOUNT, region, "CreateWorkflow", &json!({"Name": "orders"}))?;
    for trigger in [by_time, by_end, by_hand] {
        double.call(DEFAULT_ACCOUNT, region, "CreateTrigger", &trigger)?;
    }
    Ok(())
}

/// What a job of the samples reads and writes: one source and one target, as the nodes of a visual job.
#[must_use]
pub fn visual(mut job: JobDefinition, [source, target]: [Value; 2]) -> JobDefinition {
    let mut nodes = json!({"source": source, "target": target});
    for details in nodes["target"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        details["Inputs"] = json!(["source"]);
    }
    job.settings.rest.insert("CodeGenConfigurationNodes".to_owned(), nodes);
    job
}

/// A folder of S3 as a source of a visual job.
#[must_use]
pub fn files(path: &str) -> Value {
    json!({"S3ParquetSource": {"Name": "files", "Paths": [path]}})
}

/// A folder of S3 as a target of a visual job.
#[must_use]
pub fn into_files(path: &str) -> Value {
    json!({"S3DirectTarget": {"Name": "files", "Path": path, "Format": "parquet"}})
}

/// A table of the Data Catalog as a target of a visual job.
#[must_use]
pub fn into_table(database: &str, table: &str) -> Value {
    json!({"CatalogTarget": {"Name": "table", "Database": database, "Table": table}})
}

/// Creates the workflows of the samples, and the jobs that only they start: `customers-load` and then `customers-clean`,
/// which fails the first time, and `events-compact`, which never ends. Each job runs for `running`. The job `orders-etl` of
/// `orders-daily` exists already.
///
/// # Errors
/// The double refuses one of them.
pub fn create_workflows(double: &Double, region: &str, running: Duration) -> Result<(), AwsError> {
    let script =
        |script: RunScript| script.starting(Duration::ZERO).running(running).stopping(running).slot_lag(Duration::ZERO);
    let message = "AnalysisException: Path does not exist: s3://example-landing/customers/2026-01-31";
    let lake = "s3://example-lake/customers";
    for (name, plan, nodes) in [
        ("customers-load", RunScript::succeeds(), [files("s3://example-landing/customers"), into_files(lake)]),
        (
            "customers-clean",
            RunScript::fails(message).then(Outcome::Succeeded),
            [files(lake), into_table("sales", "customers")],
        ),
        (
            "events-compact",
            RunScript::never_ends(),
            [files("s3://example-landing/events"), into_files("s3://example-lake/events")],
        ),
    ] {
        let job = JobDefinition::new(name).max_concurrent_runs(5).script(script(plan));
        double.define_job(DEFAULT_ACCOUNT, region, visual(job, nodes));
    }
    let after =
        |job: &str| json!({"Conditions": [{"LogicalOperator": "EQUALS", "JobName": job, "State": "SUCCEEDED"}]});
    for (workflow, first, then) in [
        ("orders-daily", "orders-etl", None),
        ("customers-daily", "customers-load", Some("customers-clean")),
        ("events-compaction", "events-compact", None),
    ] {
        let settings = json!({"Name": workflow, "MaxConcurrentRuns": 1});
        double.call(DEFAULT_ACCOUNT, region, "CreateWorkflow", &settings)?;
        let begins = json!({"Name": format!("{workflow}-begins"), "WorkflowName": workflow, "Type": "ON_DEMAND",
            "Actions": [{"JobName": first}]});
        double.call(DEFAULT_ACCOUNT, region, "CreateTrigger", &begins)?;
        if let Some(then) = then {
            let goes_on = json!({"Name": format!("{workflow}-goes-on"), "WorkflowName": workflow, "Type": "CONDITIONAL",
                "StartOnCreation": true, "Predicate": after(first), "Actions": [{"JobName": then}]});
            double.call(DEFAULT_ACCOUNT, region, "CreateTrigger", &goes_on)?;
        }
    }
    Ok(())
}
