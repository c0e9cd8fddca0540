//! Tables of databases, by JDBC URLs. User names, passwords and all other parameters are left out.

use super::{DatasetId, host};

/// The database that a JDBC URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    namespace: String,
    /// The database, service or catalog, where the URL names it.
    name: Option<String>,
    /// The schema of tables that name none, where the URL names it.
    schema: Option<String>,
}

impl Database {
    /// The database that is named apart from the URL, where the URL names none.
    #[must_use]
    pub fn or_named(mut self, name: Option<&str>) -> Self {
        self.name = self.name.or_else(|| name.map(str::to_owned));
        self
    }

    /// A table of it, with its schema as the job says it. The parts are joined as OpenLineage's JDBC naming does.
    #[must_use]
    pub fn table(&self, table: &str) -> Option<DatasetId> {
        let parts: Vec<String> = parts(table)?;
        let has_schema = parts.len() > 1;
        let schema = self.schema.iter().filter(|_| !has_schema);
        // A name that begins with the database says it once.
        let database = self.name.iter().filter(|_| parts.len() < 3);
        let name: Vec<&str> =
            database.chain(schema).map(String::as_str).chain(parts.iter().map(String::as_str)).collect();
        DatasetId::new(self.namespace.clone(), name.join("."))
    }
}

/// The parts of a table's name without their quotes; `None` for a query.
fn parts(table: &str) -> Option<Vec<String>> {
    let table = table.trim();
    if table.is_empty() || table.contains(|c: char| c.is_whitespace() || c == '(' || c == ';') {
        return None;
    }
    let parts: Vec<_> = table.split('.').map(|part| part.trim_matches(['"', '`', '[', ']']).to_owned()).collect();
    (!parts.iter().any(String::is_empty)).then_some(parts)
}

/// Reads a JDBC URL. `None` for one that names no host, or a database that this program does not know.
#[must_use]
pub fn database(url: &str) -> Option<Database> {
    let url = url.trim();
    let rest = strip_prefix_ignoring_case(url, "jdbc:").unwrap_or(url);
    let (engine, rest) = rest.split_once(':')?;
    match engine.to_ascii_lowercase().as_str() {
        "mysql" | "mariadb" => server(rest, "mysql", "3306"),
        "postgresql" | "postgres" => server(rest, "postgres", "5432"),
        "redshift" => redshift(rest),
        "sqlserver" => sql_server(rest),
        "oracle" => oracle(rest),
        "snowflake" => snowflake(rest),
        "teradata" => teradata(rest),
        "trino" | "presto" => server(rest, "trino", "8080"),
        "db2" => server(rest, "db2", "50000"),
        "vertica" => server(rest, "vertica", "5433"),
        "sap" => server(rest.strip_prefix("//").map_or(rest, |_| rest), "hana", "30015"),
        _ => None,
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// `//[user:password@]host[:port][,...][/database][?parameters]`
fn server(rest: &str, scheme: &str, port: &str) -> Option<Database> {
    let rest = rest.strip_prefix("//")?;
    let host = host::first(rest)?.with_port(port);
    let (_, path) = rest.split(['?', ';']).next()?.split_once('/').unwrap_or_default();
    let name = path.split(['/', ':']).next().filter(|name| !name.is_empty()).map(str::to_owned);
    Some(Database { namespace: format!("{scheme}://{host}"), name, schema: None })
}

/// The naming page has the cluster and the region in place of the host.
fn redshift(rest: &str) -> Option<Database> {
    let rest = rest.strip_prefix("iam:").unwrap_or(rest);
    let database = server(rest, "redshift", "5439")?;
    let address = database.namespace.strip_prefix("redshift://")?;
    let (host, port) = address.rsplit_once(':')?;
    let labels: Vec<&str> = host.split('.').collect();
    let namespace = match labels.as_slice() {
        // cluster.id.region.redshift.amazonaws.com
        [cluster, _, region, "redshift" | "redshift-serverless", ..] => format!("redshift://{cluster}.{region}:{port}"),
        _ => database.namespace.clone(),
    };
    Some(Database { namespace, ..database })
}

/// `//host[\instance][:port][;databaseName=name][;...]`
fn sql_server(rest: &str) -> Option<Database> {
    let rest = rest.strip_prefix("//")?;
    let mut parts = rest.split(';');
    let host = host::first(parts.next()?)?.with_port("1433");
    let property = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let is_database =
            name.trim().eq_ignore_ascii_case("databaseName") || name.trim().eq_ignore_ascii_case("database");
        is_database.then(|| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    Some(Database { namespace: format!("sqlserver://{host}"), name: parts.find_map(property), schema: None })
}

/// `thin:[user/password]@[//]host[:port](:sid|/service)`; a descriptor is not read.
fn oracle(rest: &str) -> Option<Database> {
    let (_, address) = rest.split_once('@')?;
    let address = address.trim_start_matches('/');
    let address = address.split(['?', ';']).next()?;
    let (host_part, service) = match address.split_once('/') {
        Some((host, service)) => (host.to_owned(), Some(service)),
        None => match address.splitn(3, ':').collect::<Vec<_>>().as_slice() {
            [host, port, sid] => (format!("{host}:{port}"), Some(*sid)),
            _ => (address.to_owned(), None),
        },
    };
    let host = host::first(&host_part)?.with_port("1521");
    let service = service.and_then(|service| service.split([':', '/']).next());
    let name = service.filter(|service| !service.is_empty()).map(str::to_owned);
    Some(Database { namespace: format!("oracle://{host}"), name, schema: None })
}

/// `//account.snowflakecomputing.com/?db=name&schema=name&...`
fn snowflake(rest: &str) -> Option<Database> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
    let host = host::first(authority)?.name;
    let account = host.strip_suffix(".snowflakecomputing.com").unwrap_or(&host);
    let parameter = |wanted: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(name, value)| name.eq_ignore_ascii_case(wanted) && !value.is_empty());
        values.next().map(|(_, value)| value.to_owned())
    };
    Some(Database { namespace: format!("snowflake://{account}"), name: parameter("db"), schema: parameter("schema") })
}

