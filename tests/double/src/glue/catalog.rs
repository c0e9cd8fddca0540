//! Databases and tables of the Data Catalog, as far as clients read them: a table is shown as it was created.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Region,
    operation::{Input, Operation, Reply, operations, reply},
    page::Paging,
};
use crate::error::AwsError;

/// The default and the maximum size of a page (`GetTables`, AWS Glue API reference).
const DEFAULT_PAGE: usize = 100;

/// The operations on databases and tables.
pub const OPERATIONS: &[Operation] = operations! { "*":
    CreateDatabase("/DatabaseInput/Name") => create_database,
    GetDatabase("/Name") => get_database,
    DeleteDatabase("/Name") => delete_database,
    CreateTable("/TableInput/Name") => create_table,
    GetTable("/Name") => get_table,
    GetTables("/DatabaseName") => get_tables,
    DeleteTable("/Name") => delete_table,
};

/// A structure as it was created, with what Glue adds.
type Stored = Map<String, Value>;

#[derive(Debug)]
struct Database {
    stored: Stored,
    tables: BTreeMap<String, Stored>,
}

/// The databases of a region's catalog, by name.
#[derive(Debug, Default)]
pub struct Catalog(BTreeMap<String, Database>);

impl Catalog {
    fn database(&self, name: &str) -> Result<&Database, AwsError> {
        self.0.get(&stored_name(name)).ok_or_else(|| database_not_found(name))
    }

    fn database_mut(&mut self, name: &str) -> Result<&mut Database, AwsError> {
        self.0.get_mut(&stored_name(name)).ok_or_else(|| database_not_found(name))
    }
}

/// "For Hive compatibility, this is folded to lowercase when it is stored" (`DatabaseInput` and `TableInput`, AWS Glue API
/// reference).
fn stored_name(name: &str) -> String {
    name.to_lowercase()
}

fn database_not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Database {name} not found."))
}

fn table_not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Table {name} not found."))
}

/// The name of a new structure, and the structure as it is stored.
fn stored(mut input: Stored, region: &Region) -> (String, Stored) {
    input.retain(|_, value| !value.is_null());
    let name = stored_name(input.get("Name").and_then(Value::as_str).unwrap_or_default());
    input.insert("Name".to_owned(), json!(name));
    input.insert("CreateTime".to_owned(), json!(region.now()));
    input.insert("CatalogId".to_owned(), json!(region.account));
    (name, input)
}

fn create_database(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        database_input: Stored,
    }
    let Request { database_input } = input.read()?;
    let (name, stored) = stored(database_input, region);
    if region.catalog.database(&name).is_ok() {
        return Err(AwsError::exists("Database already exists."));
    }
    region.catalog.0.insert(name, Database { stored, tables: BTreeMap::new() });
    reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DatabaseRequest {
    name: String,
}

fn get_database(region: &mut Region, input: &Input<'_>) -> Reply {
    let DatabaseRequest { name } = input.read()?;
    reply(&json!({ "Database": region.catalog.database(&name)?.stored }))
}

fn delete_database(region: &mut Region, input: &Input<'_>) -> Reply {
    let DatabaseRequest { name } = input.read()?;
    region.catalog.database(&name)?;
    region.catalog.0.remove(&stored_name(&name));
    reply(&json!({}))
}

fn create_table(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        database_name: String,
        table_input: Option<Stored>,
    }
    let Request { database_name, table_input } = input.read()?;
    let table_input = table_input.ok_or_else(|| AwsError::invalid("TableInput cannot be null"))?;
    let (name, mut stored) = stored(table_input, region);
    stored.insert("DatabaseName".to_owned(), json!(stored_name(&database_name)));
    stored.insert("UpdateTime".to_owned(), json!(region.now()));
    stored.insert("CreatedBy".to_owned(), json!(input.caller));
    let database = region.catalog.database_mut(&database_name)?;
    if database.tables.contains_key(&name) {
        return Err(AwsError::exists("Table already exists."));
    }
    database.tables.insert(name, stored);
    reply(&json!({}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableRequest {
    database_name: String,
    name: String,
}

fn get_table(region: &mut Region, input: &Input<'_>) -> Reply {
    let TableRequest { database_name, name } = input.read()?;
    let tables = &region.catalog.database(&database_name)?.tables;
    let table = tables.get(&stored_name(&name)).ok_or_else(|| table_not_found(&name))?;
    reply(&json!({ "Table": table }))
}

fn get_tables(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        database_name: String,
        expression: Option<String>,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { database_name, expression, paging } = input.read()?;
    let pattern = expression.as_deref().map(whole_name).transpose()?;
    let tables = region.catalog.database(&database_name)?.tables.iter();
    let matching = tables.filter(|(name, _)| pattern.as_ref().is_none_or(|pattern| pattern.is_match(name)));
    let list = format!("GetTables {database_name} {expression:?}");
    paging.by_name(&list, matching.map(|(name, table)| (name.as_str(), table)), DEFAULT_PAGE)?.reply("TableList")
}

/// A regular expression for whole names.
fn whole_name(expression: &str) -> Result<Regex, AwsError> {
    let invalid = |_| AwsError::invalid(format!("Invalid expression: {expression}"));
    Regex::new(&format!("^(?:{expression})$")).map_err(invalid)
}

fn delete_table(region: &mut Region, input: &Input<'_>) -> Reply {
    let TableRequest { database_name, name } = input.read()?;
    let tables = &mut region.catalog.database_mut(&database_name)?.tables;
    tables.remove(&stored_name(&name)).ok_or_else(|| table_not_found(&name))?;
    reply(&json!({}))
}
