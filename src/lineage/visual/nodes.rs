//! The nodes as `GetJob` shows them: each is an object whose only member is named by the type of the node (Glue API
//! reference, `CodeGenConfigurationNode`).
//!
//! The types are many, and new ones come; what says where data is has one name in all of them. So a node is read by its
//! members, and a source or target without any of these is opaque.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{MAX_NODES, Node, Opaque, left_out};
use crate::lineage::dataset::{Direction, Locator};
use crate::lineage::scripts::literal;

/// The nodes by their ids.
#[must_use]
pub fn read(document: &Value) -> BTreeMap<String, Node> {
    let all = document.as_object();
    let nodes = all.into_iter().flatten().take(MAX_NODES);
    let read = nodes.filter_map(|(id, node)| Some((id.clone(), of(node)?)));
    read.chain(left_out(all.map_or(0, serde_json::Map::len))).collect()
}

fn of(node: &Value) -> Option<Node> {
    let (type_, members) = node.as_object()?.iter().next()?;
    let name = text(members, "Name").unwrap_or(type_.as_str()).to_owned();
    let inputs = members["Inputs"].as_array().into_iter().flatten();
    let inputs = inputs.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut read = Node { name, inputs, ..Node::default() };
    let direction = if type_.ends_with("Source") {
        Direction::Input
    } else if type_.ends_with("Target") {
        Direction::Output
    } else {
        return Some(read);
    };
    match (locators(type_, members), direction) {
        (Some(found), _) if found.is_empty() => read.opaque = Some(Opaque::NoPlace(direction)),
        (Some(found), Direction::Input) => read.reads = found,
        (Some(found), Direction::Output) => read.writes = found,
        (None, direction) => read.opaque = Some(Opaque::NoPlace(direction)),
    }
    Some(read)
}

/// Where the data of a source or target is.
fn locators(type_: &str, members: &Value) -> Option<Vec<Locator>> {
    let streaming = &members["StreamingOptions"];
    let options = &members["AdditionalOptions"];
    if members["Data"].is_object() {
        return data(members);
    }
    if let (Some(database), Some(table)) = (text(members, "Database"), text(members, "Table")) {
        return Some(vec![match text(members, "ConnectionName") {
            Some(connection) => behind(connection, Some(database), table),
            None => Locator::table(database, table),
        }]);
    }
    if streaming.is_object() {
        return stream(streaming).map(|locator| vec![locator]);
    }
    if let Some(connection) = text(members, "ConnectionName") {
        if let Some(table) = text(members, "ConnectionTable") {
            let table = text(members, "SchemaName").map_or(table.to_owned(), |schema| format!("{schema}.{table}"));
            return Some(vec![behind(connection, None, &table)]);
        }
        let mut options = texts(options);
        options.insert("connectionname".to_owned(), vec![connection.to_owned()]);
        return literal::locators(text(members, "ConnectionType").unwrap_or(type_), &options);
    }
    if let Some(paths) = members["Paths"].as_array() {
        return paths.iter().map(|path| path.as_str().map(|path| Locator::Uri(path.to_owned()))).collect();
    }
    if let Some(path) = text(members, "Path") {
        return Some(vec![Locator::Uri(path.to_owned())]);
    }
    // DynamoDBELTConnectorSource
    let arn = text(&members["ConnectionOptions"], "DynamodbTableArn")?;
    Some(vec![Locator::DynamoDb(arn.to_owned())])
}

/// `AmazonRedshiftNodeData`, `SnowflakeNodeData`, or the options of a connector.
fn data(members: &Value) -> Option<Vec<Locator>> {
    let data = &members["Data"];
    if let Some(type_) = text(members, "ConnectionType") {
        return literal::locators(type_, &texts(data));
    }
    if text(data, "SourceType").is_some_and(|type_| type_.eq_ignore_ascii_case("query")) {
        return None;
    }
    if let (Some(database), Some(table)) = (option(data, "CatalogDatabase"), option(data, "CatalogTable")) {
        return Some(vec![Locator::table(database, table)]);
    }
    let (connection, table) = (option(data, "Connection")?, option(data, "Table")?);
    let table = option(data, "Schema").map_or(table.to_owned(), |schema| format!("{schema}.{table}"));
    Some(vec![behind(connection, option(data, "Database"), &table)])
}

/// `KafkaStreamingSourceOptions` or `KinesisStreamingSourceOptions`.
fn stream(options: &Value) -> Option<Locator> {
    if let Some(stream) = text(options, "StreamArn").or_else(|| text(options, "StreamName")) {
        return Some(Locator::Kinesis(stream.to_owned()));
    }
    let topic = text(options, "TopicName")?;
    if let Some(connection) = text(options, "ConnectionName") {
        return Some(behind(connection, None, topic));
    }
    let servers = text(options, "BootstrapServers")?.to_owned();
    Some(Locator::Kafka { servers, topic: topic.to_owned() })
}

fn behind(connection: &str, database: Option<&str>, table: &str) -> Locator {
    Locator::Connection { name: connection.to_owned(), database: database.map(str::to_owned), table: table.to_owned() }
}

fn text<'a>(members: &'a Value, name: &str) -> Option<&'a str> {
    members[name].as_str().filter(|text| !text.is_empty())
}

/// A text, or the value of an `Option`.
fn option<'a>(members: &'a Value, name: &str) -> Option<&'a str> {
    text(members, name).or_else(|| text(&members[name], "Value"))
}

