//! The resources in Glue that the samples name, and the access key that the samples use.

use std::time::Duration;

use kube_glue_double::{
    AccessKey, Changes, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition, LogLine, Outcome,
    RunPlan, RunScript,
};
use kube_glue_testbed::sample_resources::{self, files, into_table, visual};
use serde_json::json;

use crate::{environment::REGION, error::DemoError};

/// What a run that succeeds writes, a line a second.
const ORDERS_LOG: [&str; 3] =
    ["reading s3://example-landing/orders/2026-01-31", "12,408 orders, 3 without a customer", "written to raw.orders"];
/// What a run that fails writes, a line a second.
const CUSTOMERS_LOG: [&str; 3] = [
    "reading s3://example-landing/customers/2026-01-31",
    "Traceback (most recent call last):",
    "pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: \
     s3://example-landing/customers/2026-01-31.",
];

/// The script of a job without visual nodes: the controller finds what it reads and writes by its syntax tree.
const INVENTORY_SCRIPT: &str = r#"
import awswrangler as wr

orders = wr.s3.read_parquet_table(database="raw", table="orders")
customers = wr.s3.read_parquet_table(database="sales", table="customers")
stock = orders.merge(customers, on="customer")
wr.s3.to_parquet(stock, path="s3://example-lake/inventory", dataset=True)
"#;

/// Creates them; returns a description.
pub(crate) fn create(double: &Double) -> Result<String, DemoError> {
    double.define_access_key(&AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        account: DEFAULT_ACCOUNT.to_owned(),
        user: "kube-glue".to_owned(),
    });
    let plan = |outcome, logs: &[&str]| {
        let line = |(n, text): (u64, &&str)| LogLine::new(text).at(Duration::from_secs(n));
        RunScript::sequence([RunPlan {
            starting: Duration::from_secs(2),
            running: Duration::from_secs(6),
            stopping: Duration::from_secs(2),
            outcome,
            logs: (0..).zip(logs).map(line).collect(),
            ..RunPlan::default()
        }])
    };
    let message = "AnalysisException: Path does not exist: s3://example-landing/customers/2026-01-31";
    let jobs = [
        visual(
            JobDefinition::new("orders-etl").script(plan(Outcome::Succeeded, &ORDERS_LOG)),
            [files("s3://example-landing/orders"), into_table("raw", "orders")],
        ),
        visual(
            JobDefinition::new("customers-etl").script(plan(Outcome::Failed(message.to_owned()), &CUSTOMERS_LOG)),
            [files("s3://example-landing/customers"), into_table("raw", "customers")],
        ),
        JobDefinition::new("clicks-backfill").script(plan(Outcome::Never, &[])),
        JobDefinition::new("inventory-sync").command("pythonshell").script(plan(Outcome::Succeeded, &[])),
    ];
    let count = jobs.len();
    for job in jobs {
        double.define_job(DEFAULT_ACCOUNT, REGION, job);
    }
    double.put_object("scripts", "inventory-sync.py", INVENTORY_SCRIPT);
    let changes = Changes { tables_added: vec!["raw_orders".to_owned()], ..Changes::default() };
    let crawls = CrawlScript::default().running(Duration::from_secs(6)).stopping(Duration::from_secs(2));
    let crawler = CrawlerSettings::new("raw-orders");
    double.define_crawler(DEFAULT_ACCOUNT, REGION, crawler, crawls.changes(&changes))?;
    create_crawled_table(double)?;
    sample_resources::create_triggers(double, REGION, Duration::from_secs(6))?;
    sample_resources::create_workflows(double, REGION, Duration::from_secs(4))?;
    sample_resources::create_legacy_connection(double, REGION)?;
    Ok(format!("{count} jobs, two crawlers, three triggers and a connection"))
}

/// The table that the crawler `raw-orders` makes.
fn create_crawled_table(double: &Double) -> Result<(), DemoError> {
    let table = json!({"Name": "raw_orders", "Parameters": {"UPDATED_BY_CRAWLER": "raw-orders"}});
    for (operation, body) in [
        ("CreateDatabase", json!({"DatabaseInput": {"Name": "raw"}})),
        ("CreateTable", json!({"DatabaseName": "raw", "TableInput": table})),
    ] {
        double.call(DEFAULT_ACCOUNT, REGION, operation, &body)?;
    }
    Ok(())
}
