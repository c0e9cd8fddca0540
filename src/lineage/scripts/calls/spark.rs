//! Readers and writers of DataFrames, tables and SQL (Spark's API reference of Python and Scala).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Arguments, Method, NOT_LITERAL};
use crate::lineage::dataset::Locator;
use crate::lineage::scripts::interpreter::Interpreter;
use crate::lineage::scripts::value::{Place, Settings, Sources, Value};
use crate::lineage::scripts::{options, sql};

/// The formats of files that readers and writers have methods for.
const FILES: [&str; 9] = ["parquet", "csv", "json", "orc", "text", "textFile", "avro", "xml", "delta"];

/// `spark.read`, `df.write` and their like; `None` for any other member.
pub(in super::super) fn member(object: &Value, member: &str) -> Option<Value> {
    match member {
        "read" | "readStream" => Some(Value::Reader(Rc::default())),
        "write" | "writeStream" => Some(Value::Writer(Rc::default(), Rc::new(object.sources()))),
        _ => None,
    }
}

/// A function of Spark's libraries.
pub(super) fn function(_: &mut Interpreter<'_>, name: &str, arguments: &Arguments, _: usize) -> Option<Value> {
    // A frame is made of data by its constructor, too.
    matches!(name, "DynamicFrame" | "DynamicFrameCollection").then(|| arguments.data())
}

/// What a call reads or writes; `None` for any other call.
pub(super) fn method(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments) -> Option<Value> {
    match call.receiver {
        Value::Reader(settings) => reader(own, call, arguments, settings),
        Value::Writer(settings, sources) => writer(own, call, arguments, settings, sources),
        Value::Data(sources, Some(table)) if matches!(call.name, "execute" | "delete" | "update" | "updateExpr") => {
            let mut from = sources.as_ref().clone();
            from.remove(table);
            own.write(vec![Ok(table.as_ref().clone())], &from, call.line);
            Some(Value::Unknown)
        }
        // `table.alias("t").merge(...).whenMatchedUpdateAll()`
        Value::Data(sources, Some(table)) => {
            let is_of_table = matches!(call.name, "alias" | "as" | "merge") || call.name.starts_with("when");
            is_of_table.then(|| {
                let all = sources.iter().cloned().chain(arguments.sources()).collect();
                Value::Data(Rc::new(all), Some(Rc::clone(table)))
            })
        }
        receiver => other(own, call, arguments, receiver),
    }
}

/// The calls of a session, a context, a catalog or a frame.
fn other(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments, receiver: &Value) -> Option<Value> {
    let is_session = !matches!(receiver, Value::Text(_) | Value::Map(_) | Value::List(_) | Value::Arguments);
    let first = arguments.positional.first();
    Some(match call.name {
        "sql" if is_session && call.before != Some("athena") => {
            statement(own, arguments.get(&["sqlQuery", "sqlText"], 0), call.line)
        }
        "table" if is_session && arguments.positional.len() <= 1 => {
            let place = match view(own, arguments.get(&["tableName"], 0)) {
                Some(sources) => return Some(Value::Data(sources, None)),
                None => named_table(own, arguments.get(&["tableName"], 0)),
            };
            own.read(vec![place], call.line)
        }
        "createOrReplaceTempView"
        | "createTempView"
        | "createGlobalTempView"
        | "createOrReplaceGlobalTempView"
        | "registerTempTable" => {
            let sources = Rc::new(receiver.sources());
            match arguments.get(&["name", "viewName"], 0).and_then(Value::as_text) {
                Some(name) => drop(own.views.insert(name.to_lowercase(), sources)),
                None => own.has_unknown_view = true,
            }
            Value::Unknown
        }
        "setCurrentDatabase" => {
            own.database = first.cloned().unwrap_or_default();
            Value::Unknown
        }
        "config" | "set" => {
            let value = arguments.positional.get(1).and_then(Value::as_text);
            if let (Some(name), Some(value)) = (first.and_then(Value::as_text), value) {
                own.configure(name, value);
            }
            return None;
        }
        "forPath" => delta(own, arguments, call.line, |_, path| {
            path.and_then(Value::as_text).map(|path| Locator::Uri(path.to_owned())).ok_or(NOT_LITERAL)
        }),
        "forName" => delta(own, arguments, call.line, named_table),
        "textFile" | "wholeTextFiles" | "sequenceFile" if is_session => {
            let places = first.map_or_else(|| vec![Err(NOT_LITERAL)], options::uris);
            own.read(places, call.line)
        }
        "saveAsTextFile" | "saveAsSequenceFile" | "saveAsObjectFile" => {
            let places = first.map_or_else(|| vec![Err(NOT_LITERAL)], options::uris);
            own.write(places, &receiver.sources(), call.line);
            Value::Unknown
        }
        "writeTo" => {
            let settings = Settings { table: Some(first.cloned().unwrap_or_default()), ..Settings::default() };
            Value::Writer(Rc::new(settings), Rc::new(receiver.sources()))
        }
        "insertInto" | "saveAsTable" => {
            let place = named_table(own, first);
            own.write(vec![place], &receiver.sources(), call.line);
            Value::Unknown
        }
        "transform" | "pipe" => {
            let function = first?.clone();
            let positional =
                [receiver.clone()].into_iter().chain(arguments.positional.iter().skip(1).cloned()).collect();
            match own.call_value(&function, Arguments { positional, ..Arguments::default() }) {
                Value::Unknown => Value::data(receiver.sources()),
                value => value,
            }
        }
        _ => return None,
    })
}

