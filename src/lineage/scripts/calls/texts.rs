//! What makes texts and lists of others.

use std::collections::BTreeMap;

use super::{Arguments, Method};
use crate::lineage::scripts::interpreter::Interpreter;
use crate::lineage::scripts::value::Value;

/// Texts, or lists, one after the other.
pub(in super::super) fn join(parts: &[Value]) -> Value {
    let texts: Option<Vec<&str>> = parts.iter().map(Value::as_text).collect();
    if let Some(texts) = texts {
        return Value::concat(texts);
    }
    let lists: Option<Vec<_>> = parts
        .iter()
        .map(|part| match part {
            Value::List(elements) => Some(elements.iter().cloned()),
            _ => None,
        })
        .collect();
    if let Some(lists) = lists {
        return Value::list(lists.into_iter().flatten().collect());
    }
    let sources: std::collections::BTreeSet<_> = parts.iter().flat_map(Value::sources).collect();
    if sources.is_empty() { Value::Unknown } else { Value::data(sources) }
}

/// `template % values`, where the template has `%s` and `%d` only.
pub(in super::super) fn percent(template: &Value, values: &Value) -> Value {
    let Some(template) = template.as_text() else { return Value::Unknown };
    let values: Vec<&Value> = match values {
        Value::List(values) => values.iter().collect(),
        value => vec![value],
    };
    let mut parts = template.split('%');
    let mut texts = vec![parts.next().unwrap_or_default()];
    let mut values = values.into_iter();
    for part in parts {
        let (Some(rest), Some(value)) = (part.strip_prefix(['s', 'd']), values.next().and_then(Value::as_text)) else {
            return Value::Unknown;
        };
        texts.extend([value, rest]);
    }
    Value::concat(texts)
}

/// A map made of pairs: Scala's `Map("a" -> "b")`.
pub(super) fn pairs(pairs: &[Value]) -> Value {
    let pair = |pair: &Value| match pair {
        Value::List(pair) => match pair.as_slice() {
            [key, value] => Some((key.as_text()?.to_owned(), value.clone())),
            _ => None,
        },
        _ => None,
    };
    let entries: Option<BTreeMap<_, _>> = pairs.iter().map(pair).collect();
    entries.map_or(Value::Unknown, Value::map)
}

/// Members of texts and lists that are no calls: Scala's methods without parentheses.
pub(in super::super) fn member(object: &Value, member: &str) -> Value {
    match (object, member) {
        (Value::Text(text), "stripMargin") => Value::text(strip_margin(text)),
        (Value::Text(text), "trim") => Value::text(text.trim()),
        (Value::Text(text), "toLowerCase") => Value::text(text.to_lowercase()),
        (Value::Text(text), "toUpperCase") => Value::text(text.to_uppercase()),
        (Value::Text(_), "toString") | (Value::List(_), "toArray" | "toList" | "toSeq") => object.clone(),
        (Value::List(elements), "head") => elements.first().cloned().unwrap_or_default(),
        _ => Value::Unknown,
    }
}