/// `//host/DATABASE=name,DBS_PORT=1025,...`
fn teradata(rest: &str) -> Option<Database> {
    let rest = rest.strip_prefix("//")?;
    let (_, parameters) = rest.split_once('/').unwrap_or_default();
    let parameter = |wanted: &str| {
        let pairs = parameters.split(',').filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        values.next().map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
    };
    let port = parameter("DBS_PORT").unwrap_or_else(|| "1025".to_owned());
    let host = host::first(rest)?.with_port(&port);
    Some(Database { namespace: format!("teradata://{host}"), name: parameter("DATABASE"), schema: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_as_the_naming_page_says_and_credentials_are_left_out() {
        for (url, table, expected) in [
            ("jdbc:mysql://db.example.com:3307/shop", "orders", ("mysql://db.example.com:3307", "shop.orders")),
            (
                "jdbc:mysql://user:pw@db.example.com/shop?password=x",
                "orders",
                ("mysql://db.example.com:3306", "shop.orders"),
            ),
            (
                "jdbc:postgresql://PG:5432/shop?user=u&password=p",
                "public.orders",
                ("postgres://pg:5432", "shop.public.orders"),
            ),
            ("jdbc:mysql://user:p,w@db/shop", "orders", ("mysql://db:3306", "shop.orders")),
            ("jdbc:mysql://db/shop?user=u&password=P@ss", "orders", ("mysql://db:3306", "shop.orders")),
            ("jdbc:postgresql://a,b:5433/shop", "\"s\".\"t\"", ("postgres://a:5432", "shop.s.t")),
            ("jdbc:postgresql://pg/shop", "shop.public.orders", ("postgres://pg:5432", "shop.public.orders")),
            (
                "jdbc:redshift://c1.abc.eu-central-1.redshift.amazonaws.com:5439/dev",
                "public.t",
                ("redshift://c1.eu-central-1:5439", "dev.public.t"),
            ),
            ("jdbc:redshift:iam://host.example.com/dev", "t", ("redshift://host.example.com:5439", "dev.t")),
            (
                "jdbc:sqlserver://ms:1433;databaseName=shop;user=sa;password=secret",
                "dbo.orders",
                ("sqlserver://ms:1433", "shop.dbo.orders"),
            ),
            ("jdbc:sqlserver://ms\\inst;database=shop", "[dbo].[t]", ("sqlserver://ms:1433", "shop.dbo.t")),
            ("jdbc:oracle:thin:@//ora:1521/svc", "hr.emp", ("oracle://ora:1521", "svc.hr.emp")),
            ("jdbc:oracle:thin:scott/tiger@ora:1521:sid", "hr.emp", ("oracle://ora:1521", "sid.hr.emp")),
            ("jdbc:oracle:thin://@ora:1521/svc", "emp", ("oracle://ora:1521", "svc.emp")),
            (
                "jdbc:snowflake://org-acct.snowflakecomputing.com/?db=D&schema=S&user=u&password=p",
                "T",
                ("snowflake://org-acct", "D.S.T"),
            ),
            ("jdbc:teradata://td/DATABASE=fin,USER=u,PASSWORD=p", "t", ("teradata://td:1025", "fin.t")),
        ] {
            let named = database(url).and_then(|database| database.table(table));
            let expected = DatasetId::new(expected.0, expected.1);
            assert_eq!(named, expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_table_of_a_known_database_has_no_name() {
        let shop = database("jdbc:mysql://db/shop").expect("a database");
        for table in ["", "(select * from orders) t", "select 1", "a..b", "t; drop"] {
            assert_eq!(shop.table(table), None, "{table}");
        }
        for url in [
            "",
            "jdbc:",
            "jdbc:mysql:",
            "jdbc:mysql://",
            "jdbc:unknown://h/d",
            "mysql",
            "jdbc:oracle:thin",
            "jdbc:oracle:thin:scott/tiger",
            "jdbc:mysql://user:p/w@db/shop",
            "jdbc:mysql://user:1234?w@db/shop",
            "jdbc:oracle:thin:@(DESCRIPTION=(X))",
        ] {
            assert_eq!(database(url), None, "{url}");
        }
    }
}
