//! pandas, awswrangler and boto3, as Python shell jobs use them.

use super::{Arguments, Method, NOT_LITERAL, table};
use crate::lineage::dataset::Locator;
use crate::lineage::scripts::interpreter::Interpreter;
use crate::lineage::scripts::options;
use crate::lineage::scripts::value::{Place, Value};

/// The formats of `pandas.read_*`, `to_*` and `awswrangler.s3`.
const FORMATS: [&str; 9] = ["csv", "parquet", "json", "excel", "orc", "feather", "pickle", "fwf", "deltalake"];

/// What a call reads or writes; `None` for any other call, and for files of the machine.
pub(super) fn method(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments) -> Option<Value> {
    let is_format = |prefix: &str| call.name.strip_prefix(prefix).is_some_and(|format| FORMATS.contains(&format));
    let is_wrangler = call.before == Some("s3");
    if is_format("read_") {
        let given = arguments.get(&["path", "filepath_or_buffer", "path_or_buf", "io"], 0);
        return remote(given).map(|places| own.read(places, call.line));
    }
    if is_format("to_") {
        let (at, from) = if is_wrangler { (1, arguments.sources()) } else { (0, call.receiver.sources()) };
        let given = arguments.get(&["path", "path_or_buf", "excel_writer"], at);
        let mut places = remote(given).unwrap_or_default();
        if is_wrangler && let Some(of_catalog) = arguments.named(&["table"]) {
            places.push(table(None, arguments.named(&["database"]), Some(of_catalog)));
        }
        if places.is_empty() {
            return None;
        }
        own.write(places, &from, call.line);
        return Some(Value::Unknown);
    }
    let object = || object(arguments.named(&["Bucket"]), arguments.named(&["Key"]));
    Some(match call.name {
        "read_parquet_table" if is_wrangler => {
            let place = table(None, arguments.named(&["database"]), arguments.named(&["table"]));
            own.read(vec![place], call.line)
        }
        "get_object" | "select_object_content" => own.read(vec![object()], call.line),
        "put_object" => {
            own.write(vec![object()], &arguments.sources(), call.line);
            Value::Unknown
        }
        "download_file" | "download_fileobj" if arguments.positional.len() + arguments.named.len() >= 3 => {
            let place = self::object(arguments.get(&["Bucket"], 0), arguments.get(&["Key"], 1));
            own.read(vec![place], call.line)
        }
        "upload_file" | "upload_fileobj" if arguments.positional.len() + arguments.named.len() >= 3 => {
            let place = self::object(arguments.get(&["Bucket"], 1), arguments.get(&["Key"], 2));
            own.write(vec![place], &arguments.sources(), call.line);
            Value::Unknown
        }
        _ => return None,
    })
}

/// The places of a path, unless it is one of the machine or of another host.
fn remote(path: Option<&Value>) -> Option<Vec<Place>> {
    let path = path?;
    match path {
        Value::Text(text) if !text.starts_with("s3") => None,
        // An open file, a buffer, data.
        Value::Data(..) => None,
        _ => Some(options::uris(path)),
    }
}

fn object(bucket: Option<&Value>, key: Option<&Value>) -> Place {
    match (bucket.and_then(Value::as_text), key.and_then(Value::as_text)) {
        (Some(bucket), Some(key)) => Ok(Locator::Uri(format!("s3://{bucket}/{key}"))),
        _ => Err(NOT_LITERAL),
    }
}
