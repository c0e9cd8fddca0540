//! What Glue's answers say of a job, a connection, a crawler and the tables that it made. The answers are JSON with Glue's
//! own names. Nothing else of them is kept: they may contain credentials.

use std::collections::BTreeMap;

use serde_json::Value;

use super::connection::Connection;
use super::crawl::{Crawler, behind_connection};
use super::dataset::Locator;
use super::run::JobFacts;
use super::scripts::Language;
use super::visual::{Node, nodes};

/// A job as `GetJob` shows it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Job {
    /// All but what it reads and writes.
    pub facts: JobFacts,
    /// The nodes of a visual job.
    pub nodes: BTreeMap<String, Node>,
    /// The arguments that its runs have unless they are given others.
    pub default_arguments: BTreeMap<String, String>,
}

/// Reads `Job` of `GetJob`.
#[must_use]
pub fn job(document: &Value) -> Job {
    let command = &document["Command"];
    let script = text(command, "ScriptLocation");
    let language = document["DefaultArguments"]["--job-language"].as_str();
    let language = script.as_ref().map(|script| Language::of(language, script));
    let defaults = document["DefaultArguments"].as_object().into_iter().flatten();
    let defaults = defaults.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    let facts = JobFacts {
        description: text(document, "Description"),
        script,
        language,
        is_streaming: command["Name"] == "gluestreaming",
        glue_version: text(document, "GlueVersion"),
        ..JobFacts::default()
    };
    let nodes = nodes::read(&document["CodeGenConfigurationNodes"]);
    Job { facts, nodes, default_arguments: defaults.collect() }
}

/// Reads `Connection` of `GetConnection`.
#[must_use]
pub fn connection(document: &Value) -> Connection {
    let properties = document["ConnectionProperties"].as_object().into_iter().flatten();
    let properties = properties.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Connection::new(document["ConnectionType"].as_str().unwrap_or_default(), properties)
}

/// Reads a crawler of `BatchGetCrawlers`; with the database in which it makes tables.
#[must_use]
pub fn crawler(document: &Value) -> (Crawler, Option<String>) {
    let targets = &document["Targets"];
    let of = |kind: &str| targets[kind].as_array().map(Vec::as_slice).unwrap_or_default().to_vec();
    let uris = |value: &Value| -> Vec<Locator> {
        let paths = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        paths.map(|path| Locator::Uri(path.to_owned())).collect()
    };
    let mut crawler = Crawler { description: text(document, "Description"), ..Crawler::default() };
    for target in of("S3Targets") {
        crawler.targets.extend(text(&target, "Path").map(Locator::Uri));
    }
    for target in of("JdbcTargets").iter().chain(&of("MongoDBTargets")) {
        let named = target["ConnectionName"].as_str().zip(target["Path"].as_str());
        match named.and_then(|(connection, path)| behind_connection(connection, path)) {
            Some(table) => crawler.targets.push(table),
            None => crawler.patterns += 1,
        }
    }
    for target in of("DynamoDBTargets") {
        crawler.targets.extend(text(&target, "Path").map(Locator::DynamoDb));
    }
    for target in of("CatalogTargets") {
        let Some(database) = target["DatabaseName"].as_str() else { continue };
        let tables = target["Tables"].as_array().into_iter().flatten().filter_map(Value::as_str);
        crawler.targets.extend(tables.map(|table| Locator::table(database, table)));
    }
    for target in of("DeltaTargets") {
        crawler.targets.extend(uris(&target["DeltaTables"]));
    }
    for target in of("IcebergTargets").iter().chain(&of("HudiTargets")) {
        crawler.targets.extend(uris(&target["Paths"]));
    }
    (crawler, text(document, "DatabaseName"))
}

/// The tables of a page of `GetTables` that the crawler wrote. A crawler leaves its name in each of its tables (Glue
/// developer guide, "Parameters set on Data Catalog tables by crawler").
#[must_use]
pub fn tables_of<'a>(crawler: &str, tables: &'a [Value]) -> Vec<&'a str> {
    let is_own = |table: &&Value| table["Parameters"]["UPDATED_BY_CRAWLER"] == crawler;
    tables.iter().filter(is_own).filter_map(|table| table["Name"].as_str()).collect()
}

