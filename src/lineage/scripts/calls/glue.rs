//! `GlueContext`: readers and writers of DynamicFrames (Glue developer guide, "GlueContext class" of Python and Scala).

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Arguments, Method, NOT_LITERAL, table};
use crate::lineage::dataset::Locator;
use crate::lineage::scripts::interpreter::{Interpreter, Sink};
use crate::lineage::scripts::options;
use crate::lineage::scripts::value::{Place, Value};

const DATABASE: [&str; 3] = ["database", "name_space", "nameSpace"];
const TABLE: [&str; 2] = ["table_name", "tableName"];
const CATALOG: [&str; 2] = ["catalog_id", "catalogId"];
const TYPE: [&str; 2] = ["connection_type", "connectionType"];
const OPTIONS: [&str; 3] = ["connection_options", "connectionOptions", "options"];
const FRAME: [&str; 3] = ["frame", "frame_or_dfc", "dynamic_frame"];

/// What a call of `GlueContext` reads or writes; `None` for any other call.
pub(super) fn method(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments) -> Option<Value> {
    let is_reader =
        matches!(call.before, Some("create_dynamic_frame" | "create_data_frame" | "create_sample_dynamic_frame"));
    let is_writer = matches!(call.before, Some("write_dynamic_frame" | "write_data_frame"));
    let catalog = || arguments.named(&CATALOG);
    Some(match call.name {
        "from_catalog" if is_reader => own.read(vec![catalog_table(arguments, 0)], call.line),
        "create_dynamic_frame_from_catalog"
        | "create_data_frame_from_catalog"
        | "create_sample_dynamic_frame_from_catalog" => own.read(vec![catalog_table(arguments, 0)], call.line),
        "from_options" if is_reader => own.read(by_options(arguments, 0), call.line),
        "create_dynamic_frame_from_options"
        | "create_data_frame_from_options"
        | "create_sample_dynamic_frame_from_options" => own.read(by_options(arguments, 0), call.line),
        "from_rdd" if is_reader => arguments.data(),
        "from_catalog" if is_writer => write(own, call, arguments, vec![catalog_table(arguments, 1)]),
        "write_dynamic_frame_from_catalog" | "write_data_frame_from_catalog" => {
            write(own, call, arguments, vec![catalog_table(arguments, 1)])
        }
        "from_options" if is_writer => write(own, call, arguments, by_options(arguments, 1)),
        "write_dynamic_frame_from_options" | "write_data_frame_from_options" | "write_from_options" => {
            write(own, call, arguments, by_options(arguments, 1))
        }
        "from_jdbc_conf" if is_writer => write(own, call, arguments, vec![by_catalog_connection(arguments, 1)]),
        "write_dynamic_frame_from_jdbc_conf" | "write_from_jdbc_conf" => {
            write(own, call, arguments, vec![by_catalog_connection(arguments, 1)])
        }
        // Scala, and the same in Python with options by name.
        "getSource" | "getSourceWithFormat" => source(by_options(arguments, 0)),
        "getCatalogSource" => source(vec![table(catalog(), arguments.get(&DATABASE, 0), arguments.get(&TABLE, 1))]),
        "getSink" | "getSinkWithFormat" => sink(own, by_options(arguments, 0)),
        "getCatalogSink" => sink(own, vec![table(catalog(), arguments.get(&DATABASE, 0), arguments.get(&TABLE, 1))]),
        "getJDBCSink" => sink(own, vec![by_catalog_connection(arguments, 0)]),
        "getDynamicFrame" | "getDataFrame" | "getFrame" | "getSampleDynamicFrame" => match call.receiver {
            Value::Source(places) => own.read(places.as_ref().clone(), call.line),
            _ => return None,
        },
        "setCatalogInfo" => {
            let Value::Sink(number) = call.receiver else { return None };
            let place = table(None, arguments.get(&["catalogDatabase"], 0), arguments.get(&["catalogTableName"], 1));
            own.sinks.get_mut(*number)?.places.push(place);
            call.receiver.clone()
        }
        "setFormat" | "withFormat" | "setAccumulableSize" => match call.receiver {
            Value::Sink(_) | Value::Source(_) => call.receiver.clone(),
            _ => return None,
        },
        "writeFrame" | "write" | "writeDynamicFrame" | "writeDataFrame" | "pyWriteDynamicFrame" => {
            let Value::Sink(number) = call.receiver else { return None };
            let places = own.sinks.get(*number)?.places.clone();
            own.write(places, &arguments.sources(), call.line);
            arguments.data()
        }
        // The batches of a stream.
        "forEachBatch" => {
            let frame = arguments.get(&["frame"], 0).cloned().unwrap_or_default();
            let function = arguments.get(&["batch_function", "batchFunction"], 1).cloned().unwrap_or_default();
            own.call_value(&function, Arguments { positional: vec![frame, Value::Unknown], ..Arguments::default() })
        }
        _ => return None,
    })
}

