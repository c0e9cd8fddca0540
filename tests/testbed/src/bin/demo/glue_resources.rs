//! The resources in Glue that the samples name, and the access key that the samples use.

use std::time::Duration;

use kube_glue_double::{
    AccessKey, Changes, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition, Outcome, RunPlan,
    RunScript,
};
use serde_json::json;

use crate::{environment::REGION, error::DemoError};

/// Creates them; returns a description.
pub(crate) fn create(double: &Double) -> Result<String, DemoError> {
    double.define_access_key(&AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        account: DEFAULT_ACCOUNT.to_owned(),
        user: "kube-glue".to_owned(),
    });
    let plan = |outcome| {
        RunScript::sequence([RunPlan {
            starting: Duration::from_secs(2),
            running: Duration::from_secs(6),
            stopping: Duration::from_secs(2),
            outcome,
            ..RunPlan::default()
        }])
    };
    let message = "AnalysisException: Path does not exist: s3://example-landing/customers/2026-01-31";
    let jobs = [
        JobDefinition::new("orders-etl").script(plan(Outcome::Succeeded)),
        JobDefinition::new("customers-etl").script(plan(Outcome::Failed(message.to_owned()))),
        JobDefinition::new("clicks-backfill").script(plan(Outcome::Never)),
        JobDefinition::new("inventory-sync").command("pythonshell").script(plan(Outcome::Succeeded)),
    ];
    let count = jobs.len();
    for job in jobs {
        double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }
    let changes = Changes { tables_added: vec!["raw_orders".to_owned()], ..Changes::default() };
    let crawls = CrawlScript::default().running(Duration::from_secs(6)).stopping(Duration::from_secs(2));
    let crawler = CrawlerSettings::new("raw-orders");
    double.define_crawler(DEFAULT_ACCOUNT, REGION, crawler, crawls.changes(&changes))?;
    create_triggers(double)?;
    let by_hand = json!({"Name": "legacy-warehouse", "ConnectionType": "JDBC", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:redshift://old.example.com:5439/dev", "SECRET_ID": "warehouse/etl",
    }});
    double.call(DEFAULT_ACCOUNT, REGION, "CreateConnection", &json!({"ConnectionInput": by_hand}))?;
    Ok(format!("{count} jobs, two crawlers, three triggers and a connection"))
}

/// The triggers of the samples, and the crawler that they start.
fn create_triggers(double: &Double) -> Result<(), DemoError> {
    let crawls = CrawlScript::default().running(Duration::from_secs(6)).stopping(Duration::ZERO);
    double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("orders"), crawls)?;
    let job = json!({"JobName": "orders-etl"});
    let ends = json!({"Conditions": [{"LogicalOperator": "EQUALS", "JobName": "orders-load", "State": "SUCCEEDED"}]});
    let by_time =
        json!({"Name": "orders-nightly", "Type": "SCHEDULED", "Schedule": "cron(15 2 * * ? *)", "Actions": [job]});
    let by_end = json!({"Name": "orders-after-load", "Type": "CONDITIONAL", "Predicate": ends, "Actions": [job]});
    let actions = json!([job, {"CrawlerName": "orders"}]);
    let by_hand = json!({"Name": "orders-refresh", "Type": "ON_DEMAND", "WorkflowName": "orders", "Actions": actions});
    double.call(DEFAULT_ACCOUNT, REGION, "CreateWorkflow", &json!({"Name": "orders"}))?;
    for trigger in [by_time, by_end, by_hand] {
        double.call(DEFAULT_ACCOUNT, REGION, "CreateTrigger", &trigger)?;
    }
    Ok(())
}
