//! Where the options of a reader or writer lead to (Glue developer guide, "Connection types and options for ETL in AWS
//! Glue for Spark", and the documentation of the Spark connectors).

use std::collections::BTreeMap;

use super::value::{Place, Value};
use crate::lineage::dataset::Locator;

const NOT_LITERAL: &str = "its place is not a literal";
const QUERY: &str = "it reads a query of the database";
const NO_PLACE: &str = "this kind of source or target names no dataset";

/// The options of a reader or writer, by their names in lower case.
type Options = BTreeMap<String, Value>;

/// The places that a connection of this type, or a Spark source of this format, leads to. There is at least one.
pub(super) fn places(type_: &str, options: &Options) -> Vec<Place> {
    let type_ = type_.to_ascii_lowercase();
    match type_.as_str() {
        "s3"
        | "file"
        | "parquet"
        | "orc"
        | "csv"
        | "json"
        | "text"
        | "avro"
        | "xml"
        | "delta"
        | "hudi"
        | "binaryfile"
        | "org.apache.hudi"
        | "com.databricks.spark.csv"
        | "com.databricks.spark.xml"
        | "org.apache.spark.sql.parquet"
        | "com.databricks.spark.avro"
        | "excel"
        | "com.crealytics.spark.excel" => files(options),
        "jdbc"
        | "mysql"
        | "postgresql"
        | "oracle"
        | "sqlserver"
        | "redshift"
        | "custom.jdbc"
        | "marketplace.jdbc"
        | "teradata"
        | "azuresql"
        | "vertica"
        | "saphana"
        | "com.databricks.spark.redshift"
        | "io.github.spark_redshift_community.spark.redshift"
        | "io.github.spark_redshift_community.spark.redshift.defaultsource" => {
            vec![jdbc(options)]
        }
        "dynamodb" => vec![dynamo_db(options)],
        "kafka" => vec![kafka(options)],
        "kinesis" | "aws-kinesis" => vec![kinesis(options)],
        "mongodb" | "documentdb" | "mongo" | "com.mongodb.spark.sql.defaultsource" => vec![mongodb(options)],
        "snowflake" | "net.snowflake.spark.snowflake" => vec![snowflake(options)],
        "bigquery" => vec![big_query(options)],
        "opensearch" | "org.opensearch.spark.sql" | "es" | "org.elasticsearch.spark.sql" => vec![open_search(options)],
        "marketplace.spark" | "custom.spark" if options.contains_key("path") => files(options),
        "marketplace.spark" | "custom.spark" | "custom.athena" | "marketplace.athena" => vec![by_connection(options)],
        _ => vec![Err(NO_PLACE)],
    }
}

/// An option with a text; an error where it is there and not known.
fn text<'a>(options: &'a Options, names: &[&str]) -> Result<Option<&'a str>, &'static str> {
    let Some(value) = names.iter().find_map(|name| options.get(*name)) else { return Ok(None) };
    value.as_text().map(Some).ok_or(NOT_LITERAL)
}

fn required<'a>(options: &'a Options, names: &[&str]) -> Result<&'a str, &'static str> {
    text(options, names)?.ok_or(NOT_LITERAL)
}

/// Files by `path` or `paths`.
pub(super) fn files(options: &Options) -> Vec<Place> {
    let paths: Vec<_> = ["path", "paths"].iter().filter_map(|name| options.get(*name)).flat_map(uris).collect();
    if paths.is_empty() { vec![Err(NOT_LITERAL)] } else { paths }
}

/// The files that a value names: one path, or a list.
pub(super) fn uris(value: &Value) -> Vec<Place> {
    match value {
        Value::Text(path) => {
            // Some write a list of paths as JSON.
            let list = path.trim_start().starts_with('[').then(|| serde_json::from_str::<Vec<String>>(path).ok());
            match list.flatten() {
                Some(paths) => paths.into_iter().map(|path| Ok(Locator::Uri(path))).collect(),
                None => vec![Ok(Locator::Uri(path.to_string()))],
            }
        }
        Value::List(paths) if !paths.is_empty() => {
            let path = |path: &Value| path.as_text().map(|path| Locator::Uri(path.to_owned())).ok_or(NOT_LITERAL);
            paths.iter().map(path).collect()
        }
        _ => vec![Err(NOT_LITERAL)],
    }
}

/// The table of options: `dbtable` of Spark and Glue.
fn table(options: &Options) -> Result<&str, &'static str> {
    if ["query", "samplequery", "hashexpression_query"].iter().any(|name| options.contains_key(*name))
        && !options.contains_key("dbtable")
    {
        return Err(QUERY);
    }
    required(options, &["dbtable", "tablename", "table", "entity_name"])
}

