//! Validation of requests by the service model.
//!
//! `tools/reduce_model.py` makes `shapes.json` from botocore's Glue model, and `logs.json` from that of CloudWatch Logs:
//! the input shapes with their required members, bounds, patterns and enumerations. The messages are those of AWS's common validation
//! ("1 validation error detected: Value ... failed to satisfy constraint: ...").

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::error::AwsError;

#[derive(Debug, Deserialize)]
struct Model {
    operations: HashMap<String, String>,
    shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(rename = "enum")]
    values: Option<Vec<String>>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(skip)]
    regex: Option<Regex>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
    Opaque,
}

/// Shapes whose enumerations bind the SDKs only. Glue takes other types (`SNOWFLAKE`, `REDSHIFT`, registered ones) and
/// other properties (`SparkProperties`, `VPC`). Seen: acceptance tests of hashicorp/terraform-provider-aws, integration
/// tests of awslabs/aws-athena-query-federation.
const OPEN: [&str; 2] = ["ConnectionType", "ConnectionPropertyKey"];

/// The model of Glue.
static GLUE: LazyLock<Model> = LazyLock::new(|| read(include_str!("shapes.json")));
/// The model of CloudWatch Logs. The names of its operations are its own.
static LOGS: LazyLock<Model> = LazyLock::new(|| read(include_str!("logs.json")));

#[expect(clippy::expect_used, reason = "the models are part of this program, and a test loads them")]
fn read(text: &str) -> Model {
    let mut model: Model = serde_json::from_str(text).expect("the model is well-formed");
    for (name, shape) in &mut model.shapes {
        if OPEN.contains(&name.as_str()) {
            shape.values = None;
        }
        shape.regex = shape
            .pattern
            .as_deref()
            .map(|pattern| Regex::new(&format!("^(?:{pattern})$")).expect("patterns are regular expressions"));
    }
    model
}

/// Validates a request body. Every body is valid for an operation that the model does not have.
pub fn validate(operation: &str, body: &Value) -> Result<(), AwsError> {
    let models = [(&*GLUE, "ValidationException"), (&*LOGS, "InvalidParameterException")];
    let known = models.into_iter().find_map(|(model, code)| Some((model, code, model.operations.get(operation)?)));
    let Some((model, code, input)) = known else {
        return Ok(());
    };
    let mut check = Check { model, violations: Vec::new(), unreadable: None };
    check.value(input, body, "");
    if let Some(message) = check.unreadable {
        return Err(AwsError::common("SerializationException", message));
    }
    if check.violations.is_empty() {
        return Ok(());
    }
    let plural = if check.violations.len() == 1 { "" } else { "s" };
    Err(AwsError::common(
        code,
        format!("{} validation error{plural} detected: {}", check.violations.len(), check.violations.join("; ")),
    ))
}

struct Check {
    model: &'static Model,
    violations: Vec<String>,
    unreadable: Option<String>,
}

