//! The resources in Glue that the samples name but do not create.

use std::time::Duration;

use kube_glue_double::{AwsError, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double};
use serde_json::json;

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