fn text(document: &Value, name: &str) -> Option<String> {
    document[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::lineage::dataset::Place;
    use crate::lineage::{crawl, visual};

    #[test]
    fn a_job_says_what_it_is_and_has_its_nodes() {
        let job = job(&json!({
            "Name": "etl", "Description": "Nightly", "GlueVersion": "5.0",
            "Command": {"Name": "gluestreaming", "ScriptLocation": "s3://scripts/etl.scala"},
            "DefaultArguments": {"--password": "hunter2"},
            "CodeGenConfigurationNodes": {"n1": {"S3CsvSource": {"Name": "in", "Paths": ["s3://lake/raw"]}}},
        }));
        let JobFacts { description, script, language, is_streaming, glue_version, .. } = job.facts;
        assert_eq!((description.as_deref(), script.as_deref()), (Some("Nightly"), Some("s3://scripts/etl.scala")));
        assert_eq!((language, is_streaming, glue_version.as_deref()), (Some(Language::Scala), true, Some("5.0")));
        assert_eq!(job.nodes["n1"].reads, [Locator::Uri("s3://lake/raw".to_owned())]);
        assert_eq!(super::job(&json!({})), Job::default());
    }

    #[test]
    fn a_crawler_says_all_its_targets_and_counts_patterns() {
        let (crawler, database) = crawler(&json!({
            "Name": "raw", "DatabaseName": "sales",
            "Targets": {
                "S3Targets": [{"Path": "s3://lake/raw"}],
                "JdbcTargets": [{"ConnectionName": "pg", "Path": "shop/public/orders"}, {"ConnectionName": "pg", "Path": "shop/%"}],
                "MongoDBTargets": [{"ConnectionName": "m", "Path": "shop/orders"}],
                "DynamoDBTargets": [{"Path": "Music"}],
                "CatalogTargets": [{"DatabaseName": "d", "Tables": ["t1", "t2"]}],
                "DeltaTargets": [{"DeltaTables": ["s3://lake/delta"]}],
                "IcebergTargets": [{"Paths": ["s3://lake/iceberg"]}],
                "HudiTargets": [{"Paths": ["s3://lake/hudi"]}],
            },
        }));
        assert_eq!((crawler.targets.len(), crawler.patterns, database.as_deref()), (9, 1, Some("sales")));
    }

    /// JSON with the members that are read, at any place and of any type.
    fn document() -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec![
            "Command",
            "ScriptLocation",
            "DefaultArguments",
            "--job-language",
            "CodeGenConfigurationNodes",
            "S3CsvSource",
            "DirectJDBCSource",
            "SnowflakeTarget",
            "SparkConnectorSource",
            "Name",
            "Inputs",
            "Paths",
            "Path",
            "Database",
            "Table",
            "Data",
            "Value",
            "Connection",
            "ConnectionName",
            "ConnectionType",
            "ConnectionOptions",
            "AdditionalOptions",
            "StreamingOptions",
            "TopicName",
            "ConnectionProperties",
            "JDBC_CONNECTION_URL",
            "HOST",
            "Targets",
            "S3Targets",
            "JdbcTargets",
            "CatalogTargets",
            "Tables",
            "DatabaseName",
            "Parameters",
        ]);
        let text = prop_oneof![
            "\\PC{0,30}",
            prop::sample::select(vec!["jdbc:postgresql://h/d", "s3://b/k", "n1", "custom.jdbc", "kafka", "a/b/%", ""])
                .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::from)
        ];
        leaf.prop_recursive(6, 60, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        /// Whatever an answer has in it: nothing panics, and what is found is bounded and well-formed.
        #[test]
        fn no_answer_makes_it_panic(document in document(), other in document()) {
            let place = Place { region: "r".to_owned(), account: "1".to_owned() };
            let job = job(&document);
            let named = visual::connections(&job.nodes).into_iter().map(|name| (name.to_owned(), connection(&other)));
            let findings = visual::findings(&job.nodes, &place, &named.collect());
            let (crawler, _) = crawler(&document);
            let crawled = crawl::findings(&crawler, &place, &BTreeMap::new());
            for dataset in findings.inputs.keys().chain(findings.outputs.keys()).chain(crawled.inputs.keys()) {
                prop_assert!(!dataset.name.is_empty() && !dataset.namespace.is_empty());
            }
            let _ = tables_of("raw", std::slice::from_ref(&document));
        }
    }

    #[test]
    fn a_table_names_the_crawler_that_wrote_it() {
        let tables = [
            json!({"Name": "orders", "Parameters": {"UPDATED_BY_CRAWLER": "raw"}}),
            json!({"Name": "items", "Parameters": {"UPDATED_BY_CRAWLER": "other"}}),
            json!({"Name": "manual"}),
        ];
        assert_eq!(tables_of("raw", &tables), ["orders"]);
    }

    #[test]
    fn a_connection_keeps_no_credentials() {
        let connection = connection(&json!({
            "ConnectionType": "JDBC",
            "ConnectionProperties": {"JDBC_CONNECTION_URL": "jdbc:mysql://h/d", "USERNAME": "u", "PASSWORD": "p"},
        }));
        assert_eq!(connection.type_, "JDBC");
        assert_eq!(connection.properties.keys().collect::<Vec<_>>(), ["JDBC_CONNECTION_URL"]);
    }
}