impl Check {
    fn value(&mut self, name: &str, value: &Value, path: &str) {
        let Some(shape) = self.model.shapes.get(name) else {
            return;
        };
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => {
                for required in &shape.required {
                    if members.get(required).is_none_or(Value::is_null) {
                        self.violate("null", &below(path, required), "Member must not be null");
                    }
                }
                for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                    if let Some(of) = shape.members.get(member) {
                        self.value(of, value, &below(path, member));
                    }
                }
            }
            (Kind::List, Value::Array(items)) => {
                self.size(shape, items.len(), value, path);
                for (n, item) in items.iter().enumerate() {
                    if let Some(of) = &shape.member {
                        self.value(of, item, &format!("{path}.{}.member", n + 1));
                    }
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                self.size(shape, entries.len(), value, path);
                for (key, item) in entries {
                    if let (Some(key_shape), Some(value_shape)) = (&shape.key, &shape.value) {
                        self.value(key_shape, &Value::String(key.clone()), path);
                        self.value(value_shape, item, &format!("{path}.{key}.member"));
                    }
                }
            }
            (Kind::String, Value::String(text)) => self.text(shape, text, path),
            (Kind::Integer | Kind::Long, Value::Number(number)) if number.as_i64().is_some() => {
                self.range(shape, number.as_f64().unwrap_or_default(), value, path);
            }
            (Kind::Float | Kind::Double, Value::Number(number)) => {
                self.range(shape, number.as_f64().unwrap_or_default(), value, path);
            }
            (Kind::Opaque, _)
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Timestamp, Value::Number(_) | Value::String(_))
            | (Kind::Blob, Value::String(_)) => {}
            (kind, value) => {
                let token = match value {
                    Value::Null => "NULL_VALUE",
                    Value::Bool(true) => "TRUE_VALUE",
                    Value::Bool(false) => "FALSE_VALUE",
                    Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
                    Value::Number(_) => "NUMBER_VALUE",
                    Value::String(_) => "STRING_VALUE",
                    Value::Array(_) => "START_ARRAY",
                    Value::Object(_) => "START_OBJECT",
                };
                self.unreadable = Some(format!("{token} can not be converted to {}", kind.name()));
            }
        }
    }

    fn text(&mut self, shape: &Shape, text: &str, path: &str) {
        let shown = if shape.sensitive { "***Sensitive***" } else { text };
        let length = text.chars().count();
        if exceeds(length, shape.max) {
            let max = shape.max.unwrap_or_default();
            self.violate(&quote(shown), path, &format!("Member must have length less than or equal to {max}"));
        }
        if falls_short(length, shape.min) {
            let min = shape.min.unwrap_or_default();
            self.violate(&quote(shown), path, &format!("Member must have length greater than or equal to {min}"));
        }
        if let (Some(regex), Some(pattern)) = (&shape.regex, &shape.pattern)
            && !regex.is_match(text)
        {
            self.violate(&quote(shown), path, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
        if let Some(values) = &shape.values
            && !values.iter().any(|value| value == text)
        {
            let set = values.join(", ");
            self.violate(&quote(shown), path, &format!("Member must satisfy enum value set: [{set}]"));
        }
    }

    fn size(&mut self, shape: &Shape, size: usize, value: &Value, path: &str) {
        if exceeds(size, shape.max) {
            let max = shape.max.unwrap_or_default();
            let constraint = format!("Member must have length less than or equal to {max}");
            self.violate(&quote(&value.to_string()), path, &constraint);
        }
        if falls_short(size, shape.min) {
            let min = shape.min.unwrap_or_default();
            let constraint = format!("Member must have length greater than or equal to {min}");
            self.violate(&quote(&value.to_string()), path, &constraint);
        }
    }

    fn range(&mut self, shape: &Shape, number: f64, value: &Value, path: &str) {
        if shape.max.is_some_and(|max| number > max) {
            let max = shape.max.unwrap_or_default();
            let constraint = format!("Member must have value less than or equal to {max}");
            self.violate(&quote(&value.to_string()), path, &constraint);
        }
        if shape.min.is_some_and(|min| number < min) {
            let min = shape.min.unwrap_or_default();
            let constraint = format!("Member must have value greater than or equal to {min}");
            self.violate(&quote(&value.to_string()), path, &constraint);
        }
    }

    fn violate(&mut self, value: &str, path: &str, constraint: &str) {
        self.violations.push(format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}"));
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Structure | Kind::Opaque => "a Structure",
            Kind::List => "a List",
            Kind::Map => "a Map",
            Kind::String => "a String",
            Kind::Integer => "an Integer",
            Kind::Long => "a Long",
            Kind::Float => "a Float",
            Kind::Double => "a Double",
            Kind::Boolean => "a Boolean",
            Kind::Timestamp => "a Timestamp",
            Kind::Blob => "a Blob",
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes of requests are small")]
fn exceeds(size: usize, max: Option<f64>) -> bool {
    max.is_some_and(|max| size as f64 > max)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of requests are small")]
fn falls_short(size: usize, min: Option<f64>) -> bool {
    min.is_some_and(|min| (size as f64) < min)
}

fn quote(text: &str) -> String {
    format!("'{text}'")
}

fn below(path: &str, member: &str) -> String {
    let mut letters = member.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let member: String = first.into_iter().chain(letters).collect();
    if path.is_empty() { member } else { format!("{path}.{member}") }
}
