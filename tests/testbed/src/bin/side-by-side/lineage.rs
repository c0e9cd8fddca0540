//! The jobs of the account that read and write datasets, and the edges between these: what the nodes and scripts say to
//! whoever reads them.

use std::collections::BTreeSet;

use kube_glue_double::JobDefinition;
use serde_json::{Value, json};

/// An edge from a dataset to one that is made of it.
pub(crate) type Edge = (String, String);

/// The script of a job: what it reads and writes, or nothing.
pub(crate) fn script(job: &str) -> &'static str {
    match job {
        "script" => SCRIPT,
        "script-with-names" => SCRIPT_WITH_NAMES,
        _ => "",
    }
}

/// Two tables, each made of one file; a line that somebody has switched off.
const SCRIPT: &str = r#"
orders = spark.read.parquet("s3://lake/raw/orders")
# orders = spark.read.parquet("s3://lake/raw/orders-of-2019")
orders.write.saveAsTable("sales.orders")
customers = spark.read.json("s3://lake/raw/customers")
customers.write.parquet("s3://lake/clean/customers")
"#;

/// A path that has a name of its own.
const SCRIPT_WITH_NAMES: &str = r#"
source = "s3://lake/raw/clicks"
clicks = spark.read.parquet(source)
clicks.write.parquet("s3://lake/clean/clicks")
"#;

/// All edges.
const EDGES: [(&str, &str); 6] = [
    // visual
    ("s3://lake/landing/orders", "s3://lake/joined/orders"),
    ("s3://lake/landing/customers", "s3://lake/joined/orders"),
    ("s3://lake/landing/clicks", "sales.clicks"),
    // script
    ("s3://lake/raw/orders", "sales.orders"),
    ("s3://lake/raw/customers", "s3://lake/clean/customers"),
    // script-with-names
    ("s3://lake/raw/clicks", "s3://lake/clean/clicks"),
];

/// The edges that are there.
pub(crate) fn edges() -> BTreeSet<Edge> {
    EDGES.map(|(from, to)| (from.to_owned(), to.to_owned())).into()
}

/// The jobs.
pub(crate) fn jobs() -> Vec<JobDefinition> {
    let mut visual = JobDefinition::new("visual");
    visual.settings.rest.insert("CodeGenConfigurationNodes".to_owned(), nodes());
    vec![visual, JobDefinition::new("script"), JobDefinition::new("script-with-names")]
}

/// Two files that are joined into one, and a third that becomes a table.
fn nodes() -> Value {
    json!({
        "n1": {"S3CsvSource": {"Name": "orders", "Paths": ["s3://lake/landing/orders"]}},
        "n2": {"S3JsonSource": {"Name": "customers", "Paths": ["s3://lake/landing/customers"]}},
        "n3": {"Join": {"Name": "join", "Inputs": ["n1", "n2"]}},
        "n4": {"S3DirectTarget": {"Name": "joined", "Inputs": ["n3"], "Path": "s3://lake/joined/orders"}},
        "n5": {"S3ParquetSource": {"Name": "clicks", "Paths": ["s3://lake/landing/clicks"]}},
        "n6": {"CatalogTarget": {"Name": "table", "Inputs": ["n5"], "Database": "sales", "Table": "clicks"}},
    })
}
