//! Calls: of the script's own functions, and of what [`calls`] knows.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Interpreter, address};
use crate::lineage::scripts::calls;
use crate::lineage::scripts::syntax::{Argument, Call, Expression, Function};
use crate::lineage::scripts::value::{ScopeId, Value};

/// The deepest calls of functions of the script.
const MAX_CALLS: usize = 12;

impl Interpreter<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Value {
        let mut arguments = calls::Arguments::default();
        for argument in &call.arguments {
            match argument {
                Argument::Positional(value) => {
                    let value = self.evaluate(value);
                    arguments.positional.push(value);
                }
                Argument::Named(name, value) => {
                    let value = self.evaluate(value);
                    arguments.named.insert(name.clone(), value);
                }
                Argument::Spread(value) => match self.evaluate(value) {
                    Value::Map(entries) => {
                        arguments.named.extend(entries.iter().map(|(name, value)| (name.clone(), value.clone())));
                    }
                    Value::List(elements) => arguments.positional.extend(elements.iter().cloned()),
                    _ => arguments.has_unknown = true,
                },
            }
        }
        match &call.callee {
            Expression::Name(name) => self.call_name(name, arguments, call.line),
            Expression::Member(object, method) => self.call_method(object, method, arguments, call.line),
            other => {
                let callee = self.evaluate(other);
                self.call_value(&callee, arguments)
            }
        }
    }

    pub(super) fn call_name(&mut self, name: &str, arguments: calls::Arguments, line: usize) -> Value {
        match self.lookup(name).cloned() {
            Some(callee @ (Value::Function(..) | Value::Arguments | Value::List(_))) => {
                return self.call_value(&callee, arguments);
            }
            // A class: its constructor. An object or map of Scala: its element.
            Some(callee @ Value::Map(_)) => {
                let Value::Map(members) = &callee else { return Value::Unknown };
                if let Some(Value::Function(constructor, _)) = members.get("__init__") {
                    let constructor = Rc::clone(constructor);
                    self.call_user(&constructor, None, arguments, true);
                    return callee;
                }
                if let [key] = arguments.positional.as_slice() {
                    return self.item(&callee, &key.clone());
                }
                return callee;
            }
            _ => {}
        }
        if let Some(value) = calls::function(self, name, &arguments, line) {
            return value;
        }
        // A method of the same object, in Scala.
        if let Some(Some(function)) = self.functions.get(name).cloned() {
            return self.call_user(&function, None, arguments, false);
        }
        arguments.data()
    }

    pub(super) fn call_method(
        &mut self,
        object: &Expression,
        method: &str,
        arguments: calls::Arguments,
        line: usize,
    ) -> Value {
        let (receiver, before) = match object {
            Expression::Name(name) if matches!(name.as_str(), "self" | "this" | "cls" | "super") => {
                if let Some(Some(function)) = self.functions.get(method).cloned() {
                    return self.call_user(&function, None, arguments, true);
                }
                (Value::Unknown, Some(name.clone()))
            }
            Expression::Name(name) | Expression::Member(_, name) => (self.evaluate(object), Some(name.clone())),
            _ => (self.evaluate(object), None),
        };
        let context = calls::Method { receiver: &receiver, before: before.as_deref(), name: method, line };
        if let Some(value) = calls::method(self, &context, &arguments) {
            return value;
        }
        if let Value::Map(members) = &receiver
            && let Some(callee @ Value::Function(..)) = members.get(method).cloned()
        {
            let Value::Function(function, scope) = callee else { return Value::Unknown };
            return self.call_user(&function, scope, arguments, true);
        }
        // A method of an object of the script, unless the receiver is data.
        if !matches!(receiver, Value::Data(..) | Value::Text(_) | Value::List(_))
            && let Some(Some(function)) = self.functions.get(method).cloned()
        {
            return self.call_user(&function, None, arguments, true);
        }
        let mut sources = receiver.sources();
        sources.extend(arguments.sources());
        if sources.is_empty() { Value::Unknown } else { Value::data(sources) }
    }

    /// Calls a value: a function, or in Scala the element of a map or a list.
    pub(in super::super) fn call_value(&mut self, callee: &Value, arguments: calls::Arguments) -> Value {
        match callee {
            Value::Function(function, scope) => {
                let function = Rc::clone(function);
                self.call_user(&function, *scope, arguments, false)
            }
            Value::Arguments | Value::Map(_) | Value::List(_) => match arguments.positional.as_slice() {
                [key] => self.item(callee, key),
                _ => Value::Unknown,
            },
            _ => arguments.data(),
        }
    }

    /// Calls a function of the script. A method gets its object first.
    pub(super) fn call_user(
        &mut self,
        function: &Rc<Function>,
        scope: Option<ScopeId>,
        arguments: calls::Arguments,
        is_method: bool,
    ) -> Value {
        let mut positional = arguments.positional;
        let takes_object = function.parameters.first().is_some_and(|(name, _)| matches!(name.as_str(), "self" | "cls"));
        if is_method && takes_object {
            positional.insert(0, Value::Unknown);
        }
        if arguments.has_unknown {
            // Any parameter may have a value that is not known.
            positional.clear();
        }
        let named = if arguments.has_unknown {
            function.parameters.iter().map(|(name, _)| (name.clone(), Value::Unknown)).collect()
        } else {
            arguments.named
        };
        self.call_function(function, scope, positional, named)
    }

    pub(super) fn call_function(
        &mut self,
        function: &Rc<Function>,
        scope: Option<ScopeId>,
        positional: Vec<Value>,
        mut named: BTreeMap<String, Value>,
    ) -> Value {
        self.called.insert(address(function));
        if self.calls >= MAX_CALLS || !self.step(1) {
            return Value::Unknown;
        }
        // The scopes that the function sees: those around its definition, while they are the same.
        let scope = scope.or_else(|| {
            let (_, scope) = self.defined.iter().find(|(known, _)| Rc::ptr_eq(known, function))?;
            Some(*scope)
        });
        let seen = scope.filter(|(level, id)| self.scopes.get(*level).is_some_and(|scope| scope.id == *id));
        let hidden = self.scopes.split_off(seen.map_or(1, |(level, _)| level + 1));
        self.calls += 1;
        self.returned.push(None);
        let value = self.with_scope(|own| {
            let mut positional = positional.into_iter();
            for (name, default) in &function.parameters {
                let value = positional.next().or_else(|| named.remove(name));
                let value = match (value, default) {
                    (Some(value), _) => value,
                    (None, Some(default)) => own.evaluate(default),
                    (None, None) => Value::Unknown,
                };
                own.declare(name, value);
            }
            if function.returns_last {
                own.with_block(&function.body)
            } else {
                own.block(&function.body);
                Value::Unknown
            }
        });
        let returned = self.returned.pop().flatten();
        self.calls -= 1;
        self.scopes.extend(hidden);
        match returned {
            Some(returned) if function.returns_last => returned.or(&value),
            Some(returned) => returned,
            None => value,
        }
    }
}