fn strip_margin(text: &str) -> String {
    let line = |line: &str| {
        let trimmed = line.trim_start();
        trimmed.strip_prefix('|').unwrap_or(line).to_owned()
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A method of a text, a list, a map, or the arguments of the run.
pub(super) fn method(own: &mut Interpreter<'_>, call: &Method<'_>, arguments: &Arguments) -> Option<Value> {
    let first = arguments.positional.first();
    let first_text = first.and_then(Value::as_text);
    match (call.receiver, call.name) {
        (_, "getResolvedOptions" | "parse_args") => Some(Value::Arguments),
        (_, "parse_known_args") => Some(Value::list(vec![Value::Arguments, Value::Unknown])),
        (Value::Text(text), name) => Some(of_text(text, name, first, arguments)),
        (Value::List(elements), "foreach" | "map" | "flatMap") => {
            let function = first?.clone();
            let mut results = Vec::new();
            for element in elements.iter().take(64) {
                let arguments = Arguments { positional: vec![element.clone()], ..Arguments::default() };
                results.push(own.call_value(&function, arguments));
            }
            Some(if elements.len() > 64 { Value::Unknown } else { Value::list(results) })
        }
        (Value::List(elements), "mkString") => Some(joined(first_text.unwrap_or_default(), elements)),
        (Value::List(_), "toArray" | "toList" | "toSeq" | "copy") => Some(call.receiver.clone()),
        (Value::Map(_) | Value::Arguments, "get" | "apply" | "getOrElse") => {
            match own.item(call.receiver, first?) {
                Value::Unknown => {
                    // A map that is known has the default where it has no such key; arguments may come from elsewhere.
                    let is_absent =
                        matches!((call.receiver, first_text), (Value::Map(map), Some(key)) if !map.contains_key(key));
                    arguments.positional.get(1).filter(|_| is_absent).cloned().or(Some(Value::Unknown))
                }
                value => Some(value),
            }
        }
        (Value::Map(map), "items") => {
            let pair = |(key, value): (&String, &Value)| Value::list(vec![Value::text(key), value.clone()]);
            Some(Value::list(map.iter().map(pair).collect()))
        }
        (Value::Map(map), "keys") => Some(Value::list(map.keys().map(Value::text).collect())),
        (Value::Map(map), "values") => Some(Value::list(map.values().cloned().collect())),
        (_, "join") if call.before == Some("path") => Some(path(&arguments.positional)),
        _ => None,
    }
}

fn of_text(text: &str, name: &str, first: Option<&Value>, arguments: &Arguments) -> Value {
    let first_text = first.and_then(Value::as_text);
    let characters = |given: Option<&Value>| match given {
        None => Some(" \t\n\r".to_owned()),
        Some(given) => given.as_text().map(str::to_owned),
    };
    let stripped = |strip: fn(&str, &[char]) -> String| {
        characters(first).map_or(Value::Unknown, |given| Value::text(strip(text, &given.chars().collect::<Vec<_>>())))
    };
    match name {
        "format" => format(text, arguments),
        "join" => match first {
            Some(Value::List(elements)) => joined(text, elements),
            _ => Value::Unknown,
        },
        "strip" => stripped(|text, given| text.trim_matches(given).to_owned()),
        "rstrip" => stripped(|text, given| text.trim_end_matches(given).to_owned()),
        "lstrip" => stripped(|text, given| text.trim_start_matches(given).to_owned()),
        "trim" => Value::text(text.trim()),
        "lower" | "toLowerCase" => Value::text(text.to_lowercase()),
        "upper" | "toUpperCase" => Value::text(text.to_uppercase()),
        "replace" => match (first_text, arguments.positional.get(1).and_then(Value::as_text)) {
            (Some(from), Some(to)) if !from.is_empty() && to.len() <= 256 => Value::text(text.replace(from, to)),
            _ => Value::Unknown,
        },
        "split" => match first_text {
            Some(separator) if !separator.is_empty() => Value::list(text.split(separator).map(Value::text).collect()),
            _ => Value::Unknown,
        },
        "stripMargin" => Value::text(strip_margin(text)),
        _ => Value::Unknown,
    }
}

fn joined(separator: &str, elements: &[Value]) -> Value {
    let texts: Option<Vec<&str>> = elements.iter().map(Value::as_text).collect();
    let Some(texts) = texts else { return Value::Unknown };
    Value::concat(texts.into_iter().flat_map(|text| [separator, text]).skip(1))
}

/// `os.path.join`.
fn path(parts: &[Value]) -> Value {
    let texts: Option<Vec<&str>> = parts.iter().map(Value::as_text).collect();
    let Some(texts) = texts else { return Value::Unknown };
    let mut path: Vec<&str> = Vec::new();
    for part in texts {
        if part.starts_with('/') {
            path.clear();
        } else if path.iter().rev().find(|part| !part.is_empty()).is_some_and(|last| !last.ends_with('/')) {
            path.push("/");
        }
        path.push(part);
    }
    Value::concat(path)
}

/// Python's `str.format`, without format specifications.
fn format(template: &str, arguments: &Arguments) -> Value {
    let (mut texts, mut rest, mut next) = (Vec::new(), template, 0);
    while let Some(at) = rest.find(['{', '}']) {
        texts.push(&rest[..at]);
        let (brace, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        if after.as_bytes().first() == Some(&brace) {
            texts.push(&after[..1]);
            rest = &after[1..];
            continue;
        }
        let Some((name, after)) = after.split_once('}').filter(|_| brace == b'{') else { return Value::Unknown };
        let value = if name.is_empty() {
            next += 1;
            arguments.positional.get(next - 1)
        } else {
            name.parse().ok().map_or_else(|| arguments.named.get(name), |index: usize| arguments.positional.get(index))
        };
        let Some(value) = value.and_then(Value::as_text) else { return Value::Unknown };
        texts.push(value);
        rest = after;
    }
    texts.push(rest);
    Value::concat(texts)
}