fn delta(
    own: &mut Interpreter<'_>,
    arguments: &Arguments,
    line: usize,
    place: impl Fn(&Interpreter<'_>, Option<&Value>) -> Place,
) -> Value {
    let place = place(own, arguments.get(&["path", "tableOrViewName"], arguments.positional.len().saturating_sub(1)));
    match own.read(vec![place.clone()], line) {
        Value::Data(sources, _) => Value::Data(sources, place.ok().map(Rc::new)),
        other => other,
    }
}

fn with(settings: &Settings, change: impl FnOnce(&mut Settings)) -> Rc<Settings> {
    let mut settings = settings.clone();
    change(&mut settings);
    Rc::new(settings)
}

/// What `format`, `option` and `options` change of a reader or a writer; `None` for another call.
fn told(call: &Method<'_>, arguments: &Arguments, settings: &Settings) -> Option<Rc<Settings>> {
    Some(match call.name {
        "format" => with(settings, |settings| {
            settings.format = Some(arguments.get(&["source"], 0).cloned().unwrap_or_default());
        }),
        "option" => with(settings, |settings| {
            let value = arguments.get(&["value"], 1).cloned().unwrap_or_default();
            match arguments.text(&["key"], 0) {
                Some(name) => drop(settings.options.insert(name.to_lowercase(), value)),
                None => settings.has_unknown_options = true,
            }
        }),
        "options" => with(settings, |settings| {
            let named = arguments.named.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
            settings.options.extend(named);
            settings.has_unknown_options |= arguments.has_unknown;
            match arguments.positional.first() {
                Some(Value::Map(map)) => {
                    settings.options.extend(map.iter().map(|(name, value)| (name.to_lowercase(), value.clone())));
                }
                Some(_) => settings.has_unknown_options = true,
                None => {}
            }
        }),
        "schema" | "mode" | "partitionBy" | "bucketBy" | "sortBy" | "outputMode" | "trigger" | "queryName"
        | "using" | "tableProperty" | "partitionedBy" | "clusterBy" => Rc::new(settings.clone()),
        _ => return None,
    })
}

fn reader(
    own: &mut Interpreter<'_>,
    call: &Method<'_>,
    arguments: &Arguments,
    settings: &Rc<Settings>,
) -> Option<Value> {
    if let Some(told) = told(call, arguments, settings) {
        return Some(Value::Reader(told));
    }
    let places = match call.name {
        "load" => loaded(own, settings, arguments),
        "table" => {
            if let Some(sources) = view(own, arguments.get(&["tableName"], 0)) {
                return Some(Value::Data(sources, None));
            }
            vec![named_table(own, arguments.get(&["tableName"], 0))]
        }
        "jdbc" => vec![jdbc(arguments, settings)],
        name if FILES.contains(&name) => read_files(settings, arguments),
        _ => return None,
    };
    Some(own.read(places, call.line))
}

/// Paths as arguments, one or several, or as an option.
fn read_files(settings: &Settings, arguments: &Arguments) -> Vec<Place> {
    let paths = arguments.positional.iter().take_while(|value| !is_schema(value));
    let given: Vec<Place> =
        arguments.named(&["path", "paths"]).into_iter().chain(paths).flat_map(options::uris).collect();
    if arguments.has_unknown {
        return given.into_iter().chain([Err(NOT_LITERAL)]).collect();
    }
    if given.is_empty() { options::files(&settings.options) } else { given }
}

/// A second positional argument of Python's `csv` and `json` is the schema.
fn is_schema(value: &Value) -> bool {
    matches!(value, Value::Text(text) if !text.contains('/') && text.contains(' '))
}

/// `load` and `save`: by the format, its options, and a path or the name of a table.
fn loaded(own: &Interpreter<'_>, settings: &Settings, arguments: &Arguments) -> Vec<Place> {
    let path = arguments.get(&["path"], 0);
    let format = match arguments.named(&["format"]).or(settings.format.as_ref()) {
        None => "parquet",
        Some(format) => match format.as_text() {
            Some(format) => format,
            // Whatever the format: a URI names files.
            None if path.and_then(Value::as_text).is_some_and(|path| path.contains("://")) => "parquet",
            None => return vec![Err("its format is not a literal")],
        },
    };
    let mut given: BTreeMap<String, Value> = settings.options.clone();
    given.extend(arguments.named.iter().map(|(name, value)| (name.to_lowercase(), value.clone())));
    if let Some(path) = path {
        given.insert("path".to_owned(), path.clone());
    }
    if format.eq_ignore_ascii_case("iceberg")
        || format.eq_ignore_ascii_case("org.apache.iceberg.spark.source.IcebergSource")
    {
        let path = given.get("path");
        let is_file = path.and_then(Value::as_text).is_some_and(|path| path.contains("://"));
        return if is_file { options::files(&given) } else { vec![named_table(own, path)] };
    }
    let places = options::places(format, &given);
    // An option that is not known may name another place.
    let is_certain = !settings.has_unknown_options || given.contains_key("path");
    if is_certain { places } else { vec![Err(NOT_LITERAL)] }
}

fn jdbc(arguments: &Arguments, settings: &Settings) -> Place {
    let option = |name: &str| settings.options.get(name);
    let url = arguments.get(&["url"], 0).or_else(|| option("url")).and_then(Value::as_text);
    let table = arguments.get(&["table"], 1).or_else(|| option("dbtable")).and_then(Value::as_text);
    match (url, table) {
        (Some(url), Some(table)) => Ok(Locator::Jdbc { url: url.to_owned(), table: table.to_owned() }),
        _ => Err(NOT_LITERAL),
    }
}

fn writer(
    own: &mut Interpreter<'_>,
    call: &Method<'_>,
    arguments: &Arguments,
    settings: &Rc<Settings>,
    sources: &Sources,
) -> Option<Value> {
    if let Some(told) = told(call, arguments, settings) {
        return Some(Value::Writer(told, Rc::clone(sources)));
    }
    let first = arguments.positional.first();
    let places = match call.name {
        "save" | "start" => {
            let is_console = |format: &Value| matches!(format.as_text(), Some("console" | "memory" | "noop"));
            if settings.format.as_ref().is_some_and(is_console) {
                return Some(Value::Unknown);
            }
            if call.name == "start" && settings.options.contains_key(FOREACH_BATCH) {
                return Some(Value::Unknown);
            }
            loaded(own, settings, arguments)
        }
        "saveAsTable" | "insertInto" | "toTable" => {
            vec![named_table(own, arguments.get(&["name", "tableName"], 0))]
        }
        "jdbc" => vec![jdbc(arguments, settings)],
        "append" | "create" | "createOrReplace" | "replace" | "overwrite" | "overwritePartitions"
            if settings.table.is_some() =>
        {
            vec![named_table(own, settings.table.as_ref())]
        }
        "foreachBatch" => {
            let function = first.cloned().unwrap_or_default();
            let batch = Value::Data(Rc::clone(sources), None);
            own.call_value(&function, Arguments { positional: vec![batch, Value::Unknown], ..Arguments::default() });
            let told =
                with(settings, |settings| drop(settings.options.insert(FOREACH_BATCH.to_owned(), Value::Unknown)));
            return Some(Value::Writer(told, Rc::clone(sources)));
        }
        name if FILES.contains(&name) => read_files(settings, arguments),
        _ => return None,
    };
    own.write(places, sources, call.line);
    Some(Value::Unknown)
}

/// Marks a writer of a stream of which a function writes the batches.
const FOREACH_BATCH: &str = "\u{0}foreachBatch";

/// The data of a temporary view of this name.
fn view(own: &Interpreter<'_>, name: Option<&Value>) -> Option<Sources> {
    own.views.get(&name?.as_text()?.to_lowercase()).cloned()
}

/// A table by its name.
fn named_table(own: &Interpreter<'_>, name: Option<&Value>) -> Place {
    let name = name.and_then(Value::as_text).ok_or(NOT_LITERAL)?;
    let parts: Vec<String> = name.split('.').map(|part| part.trim_matches('`').to_owned()).collect();
    table_of(own, &parts)
}

fn table_of(own: &Interpreter<'_>, parts: &[String]) -> Place {
    let is_part = |part: &String| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '/');
    match parts {
        // `parquet.`s3://...``
        [format, path] if path.contains("://") && !format.contains("://") => Ok(Locator::Uri(path.clone())),
        [table] if is_part(table) => {
            if own.has_unknown_view {
                return Err("it may be a view, the name of which is not a literal");
            }
            let database = own.database.as_text().ok_or("the current database is not a literal")?;
            Ok(Locator::table(database, table))
        }
        [database, table] if is_part(database) && is_part(table) => Ok(Locator::table(database, table)),
        [catalog, database, table] if is_part(database) && is_part(table) => {
            if own.catalogs.contains(&catalog.to_lowercase()) {
                Ok(Locator::table(database, table))
            } else {
                Err("its catalog is not known to be the Data Catalog")
            }
        }
        _ => Err("its name is none of a table"),
    }
}

