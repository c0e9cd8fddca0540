//! The targets of a crawler, and the tables that it wrote.

use std::collections::BTreeMap;

use super::connection::Connection;
use super::dataset::{DatasetId, Direction, Evidence, Findings, Locator, Place};

/// What a crawler reads, and where it writes tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crawler {
    /// The description.
    pub description: Option<String>,
    /// What it reads, where a target names it.
    pub targets: Vec<Locator>,
    /// How many of its targets are patterns, which name no certain table.
    pub patterns: usize,
    /// The tables that it has written, as database and table.
    pub tables: Vec<(String, String)>,
}

/// The target behind a JDBC or MongoDB connection, by its path: `database/schema/table` or `database/table`; `None` for a
/// pattern (Glue developer guide, "Include and exclude patterns": `%` stands for any schema or table).
#[must_use]
pub fn behind_connection(connection: &str, path: &str) -> Option<Locator> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.iter().any(|part| part.contains('%')) {
        return None;
    }
    let (database, table) = match parts.as_slice() {
        [database, table @ ..] if !table.is_empty() => (*database, table.join(".")),
        _ => return None,
    };
    Some(Locator::Connection { name: connection.to_owned(), database: Some(database.to_owned()), table })
}

/// The datasets of the crawler. Each table may come from each target: Glue says no more.
#[must_use]
pub fn findings(crawler: &Crawler, place: &Place, connections: &BTreeMap<String, Connection>) -> Findings {
    let mut findings = Findings::default();
    for target in &crawler.targets {
        match target.resolve(place, connections, Evidence::Crawler) {
            Ok((dataset, evidence)) => {
                findings.add(Direction::Input, dataset.clone(), evidence);
                findings.mark(Direction::Input, &dataset, Evidence::Crawler);
            }
            Err(why) => findings.add_unknown("a target of the crawler", why),
        }
    }
    for _ in 0..crawler.patterns {
        findings.add_unknown("a target of the crawler", "it is a pattern, which names no certain table");
    }
    for (database, table) in &crawler.tables {
        if let Some(dataset) = DatasetId::table(&place.region, &place.account, database, table) {
            findings.add(Direction::Output, dataset, Evidence::Crawler);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_database_names_its_table_and_a_pattern_none() {
        let behind = |path| match behind_connection("c", path) {
            Some(Locator::Connection { database, table, .. }) => Some((database.unwrap_or_default(), table)),
            _ => None,
        };
        assert_eq!(behind("shop/public/orders"), Some(("shop".to_owned(), "public.orders".to_owned())));
        assert_eq!(behind("shop/orders"), Some(("shop".to_owned(), "orders".to_owned())));
        for path in ["shop/%", "shop/public/%", "shop", "", "%/x"] {
            assert_eq!(behind(path), None, "{path}");
        }
    }

    #[test]
    fn a_crawler_reads_its_targets_and_writes_its_tables() {
        let crawler = Crawler {
            targets: vec![Locator::Uri("s3://lake/raw/".to_owned()), Locator::DynamoDb("Music".to_owned())],
            patterns: 1,
            tables: vec![("sales".to_owned(), "orders".to_owned())],
            ..Crawler::default()
        };
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        let findings = findings(&crawler, &place, &BTreeMap::new());
        assert_eq!((findings.inputs.len(), findings.outputs.len(), findings.unknown_count), (2, 1, 1));
        assert!(findings.inputs.values().all(|evidence| evidence.contains(&Evidence::Crawler)));
    }
}
