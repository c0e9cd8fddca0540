//! Where data is, as a job says it, and the dataset that it is.

use std::collections::BTreeMap;

use super::{DatasetId, Evidence, host, jdbc, uri};
use crate::lineage::connection::Connection;

/// Where names of the Data Catalog mean something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The AWS region.
    pub region: String,
    /// The AWS account.
    pub account: String,
}

/// Where data is, in the words of a job: a literal of its script, or a field of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locator {
    /// A file or folder.
    Uri(String),
    /// A table of the Data Catalog.
    Table {
        /// The account whose catalog it is; `None` for the job's own.
        catalog: Option<String>,
        /// The database.
        database: String,
        /// The table.
        table: String,
    },
    /// A table behind a JDBC URL.
    Jdbc {
        /// The URL.
        url: String,
        /// The table.
        table: String,
    },
    /// A table, topic, collection or index behind a connection of the Data Catalog.
    Connection {
        /// The connection.
        name: String,
        /// The database, where it is named apart from the table.
        database: Option<String>,
        /// What it leads to.
        table: String,
    },
    /// A topic of Kafka.
    Kafka {
        /// The bootstrap servers, separated by commas.
        servers: String,
        /// The topic.
        topic: String,
    },
    /// A stream of Kinesis, by its name or ARN.
    Kinesis(String),
    /// A table of DynamoDB, by its name or ARN.
    DynamoDb(String),
    /// A collection of MongoDB or DocumentDB.
    MongoDb {
        /// The URI.
        uri: String,
        /// The database.
        database: String,
        /// The collection.
        collection: String,
    },
    /// A table of BigQuery: `project.dataset.table`.
    BigQuery(String),
    /// An index of OpenSearch or Elasticsearch.
    OpenSearch {
        /// The first node, with its port.
        node: String,
        /// The index.
        index: String,
    },
    /// A table of Snowflake.
    Snowflake {
        /// The account's URL or host.
        url: String,
        /// The database.
        database: String,
        /// The schema.
        schema: String,
        /// The table.
        table: String,
    },
}

impl Locator {
    /// A table of the job's own catalog.
    #[must_use]
    pub fn table(database: impl Into<String>, table: impl Into<String>) -> Self {
        Self::Table { catalog: None, database: database.into(), table: table.into() }
    }

