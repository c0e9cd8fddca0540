//! The place that a connection of the Data Catalog leads to, by its properties.

use std::collections::BTreeMap;

use super::dataset::{DatasetId, Place, jdbc, locator};

/// What a connection says of the place that it leads to. Its credentials are no part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The type as Glue spells it, such as `JDBC` or `POSTGRESQL`.
    pub type_: String,
    /// The properties that name places, by their names in upper case.
    pub properties: BTreeMap<String, String>,
}

/// The properties that name places. All others are dropped when a connection is read.
const PLACES: [&str; 24] = [
    "JDBC_CONNECTION_URL",
    "JDBC_ENGINE",
    "HOST",
    "PORT",
    "DATABASE",
    "KAFKA_BOOTSTRAP_SERVERS",
    "CONNECTION_URL",
    "INSTANCE_ID",
    "CLUSTER_IDENTIFIER",
    "REGION",
    "URL",
    "SFURL",
    "SFDATABASE",
    "SFSCHEMA",
    "SFHOST",
    "DB",
    "SCHEMA",
    "ACCOUNT",
    "ENDPOINT",
    "OPENSEARCH.NODES",
    "OPENSEARCH.PORT",
    "PROJECT_ID",
    "PARENTPROJECT",
    "ACCOUNTNAME",
];

impl Connection {
    /// A connection of this type, with those of its properties that name places.
    #[must_use]
    pub fn new(type_: &str, properties: impl IntoIterator<Item = (String, String)>) -> Self {
        let properties = properties.into_iter().map(|(name, value)| (name.to_ascii_uppercase(), value));
        let properties = properties.filter(|(name, value)| PLACES.contains(&name.as_str()) && !value.is_empty());
        Self { type_: type_.to_ascii_uppercase(), properties: properties.collect() }
    }