fn by_connection(options: &Options) -> Place {
    let name = required(options, &["connectionname"])?.to_owned();
    Ok(Locator::Connection {
        name,
        database: text(options, &["database"])?.map(str::to_owned),
        table: table(options)?.to_owned(),
    })
}

fn jdbc(options: &Options) -> Place {
    if options.contains_key("connectionname") {
        return by_connection(options);
    }
    let url = required(options, &["url"])?.to_owned();
    Ok(Locator::Jdbc { url, table: table(options)?.to_owned() })
}

fn dynamo_db(options: &Options) -> Place {
    let names = ["dynamodb.input.tablename", "dynamodb.output.tablename", "dynamodb.tablearn", "tablename"];
    Ok(Locator::DynamoDb(required(options, &names)?.to_owned()))
}

fn kafka(options: &Options) -> Place {
    let topic = required(options, &["topicname", "topic", "subscribe"])?;
    if topic.contains(',') {
        return Err("it subscribes to several topics");
    }
    if let Some(name) = text(options, &["connectionname"])? {
        return Ok(Locator::Connection { name: name.to_owned(), database: None, table: topic.to_owned() });
    }
    let servers = required(options, &["bootstrap.servers", "kafka.bootstrap.servers"])?.to_owned();
    Ok(Locator::Kafka { servers, topic: topic.to_owned() })
}

fn kinesis(options: &Options) -> Place {
    Ok(Locator::Kinesis(
        required(options, &["streamarn", "kinesis.streamarn", "streamname", "kinesis.streamname"])?.to_owned(),
    ))
}

fn mongodb(options: &Options) -> Place {
    let collection =
        required(options, &["collection", "spark.mongodb.input.collection", "spark.mongodb.output.collection"])?;
    let database = text(options, &["database"])?;
    if let Some(name) = text(options, &["connectionname"])? {
        let database = database.map(str::to_owned);
        return Ok(Locator::Connection { name: name.to_owned(), database, table: collection.to_owned() });
    }
    let uri = required(options, &["connection.uri", "uri", "connection_uri"])?.to_owned();
    let database = database.ok_or(NOT_LITERAL)?.to_owned();
    Ok(Locator::MongoDb { uri, database, collection: collection.to_owned() })
}

fn snowflake(options: &Options) -> Place {
    if options.contains_key("query") && !options.contains_key("dbtable") {
        return Err(QUERY);
    }
    let part = |names: &[&str]| required(options, names).map(str::to_owned);
    let table = part(&["dbtable", "table"])?;
    if let Some(name) = text(options, &["connectionname"])? {
        let database = text(options, &["sfdatabase", "database"])?;
        let schema = text(options, &["sfschema", "schema"])?;
        let table = schema.filter(|_| !table.contains('.')).map_or(table.clone(), |schema| format!("{schema}.{table}"));
        return Ok(Locator::Connection { name: name.to_owned(), database: database.map(str::to_owned), table });
    }
    Ok(Locator::Snowflake {
        url: part(&["sfurl"])?,
        database: text(options, &["sfdatabase"])?.unwrap_or_default().to_owned(),
        schema: text(options, &["sfschema"])?.unwrap_or_default().to_owned(),
        table,
    })
}

fn big_query(options: &Options) -> Place {
    let table = required(options, &["table", "path"])?;
    let project = text(options, &["parentproject", "project"])?;
    if let Some(name) = text(options, &["connectionname"])? {
        let table = match (project, table.split('.').count()) {
            (Some(project), 2) => format!("{project}.{table}"),
            _ => table.to_owned(),
        };
        return Ok(Locator::Connection { name: name.to_owned(), database: None, table });
    }
    let is_whole = table.split(['.', ':']).count() == 3;
    match project {
        Some(project) if !is_whole => Ok(Locator::BigQuery(format!("{project}.{table}"))),
        _ => Ok(Locator::BigQuery(table.to_owned())),
    }
}

fn open_search(options: &Options) -> Place {
    let index = required(options, &["opensearch.resource", "es.resource", "path", "resource"])?.to_owned();
    if let Some(name) = text(options, &["connectionname"])? {
        return Ok(Locator::Connection { name: name.to_owned(), database: None, table: index });
    }
    let nodes = required(options, &["opensearch.nodes", "es.nodes"])?;
    let node = match text(options, &["opensearch.port", "es.port"])? {
        Some(port) if !nodes.rsplit(':').next().is_some_and(|end| end.chars().all(|c| c.is_ascii_digit())) => {
            format!("{}:{port}", nodes.split(',').next().unwrap_or_default().trim_end_matches('/'))
        }
        _ => nodes.to_owned(),
    };
    Ok(Locator::OpenSearch { node, index })
}