/// `spark.sql`.
fn statement(own: &mut Interpreter<'_>, text: Option<&Value>, line: usize) -> Value {
    let Some(text) = text.and_then(Value::as_text) else {
        return own.read(vec![Err("its SQL is not a literal")], line);
    };
    let Some(tables) = sql::tables(text) else {
        return own.read(vec![Err("its SQL could not be read")], line);
    };
    if let Some(database) = &tables.database {
        own.database = database.last().map_or(Value::Unknown, Value::text);
    }
    let sources = read_tables(own, &tables.inputs, line);
    for (name, read) in tables.views {
        let of_view = read_tables(own, &read, line);
        if let [name] = name.as_slice() {
            own.views.insert(name.to_lowercase(), Rc::new(of_view));
        }
    }
    let outputs: Vec<Place> = tables.outputs.iter().map(|parts| table_of(own, parts)).collect();
    own.write(outputs, &sources, line);
    Value::data(sources)
}

fn read_tables(own: &mut Interpreter<'_>, tables: &BTreeSet<Vec<String>>, line: usize) -> BTreeSet<Locator> {
    let mut sources = BTreeSet::new();
    for parts in tables {
        let name = match parts.as_slice() {
            [global, name] if global.eq_ignore_ascii_case("global_temp") => Some(name),
            [name] => Some(name),
            _ => None,
        };
        if let Some(of_view) = name.and_then(|name| own.views.get(&name.to_lowercase())) {
            sources.extend(of_view.iter().cloned());
            continue;
        }
        let place = table_of(own, parts);
        sources.extend(own.read(vec![place], line).sources());
    }
    sources
}
