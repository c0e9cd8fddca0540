//! Literals of Python on their own, as `GetDataflowGraph` shows them.

use std::collections::BTreeMap;

use super::syntax::Statement;
use super::value::Value;
use super::{Interpreter, Language, lower, options, parse};
use crate::lineage::dataset::Locator;

/// The most bytes of a literal that is read.
const MAX_BYTES: usize = 64 * 1024;

/// A text.
#[must_use]
pub fn text(expression: &str) -> Option<String> {
    value(expression)?.as_text().map(str::to_owned)
}

/// The texts, and lists of texts, of a map.
#[must_use]
pub fn map(expression: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let Value::Map(entries) = value(expression)? else { return None };
    let texts = |value: &Value| match value {
        Value::Text(text) => Some(vec![text.to_string()]),
        Value::List(elements) => elements.iter().map(|element| element.as_text().map(str::to_owned)).collect(),
        _ => None,
    };
    // What is not known stands as nothing, so that nothing is made of the rest.
    Some(entries.iter().map(|(key, value)| (key.clone(), texts(value).unwrap_or_default())).collect())
}

/// Where the options of a connection lead to.
#[must_use]
pub fn locators(type_: &str, options: &BTreeMap<String, Vec<String>>) -> Option<Vec<Locator>> {
    let value = |texts: &Vec<String>| match texts.as_slice() {
        [] => Value::Unknown,
        [text] => Value::text(text),
        texts => Value::list(texts.iter().map(Value::text).collect()),
    };
    let options = options.iter().map(|(name, texts)| (name.to_ascii_lowercase(), value(texts))).collect();
    options::places(type_, &options).into_iter().collect::<Result<_, _>>().ok()
}

fn value(expression: &str) -> Option<Value> {
    if expression.len() > MAX_BYTES {
        return None;
    }
    let tree = parse(Language::Python, expression)?;
    let script = lower(Language::Python, &tree, expression);
    let [Statement::Expression(expression)] = script.statements.as_slice() else { return None };
    let no_arguments = BTreeMap::new();
    Some(Interpreter::new(&no_arguments).evaluate(expression))
}
