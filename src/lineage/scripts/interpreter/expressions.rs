//! The values of expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::Interpreter;
use super::WEIGHT_OF_A_STEP;
use super::statements::{Flow, MAX_ELEMENTS};
use crate::lineage::scripts::calls;
use crate::lineage::scripts::syntax::{Expression, Statement};
use crate::lineage::scripts::value::Value;

impl Interpreter<'_> {
    /// The value of an expression.
    pub(in super::super) fn evaluate(&mut self, expression: &Expression) -> Value {
        if !self.step(1) {
            return Value::Unknown;
        }
        self.nesting += 1;
        let value = self.evaluate_within(expression);
        self.nesting -= 1;
        self.step(value.weight() / WEIGHT_OF_A_STEP);
        value
    }

    pub(in super::super) fn evaluate_within(&mut self, expression: &Expression) -> Value {
        match expression {
            Expression::Text(text) => Value::text(text),
            Expression::Nothing => Value::Nothing,
            Expression::Join(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.evaluate(part)).collect();
                calls::texts::join(&parts)
            }
            Expression::Percent(template, values) => {
                let (template, values) = (self.evaluate(template), self.evaluate(values));
                calls::texts::percent(&template, &values)
            }
            Expression::Name(name) => self.lookup(name).or_else(|| self.members.get(name)).cloned().unwrap_or_default(),
            Expression::Member(object, member) => self.member(object, member),
            Expression::Item(object, key) => {
                let (object, key) = (self.evaluate(object), self.evaluate(key));
                self.item(&object, &key)
            }
            Expression::Call(call) => self.call(call),
            Expression::Map(entries) => self.map(entries),
            Expression::List(elements) => {
                let elements = elements.iter().map(|element| self.evaluate(element)).collect();
                Value::list(elements)
            }
            Expression::Either(parts) => {
                let values: Vec<_> = parts.iter().map(|part| self.evaluate(part)).collect();
                values.iter().skip(1).fold(values.first().cloned().unwrap_or_default(), |all, next| all.or(next))
            }
            Expression::Comprehension(target, over, body) => {
                let over = self.evaluate(over);
                let is_known = matches!(&over, Value::List(elements) if elements.len() <= MAX_ELEMENTS);
                let mut elements = Vec::new();
                self.for_each(target, &over, |own| {
                    let element = own.evaluate(body);
                    elements.push(element);
                });
                if is_known { Value::list(elements) } else { Value::Unknown }
            }
            Expression::Lambda(function) => {
                let scope = self.scopes.last().map(|scope| (self.scopes.len() - 1, scope.id));
                Value::Function(Rc::clone(function), scope)
            }
            Expression::Block(statements) => self.with_block(statements),
            Expression::Unknown(parts) => {
                let mut sources = BTreeSet::new();
                for part in parts {
                    sources.extend(self.evaluate(part).sources());
                }
                if sources.is_empty() { Value::Unknown } else { Value::data(sources) }
            }
        }
    }

    /// The value of a block: that of its last expression.
    pub(super) fn with_block(&mut self, statements: &[Statement]) -> Value {
        match statements.split_last() {
            Some((Statement::Expression(last), before)) => {
                if self.block(before) == Flow::Left {
                    return Value::Unknown;
                }
                self.evaluate(last)
            }
            Some((Statement::Scope(inner), [])) => self.with_scope(|own| own.with_block(inner)),
            _ => {
                self.block(statements);
                Value::Unknown
            }
        }
    }

    pub(super) fn map(&mut self, entries: &[(Option<Expression>, Expression)]) -> Value {
        let mut map = BTreeMap::new();
        let mut is_whole = true;
        for (key, value) in entries {
            let value = self.evaluate(value);
            match key {
                Some(key) => match self.evaluate(key).as_text() {
                    Some(key) => drop(map.insert(key.to_owned(), value)),
                    None => is_whole = false,
                },
                None => match value {
                    Value::Map(entries) => map.extend(entries.iter().map(|(key, value)| (key.clone(), value.clone()))),
                    _ => is_whole = false,
                },
            }
        }
        if is_whole { Value::map(map) } else { Value::Unknown }
    }

    pub(super) fn member(&mut self, object: &Expression, member: &str) -> Value {
        if let Expression::Name(name) = object
            && matches!(name.as_str(), "self" | "this" | "cls")
        {
            return self.members.get(member).cloned().unwrap_or_default();
        }
        let object = self.evaluate(object);
        if let Some(value) = calls::spark::member(&object, member) {
            return value;
        }
        match &object {
            Value::Map(entries) => entries.get(member).cloned().unwrap_or_default(),
            // `parser.parse_args().input`
            Value::Arguments => self.argument(member),
            // A column, the RDD, the frame of a collection: it has the data, too.
            Value::Data(..) => Value::data(object.sources()),
            _ => calls::texts::member(&object, member),
        }
    }

    pub(in super::super) fn item(&self, object: &Value, key: &Value) -> Value {
        match (object, key) {
            (Value::Arguments, Value::Text(name)) => self.argument(name),
            (Value::Map(entries), Value::Text(key)) => entries.get(key.as_ref()).cloned().unwrap_or_default(),
            (Value::List(elements), Value::Text(index)) => {
                let index = index.parse::<usize>().ok();
                index.and_then(|index| elements.get(index)).cloned().unwrap_or_default()
            }
            (Value::Data(..), _) => Value::data(object.sources()),
            _ => Value::Unknown,
        }
    }
}