/// A table of the Data Catalog, from this position on.
fn catalog_table(arguments: &Arguments, at: usize) -> Place {
    if arguments.has_unknown {
        return Err(NOT_LITERAL);
    }
    table(arguments.named(&CATALOG), arguments.get(&DATABASE, at), arguments.get(&TABLE, at + 1))
}

/// A connection by its type and options. Python's `getSource` and `getSink` take the options by name.
fn by_options(arguments: &Arguments, at: usize) -> Vec<Place> {
    let Some(type_) = arguments.text(&TYPE, at).filter(|_| !arguments.has_unknown) else {
        return vec![Err(NOT_LITERAL)];
    };
    let mut given = match arguments.get(&OPTIONS, at + 1) {
        Some(Value::Map(map)) => lower_case(map),
        Some(Value::Unknown) => return vec![Err(NOT_LITERAL)],
        _ => BTreeMap::new(),
    };
    let by_name = ["path", "paths", "dbtable", "connectionName", "url", "topicName"];
    given.extend(by_name.iter().filter_map(|name| Some((name.to_lowercase(), arguments.named.get(*name)?.clone()))));
    options::places(type_, &given)
}

/// A table behind a connection of the Data Catalog: `getJDBCSink`, `from_jdbc_conf`.
fn by_catalog_connection(arguments: &Arguments, at: usize) -> Place {
    let name = arguments.text(&["catalog_connection", "catalogConnection"], at).ok_or(NOT_LITERAL)?;
    let Some(Value::Map(given)) = arguments.get(&OPTIONS, at + 1) else { return Err(NOT_LITERAL) };
    let given = lower_case(given);
    let table = given.get("dbtable").and_then(Value::as_text).ok_or(NOT_LITERAL)?;
    let database = match given.get("database") {
        None => None,
        Some(database) => Some(database.as_text().ok_or(NOT_LITERAL)?.to_owned()),
    };
    Ok(Locator::Connection { name: name.to_owned(), database, table: table.to_owned() })
}

fn lower_case(map: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    map.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}

fn write(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments, places: Vec<Place>) -> Value {
    let frame = arguments.get(&FRAME, 0).map(Value::sources).unwrap_or_default();
    own.write(places, &frame, call.line);
    Value::data(frame)
}

fn source(places: Vec<Place>) -> Value {
    Value::Source(Rc::new(places))
}

fn sink(own: &mut Interpreter<'_>, places: Vec<Place>) -> Value {
    own.sinks.push(Sink { places });
    Value::Sink(own.sinks.len() - 1)
}

/// `JsonOptions` of a map, or of a text in JSON.
pub(super) fn json_options(value: &Value) -> Value {
    let Some(text) = value.as_text() else { return value.clone() };
    serde_json::from_str::<serde_json::Value>(text).map_or(Value::Unknown, |json| of_json(&json))
}

fn of_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::String(text) => Value::text(text),
        serde_json::Value::Array(elements) => Value::list(elements.iter().map(of_json).collect()),
        serde_json::Value::Object(entries) => {
            Value::map(entries.iter().map(|(name, value)| (name.clone(), of_json(value))).collect())
        }
        other => Value::text(other.to_string()),
    }
}
