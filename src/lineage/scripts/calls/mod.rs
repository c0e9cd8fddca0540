//! The calls that a script makes of Glue, Spark and the usual libraries.
//!
//! | module | whose calls |
//! |---|---|
//! | [`glue`] | `GlueContext`: readers and writers of DynamicFrames |
//! | [`spark`] | readers and writers of DataFrames, tables, SQL |
//! | [`libraries`] | pandas, awswrangler, boto3 |
//! | [`texts`] | what makes texts and lists of others |

pub(super) mod glue;
mod libraries;
pub(super) mod spark;
pub(super) mod texts;

use std::collections::{BTreeMap, BTreeSet};

use super::interpreter::Interpreter;
use super::value::{Place, Value};
use crate::lineage::dataset::Locator;

/// A place that a call does not name in a way that is known.
pub(super) const NOT_LITERAL: &str = "its place is not a literal";

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments {
    /// By position.
    pub positional: Vec<Value>,
    /// By name.
    pub named: BTreeMap<String, Value>,
    /// Whether there are more, which are not known.
    pub has_unknown: bool,
}

impl Arguments {
    /// The argument with one of these names, or at this position.
    pub(super) fn get(&self, names: &[&str], position: usize) -> Option<&Value> {
        names.iter().find_map(|name| self.named.get(*name)).or_else(|| self.positional.get(position))
    }

    /// The argument with one of these names.
    pub(super) fn named(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.named.get(*name))
    }

    /// Its text.
    pub(super) fn text(&self, names: &[&str], position: usize) -> Option<&str> {
        self.get(names, position).and_then(Value::as_text)
    }

    /// The places that data among the arguments comes from.
    pub(super) fn sources(&self) -> BTreeSet<Locator> {
        self.positional.iter().chain(self.named.values()).flat_map(Value::sources).collect()
    }

    /// Data made of that among the arguments.
    pub(super) fn data(&self) -> Value {
        let sources = self.sources();
        if sources.is_empty() { Value::Unknown } else { Value::data(sources) }
    }
}

/// A call of a method.
pub(super) struct Method<'a> {
    /// The object.
    pub receiver: &'a Value,
    /// The last name before the method: `create_dynamic_frame` in `glue.create_dynamic_frame.from_catalog(...)`.
    pub before: Option<&'a str>,
    /// The method.
    pub name: &'a str,
    /// The line of the call.
    pub line: usize,
}

/// A call of a method. `None` for one that is none of these.
pub(super) fn method(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments) -> Option<Value> {
    glue::method(own, call, arguments)
        .or_else(|| spark::method(own, call, arguments))
        .or_else(|| libraries::method(own, call, arguments))
        .or_else(|| texts::method(own, call, arguments))
}

/// A call of a function. `None` for one that is none of these.
pub(super) fn function(own: &mut Interpreter<'_>, name: &str, arguments: &Arguments, line: usize) -> Option<Value> {
    let first = || arguments.positional.first().cloned().unwrap_or_default();
    Some(match name {
        "getResolvedOptions" => Value::Arguments,
        "JsonOptions" | "dict" if arguments.positional.is_empty() => {
            if arguments.has_unknown {
                Value::Unknown
            } else {
                Value::map(arguments.named.clone())
            }
        }
        "JsonOptions" => glue::json_options(&first()),
        "Map" => texts::pairs(&arguments.positional),
        "Seq" | "List" | "Array" | "Vector" | "Set" => Value::list(arguments.positional.clone()),
        "list" | "tuple" | "sorted" | "set" => match first() {
            list @ (Value::List(_) | Value::Data(..)) => list,
            _ => Value::Unknown,
        },
        "str" | "dropNullFields" => first(),
        _ => return spark::function(own, name, arguments, line),
    })
}

/// A table of the Data Catalog.
fn table(catalog: Option<&Value>, database: Option<&Value>, table: Option<&Value>) -> Place {
    let part = |value: Option<&Value>| value.and_then(Value::as_text).map(str::to_owned).ok_or(NOT_LITERAL);
    let catalog = match catalog {
        None | Some(Value::Nothing) => None,
        Some(catalog) => Some(part(Some(catalog))?),
    };
    Ok(Locator::Table { catalog, database: part(database)?, table: part(table)? })
}