/// The members that are texts, as options are.
fn texts(members: &Value) -> BTreeMap<String, Vec<String>> {
    let members = members.as_object().into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), vec![value.as_str()?.to_owned()]))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(connection: &str, database: Option<&str>, table: &str) -> Vec<Locator> {
        vec![behind(connection, database, table)]
    }

    #[test]
    fn each_type_of_node_says_where_its_data_is() {
        let uri = |uri: &str| vec![Locator::Uri(uri.to_owned())];
        for (type_, members, expected) in [
            ("S3CsvSource", json!({"Paths": ["s3://lake/raw"]}), uri("s3://lake/raw")),
            ("S3DirectTarget", json!({"Path": "s3://lake/out"}), uri("s3://lake/out")),
            ("CatalogSource", json!({"Database": "sales", "Table": "orders"}), vec![Locator::table("sales", "orders")]),
            (
                "CatalogKafkaSource",
                json!({"Database": "sales", "Table": "clicks", "StreamingOptions": {"TopicName": "x"}}),
                vec![Locator::table("sales", "clicks")],
            ),
            (
                "DirectJDBCSource",
                json!({"ConnectionName": "pg", "Database": "shop", "Table": "orders"}),
                table("pg", Some("shop"), "orders"),
            ),
            (
                "JDBCConnectorTarget",
                json!({"ConnectionName": "pg", "ConnectionTable": "public.orders", "ConnectionType": "custom.jdbc"}),
                table("pg", None, "public.orders"),
            ),
            (
                "SparkConnectorSource",
                json!({"ConnectionName": "d", "ConnectionType": "marketplace.spark", "AdditionalOptions": {"path": "s3://l/d"}}),
                uri("s3://l/d"),
            ),
            (
                "DirectKafkaSource",
                json!({"StreamingOptions": {"BootstrapServers": "b:9092", "TopicName": "clicks"}}),
                vec![Locator::Kafka { servers: "b:9092".to_owned(), topic: "clicks".to_owned() }],
            ),
            (
                "DirectKinesisSource",
                json!({"StreamingOptions": {"StreamArn": "arn:s"}}),
                vec![Locator::Kinesis("arn:s".to_owned())],
            ),
            (
                "AmazonRedshiftTarget",
                json!({"Data": {"Connection": {"Value": "rs"}, "Schema": {"Value": "public"}, "Table": {"Value": "t"}}}),
                table("rs", None, "public.t"),
            ),
            (
                "SnowflakeSource",
                json!({"Data": {"Connection": {"Value": "sf"}, "Database": "D", "Schema": "S", "Table": "T", "SourceType": "table"}}),
                table("sf", Some("D"), "S.T"),
            ),
            (
                "ConnectorDataSource",
                json!({"ConnectionType": "bigquery", "Data": {"connectionName": "bq", "parentProject": "p", "table": "d.t"}}),
                table("bq", None, "p.d.t"),
            ),
            (
                "DynamoDBELTConnectorSource",
                json!({"ConnectionOptions": {"DynamodbTableArn": "arn:t"}}),
                vec![Locator::DynamoDb("arn:t".to_owned())],
            ),
        ] {
            let mut members = members;
            members["Name"] = json!("it");
            let nodes = read(&json!({"n1": {type_: members}}));
            let node = &nodes["n1"];
            let found = if type_.ends_with("Source") { &node.reads } else { &node.writes };
            assert_eq!((node.name.as_str(), found, node.opaque), ("it", &expected, None), "{type_}");
        }
    }

    #[test]
    fn a_source_without_a_place_is_opaque_and_a_transform_is_neither() {
        let nodes = read(&json!({
            "n1": {"SnowflakeSource": {"Name": "q", "Data": {"SourceType": "query", "Table": "T"}}},
            "n2": {"FutureTarget": {"Name": "f", "Inputs": ["n1", 7]}},
            "n3": {"ApplyMapping": {"Name": "m", "Inputs": ["n1"], "Path": "s3://no/place"}},
            "n4": {"S3CsvSource": {"Name": "none", "Paths": []}},
            "n5": "no node", "n6": {},
        }));
        let opaque = |id: &str| nodes[id].opaque;
        assert_eq!([opaque("n1"), opaque("n4")], [Some(Opaque::NoPlace(Direction::Input)); 2]);
        assert_eq!((opaque("n2"), opaque("n3")), (Some(Opaque::NoPlace(Direction::Output)), None));
        assert_eq!(nodes["n2"].inputs, ["n1"]);
        assert!(nodes["n3"].reads.is_empty() && nodes["n3"].writes.is_empty());
        assert_eq!(nodes.len(), 4);
        assert!(read(&json!(null)).is_empty());
    }

    #[test]
    fn the_nodes_beyond_the_bound_are_counted() {
        let node = || json!({"S3CsvSource": {"Name": "raw", "Paths": ["s3://lake/raw"]}});
        let of = |count: usize| read(&(0..count).map(|n| (format!("n{n:04}"), node())).collect());
        assert_eq!(of(MAX_NODES).len(), MAX_NODES);
        let nodes = of(MAX_NODES + 20);
        assert_eq!((nodes.len(), nodes["and 20 more"].opaque), (MAX_NODES + 1, Some(Opaque::LeftOut)));
    }
}