    /// The connection that it needs to be named.
    #[must_use]
    pub fn connection(&self) -> Option<&str> {
        match self {
            Self::Connection { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The dataset, and how it is known if the locator itself is known by `evidence`. The error says why it has no name,
    /// without values of the job.
    pub fn resolve(
        &self,
        place: &Place,
        connections: &BTreeMap<String, Connection>,
        evidence: Evidence,
    ) -> Result<(DatasetId, Evidence), &'static str> {
        let named = match self {
            Self::Uri(uri) => uri::dataset(uri).ok_or("its URI names no file of a known file system"),
            Self::Table { catalog, database, table } => {
                let account = catalog.as_deref().unwrap_or(&place.account);
                DatasetId::table(&place.region, account, database, table).ok_or("its database or table is empty")
            }
            Self::Jdbc { url, table } => {
                let database = jdbc::database(url).ok_or("its JDBC URL names no host of a known database")?;
                database.table(table).ok_or("it is a query, or its table is empty")
            }
            Self::Connection { name, database, table } => {
                let connection = connections.get(name).ok_or("its connection could not be read")?;
                let named = connection.dataset(place, database.as_deref(), table);
                return named.map(|dataset| (dataset, Evidence::Connection));
            }
            Self::Kafka { servers, topic } => kafka(servers, topic).ok_or("its servers or its topic name nothing"),
            Self::Kinesis(stream) => {
                aws_resource(stream, "kinesis", "stream", place).ok_or("its name is none of a stream")
            }
            Self::DynamoDb(table) => {
                aws_resource(table, "dynamodb", "table", place).ok_or("its name is none of a table")
            }
            Self::MongoDb { uri, database, collection } => {
                mongodb(uri, database, collection).ok_or("its URI, database or collection names nothing")
            }
            Self::BigQuery(table) => big_query(table).ok_or("it does not name project, dataset and table"),
            Self::OpenSearch { node, index } => open_search(node, index).ok_or("its node or its index names nothing"),
            Self::Snowflake { url, database, schema, table } => {
                snowflake(url, database, schema, table).ok_or("its account, database, schema or table names nothing")
            }
        };
        named.map(|dataset| (dataset, evidence))
    }
}

/// The first `host:port` of a list, without scheme, path and credentials.
pub(crate) fn first_host(servers: &str, port: Option<&str>) -> Option<String> {
    let servers = servers.trim();
    let host = host::first(servers.split_once("://").map_or(servers, |(_, rest)| rest))?;
    Some(port.map_or_else(|| host.to_string(), |port| host.with_port(port)))
}

/// A topic of Kafka.
pub(crate) fn kafka(servers: &str, topic: &str) -> Option<DatasetId> {
    DatasetId::new(format!("kafka://{}", first_host(servers, Some("9092"))?), topic)
}

/// A collection of MongoDB. The naming page has none: it is named as databases are.
pub(crate) fn mongodb(uri: &str, database: &str, collection: &str) -> Option<DatasetId> {
    if database.is_empty() || collection.is_empty() {
        return None;
    }
    // A name of a seed list has no port.
    let port = (!uri.trim().starts_with("mongodb+srv:")).then_some("27017");
    DatasetId::new(format!("mongodb://{}", first_host(uri, port)?), format!("{database}.{collection}"))
}

/// An index of OpenSearch. The naming page has none: it is named as topics are.
pub(crate) fn open_search(node: &str, index: &str) -> Option<DatasetId> {
    DatasetId::new(format!("opensearch://{}", first_host(node, Some("443"))?), index)
}

/// A table of Snowflake.
pub(crate) fn snowflake(url: &str, database: &str, schema: &str, table: &str) -> Option<DatasetId> {
    let host = first_host(url, None)?;
    let host = host.split(':').next()?;
    let account = host.strip_suffix(".snowflakecomputing.com").unwrap_or(host);
    let is_plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '(');
    if !is_plain(table) {
        return None;
    }
    // A table can name its database and schema itself.
    let missing = match table.split('.').count() {
        1 => vec![database, schema],
        2 => vec![database],
        _ => Vec::new(),
    };
    if !missing.iter().all(|part| is_plain(part)) {
        return None;
    }
    let name = missing.into_iter().chain([table]).collect::<Vec<_>>().join(".");
    DatasetId::new(format!("snowflake://{account}"), name)
}

pub(crate) fn big_query(table: &str) -> Option<DatasetId> {
    let table = table.replace(':', ".");
    let is_whole = table.split('.').count() == 3 && !table.split('.').any(str::is_empty);
    is_whole.then(|| DatasetId::new("bigquery", table)).flatten()
}

/// A resource of AWS that the naming page does not have: named as those of Glue are, by its ARN.
pub(crate) fn aws_resource(name: &str, service: &str, kind: &str, place: &Place) -> Option<DatasetId> {
    if let Some(arn) = name.strip_prefix("arn:") {
        let parts: Vec<&str> = arn.splitn(5, ':').collect();
        let [_, of, region, account, resource] = parts.as_slice() else { return None };
        let is_named = *of == service && resource.starts_with(&format!("{kind}/"));
        return is_named.then(|| DatasetId::new(format!("arn:aws:{service}:{region}:{account}"), *resource)).flatten();
    }
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    let namespace = format!("arn:aws:{service}:{}:{}", place.region, place.account);
    is_name.then(|| DatasetId::new(namespace, format!("{kind}/{name}"))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { region: "eu-central-1".to_owned(), account: "111122223333".to_owned() }
    }

    #[test]
    fn each_kind_of_place_has_its_name() {
        let text = |text: &str| text.to_owned();
        for (locator, namespace, name) in [
            (Locator::Uri(text("s3://lake/raw/")), "s3://lake", "raw"),
            (Locator::table("sales", "orders"), "arn:aws:glue:eu-central-1:111122223333", "table/sales/orders"),
            (
                Locator::Table { catalog: Some(text("444455556666")), database: text("d"), table: text("t") },
                "arn:aws:glue:eu-central-1:444455556666",
                "table/d/t",
            ),
            (Locator::Jdbc { url: text("jdbc:mysql://u:p@h/d"), table: text("t") }, "mysql://h:3306", "d.t"),
            (Locator::Kafka { servers: text("SSL://b1:9094,b2:9094"), topic: text("t") }, "kafka://b1:9094", "t"),
            (
                Locator::Kinesis(text("arn:aws:kinesis:us-east-1:1:stream/clicks")),
                "arn:aws:kinesis:us-east-1:1",
                "stream/clicks",
            ),
            (Locator::Kinesis(text("clicks")), "arn:aws:kinesis:eu-central-1:111122223333", "stream/clicks"),
            (Locator::DynamoDb(text("Music")), "arn:aws:dynamodb:eu-central-1:111122223333", "table/Music"),
            (
                Locator::MongoDb { uri: text("mongodb://u:p@m1,m2/?x"), database: text("d"), collection: text("c") },
                "mongodb://m1:27017",
                "d.c",
            ),
            (Locator::BigQuery(text("p:d.t")), "bigquery", "p.d.t"),
            (
                Locator::OpenSearch { node: text("https://os.example.com"), index: text("i") },
                "opensearch://os.example.com:443",
                "i",
            ),
            (
                Locator::Snowflake {
                    url: text("org-a.snowflakecomputing.com"),
                    database: text("D"),
                    schema: text("S"),
                    table: text("T"),
                },
                "snowflake://org-a",
                "D.S.T",
            ),
        ] {
            let (dataset, evidence) = locator.resolve(&place(), &BTreeMap::new(), Evidence::Script).expect("a name");
            assert_eq!((dataset.namespace.as_str(), dataset.name.as_str()), (namespace, name), "{locator:?}");
            assert_eq!(evidence, Evidence::Script);
        }
    }

    #[test]
    fn what_has_no_name_says_why_without_values() {
        let text = |text: &str| text.to_owned();
        for locator in [
            Locator::Uri(text("s3-secret")),
            Locator::table("", "t"),
            Locator::Jdbc { url: text("secret"), table: text("t") },
            Locator::Jdbc { url: text("jdbc:mysql://h/d"), table: text("select secret") },
            Locator::Connection { name: text("secret"), database: None, table: text("t") },
            Locator::Kinesis(text("arn:aws:s3:::secret")),
            Locator::DynamoDb(text("a secret")),
            Locator::BigQuery(text("secret")),
        ] {
            let why = locator.resolve(&place(), &BTreeMap::new(), Evidence::Script).expect_err("no name");
            assert!(!why.contains("secret"), "{why}");
        }
    }
}