    fn property(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.properties.get(*name)).map(String::as_str)
    }

    /// The dataset behind it. The error says why there is none.
    pub fn dataset(&self, place: &Place, database: Option<&str>, table: &str) -> Result<DatasetId, &'static str> {
        const NO_NAME: &str = "its connection and its table name no dataset";
        let named = match self.type_.as_str() {
            "KAFKA" => {
                let servers = self.property(&["KAFKA_BOOTSTRAP_SERVERS"]).ok_or("its connection names no servers")?;
                locator::kafka(servers, table)
            }
            "MONGODB" | "DOCUMENTDB" => {
                let url = self.property(&["CONNECTION_URL", "HOST", "URL"]).ok_or("its connection names no host")?;
                let database = database.or_else(|| self.property(&["DATABASE"])).unwrap_or_default();
                locator::mongodb(url, database, table)
            }
            "DYNAMODB" => locator::aws_resource(table, "dynamodb", "table", place),
            "BIGQUERY" => {
                let project = self.property(&["PROJECT_ID", "PARENTPROJECT"]);
                let whole = match (project, table.split(['.', ':']).count()) {
                    (Some(project), 2) => format!("{project}.{table}"),
                    _ => table.to_owned(),
                };
                locator::big_query(&whole)
            }
            "OPENSEARCH" => {
                let node = self.property(&["OPENSEARCH.NODES", "ENDPOINT", "URL", "HOST"]);
                let node = node.ok_or("its connection names no node")?;
                match self.property(&["OPENSEARCH.PORT", "PORT"]) {
                    Some(port) => {
                        let host = locator::first_host(node, None).filter(|host| !host.contains(':'));
                        locator::open_search(&host.map_or(node.to_owned(), |host| format!("{host}:{port}")), table)
                    }
                    None => locator::open_search(node, table),
                }
            }
            "SNOWFLAKE" => {
                let url = self
                    .property(&["SFURL", "SFHOST", "HOST", "URL", "ACCOUNT"])
                    .ok_or("its connection names no account")?;
                let database =
                    database.or_else(|| self.property(&["SFDATABASE", "DATABASE", "DB"])).unwrap_or_default();
                let schema = self.property(&["SFSCHEMA", "SCHEMA"]).unwrap_or_default();
                locator::snowflake(url, database, schema, table)
            }
            "NETWORK" => return Err("its connection is a network, which names no place"),
            _ => {
                let url = self.url().ok_or("its connection names no JDBC URL of a known database")?;
                let found = jdbc::database(&url).ok_or("its connection names no JDBC URL of a known database")?;
                found.or_named(database.or_else(|| self.property(&["DATABASE"]))).table(table)
            }
        };
        named.ok_or(NO_NAME)
    }

    /// The JDBC URL, or what its parts make of one.
    fn url(&self) -> Option<String> {
        if let Some(url) = self.property(&["JDBC_CONNECTION_URL", "CONNECTION_URL", "URL"])
            && url.to_ascii_lowercase().starts_with("jdbc:")
        {
            return Some(url.to_owned());
        }
        let host = self.property(&["HOST"])?;
        let engine = self.property(&["JDBC_ENGINE"]).unwrap_or(&self.type_).to_ascii_lowercase();
        let engine = match engine.as_str() {
            "sql_server" | "azuresql" | "sqlserver" => "sqlserver",
            "aurora" | "mariadb" => "mysql",
            "postgres" => "postgresql",
            other => other,
        };
        let port = self.property(&["PORT"]).map(|port| format!(":{port}")).unwrap_or_default();
        let database = self.property(&["DATABASE"]).unwrap_or_default();
        Some(match engine {
            "sqlserver" => format!("jdbc:sqlserver://{host}{port};databaseName={database}"),
            "oracle" => format!("jdbc:oracle:thin:@//{host}{port}/{database}"),
            "teradata" => format!("jdbc:teradata://{host}/DATABASE={database}"),
            _ => format!("jdbc:{engine}://{host}{port}/{database}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(type_: &str, properties: &[(&str, &str)]) -> Connection {
        Connection::new(type_, properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn a_connection_leads_to_the_place_that_its_properties_name() {
        let place = Place { region: "eu-central-1".to_owned(), account: "1".to_owned() };
        for (type_, properties, database, table, expected) in [
            (
                "JDBC",
                vec![("JDBC_CONNECTION_URL", "jdbc:postgresql://pg:5432/shop"), ("USERNAME", "u"), ("PASSWORD", "p")],
                None,
                "public.orders",
                ("postgres://pg:5432", "shop.public.orders"),
            ),
            (
                "JDBC",
                vec![("JDBC_CONNECTION_URL", "jdbc:mysql://my:3306/")],
                Some("shop"),
                "orders",
                ("mysql://my:3306", "shop.orders"),
            ),
            (
                "POSTGRESQL",
                vec![("HOST", "pg"), ("PORT", "5433"), ("DATABASE", "shop")],
                None,
                "s.t",
                ("postgres://pg:5433", "shop.s.t"),
            ),
            (
                "SQLSERVER",
                vec![("HOST", "ms"), ("DATABASE", "shop")],
                None,
                "dbo.t",
                ("sqlserver://ms:1433", "shop.dbo.t"),
            ),
            (
                "ORACLE",
                vec![("HOST", "ora"), ("PORT", "1522"), ("DATABASE", "svc")],
                None,
                "hr.emp",
                ("oracle://ora:1522", "svc.hr.emp"),
            ),
            (
                "KAFKA",
                vec![("KAFKA_BOOTSTRAP_SERVERS", "b1:9098,b2:9098")],
                None,
                "clicks",
                ("kafka://b1:9098", "clicks"),
            ),
            (
                "MONGODB",
                vec![("CONNECTION_URL", "mongodb://m1:27018/shop")],
                Some("shop"),
                "orders",
                ("mongodb://m1:27018", "shop.orders"),
            ),
            (
                "SNOWFLAKE",
                vec![("sfUrl", "https://o-a.snowflakecomputing.com"), ("sfDatabase", "D"), ("sfSchema", "S")],
                None,
                "T",
                ("snowflake://o-a", "D.S.T"),
            ),
            ("BIGQUERY", vec![("PROJECT_ID", "p")], None, "d.t", ("bigquery", "p.d.t")),
            ("DYNAMODB", vec![], None, "Music", ("arn:aws:dynamodb:eu-central-1:1", "table/Music")),
            (
                "OPENSEARCH",
                vec![("opensearch.nodes", "https://os"), ("opensearch.port", "9200")],
                None,
                "i",
                ("opensearch://os:9200", "i"),
            ),
        ] {
            let connection = connection(type_, &properties);
            assert!(!connection.properties.contains_key("PASSWORD"));
            let named = connection.dataset(&place, database, table).map(|id| (id.namespace, id.name));
            assert_eq!(named, Ok((expected.0.to_owned(), expected.1.to_owned())), "{type_}");
        }
    }

    #[test]
    fn a_connection_that_names_no_place_says_so() {
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        for (type_, properties) in [
            ("NETWORK", vec![]),
            ("JDBC", vec![]),
            ("KAFKA", vec![]),
            ("SALESFORCE", vec![("HOST", "h")]),
            ("MARKETPLACE", vec![]),
        ] {
            assert!(connection(type_, &properties).dataset(&place, None, "t").is_err(), "{type_}");
        }
    }
}
