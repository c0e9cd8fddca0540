//! Assignments, branches, loops and definitions.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Interpreter, Variables};
use crate::lineage::scripts::syntax::{Expression, Function, Statement, Target};
use crate::lineage::scripts::value::Value;

/// The most elements of a loop that are followed one by one.
pub(super) const MAX_ELEMENTS: usize = 64;

/// Whether a list of statements came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    /// A `return`, or what else leaves the list.
    Left,
}

impl Interpreter<'_> {
    pub(super) fn block(&mut self, statements: &[Statement]) -> Flow {
        // Functions may be called before they are defined.
        for statement in statements {
            if let Statement::Function(function) = statement {
                self.define(function);
            }
        }
        for statement in statements {
            if !self.step(1) || self.statement(statement) == Flow::Left {
                return Flow::Left;
            }
        }
        Flow::Next
    }

    pub(super) fn define(&mut self, function: &Rc<Function>) {
        let scope = self.scopes.last().map_or((0, 0), |scope| (self.scopes.len() - 1, scope.id));
        let is_known = self.defined.iter().any(|(known, _)| Rc::ptr_eq(known, function));
        if !is_known {
            self.defined.push((Rc::clone(function), scope));
            self.functions
                .entry(function.name.clone())
                .and_modify(|known| *known = None)
                .or_insert_with(|| Some(Rc::clone(function)));
        }
        self.declare(&function.name, Value::Function(Rc::clone(function), Some(scope)));
    }

    pub(super) fn statement(&mut self, statement: &Statement) -> Flow {
        self.nesting += 1;
        let flow = self.statement_within(statement);
        self.nesting -= 1;
        flow
    }

    pub(super) fn statement_within(&mut self, statement: &Statement) -> Flow {
        match statement {
            Statement::Assign(target, value) => {
                let value = self.evaluate(value);
                self.assign(target, value, false);
            }
            Statement::Update(target, value) => {
                let value = self.evaluate(value);
                self.assign(target, value, true);
            }
            Statement::Expression(expression) => drop(self.evaluate(expression)),
            Statement::Branches(branches) => return self.branches(branches),
            Statement::Loop(target, over, body) => self.repeat(target, over.as_ref(), body),
            Statement::Scope(statements) => return self.with_scope(|own| own.block(statements)),
            Statement::Function(function) => self.define(function),
            Statement::Class(name, body) => {
                let defined = self.with_scope(|own| {
                    own.block(body);
                    own.scopes.last_mut().map(|scope| std::mem::take(&mut scope.variables)).unwrap_or_default()
                });
                let mut members = BTreeMap::new();
                for (member, value) in defined {
                    self.set_member(&member, value.clone());
                    members.insert(member, value);
                }
                self.declare(name, Value::map(members));
            }
            Statement::Return(value) => {
                let value = value.as_ref().map(|value| self.evaluate(value));
                if let (Some(value), Some(returned)) = (value, self.returned.last_mut()) {
                    *returned = Some(match returned.take() {
                        Some(earlier) => earlier.or(&value),
                        None => value,
                    });
                }
                return Flow::Left;
            }
            Statement::Global(names) => {
                // What a function makes of them is not known where they are used.
                for name in names {
                    if let Some(scope) = self.scopes.first_mut() {
                        scope.variables.insert(name.clone(), Value::Unknown);
                    }
                }
            }
        }
        Flow::Next
    }

    pub(super) fn assign(&mut self, target: &Target, value: Value, is_update: bool) {
        match target {
            Target::Name(name) if is_update => self.update(name, value),
            Target::Name(name) => self.declare(name, value),
            Target::Member(name) => self.set_member(name, value),
            Target::Names(names) => {
                let elements = match &value {
                    Value::List(elements) if elements.len() == names.len() => elements.to_vec(),
                    Value::Data(..) => vec![value.clone(); names.len()],
                    _ => vec![Value::Unknown; names.len()],
                };
                for (name, element) in names.iter().zip(elements) {
                    if let Some(name) = name {
                        self.declare(name, element);
                    }
                }
            }
            Target::Item(name, key) => {
                let key = self.evaluate(key);
                let changed = match (self.lookup(name), key.as_text()) {
                    (Some(Value::Map(entries)), Some(key)) => {
                        let mut entries = BTreeMap::clone(entries);
                        entries.insert(key.to_owned(), value);
                        Value::map(entries)
                    }
                    (Some(other @ Value::Arguments), _) => other.clone(),
                    _ => Value::Unknown,
                };
                self.update(name, changed);
            }
            Target::Other => {}
        }
    }

    pub(super) fn branches(&mut self, branches: &[Vec<Statement>]) -> Flow {
        let before = self.snapshot();
        let mut ends: Vec<Vec<Variables>> = Vec::new();
        for branch in branches {
            self.restore(&before);
            if self.block(branch) == Flow::Next {
                let end = self.snapshot();
                ends.push(end);
            }
        }
        let mut ends = ends.into_iter();
        let Some(first) = ends.next() else {
            return if branches.is_empty() { Flow::Next } else { Flow::Left };
        };
        self.restore(&first);
        ends.for_each(|end| self.merge(end));
        Flow::Next
    }

    pub(super) fn repeat(&mut self, target: &Target, over: Option<&Expression>, body: &[Statement]) {
        let over = over.map_or(Value::Unknown, |over| self.evaluate(over));
        self.for_each(target, &over, |own| {
            own.block(body);
        });
    }

    /// Follows the body for each element of a list that is known, and else once for any of them.
    pub(super) fn for_each(&mut self, target: &Target, over: &Value, mut body: impl FnMut(&mut Self)) {
        match over {
            Value::List(elements) if elements.len() <= MAX_ELEMENTS => {
                for element in elements.iter() {
                    if !self.step(1) {
                        return;
                    }
                    self.assign(target, element.clone(), false);
                    body(self);
                }
            }
            _ => {
                // What the body changes may have been changed by it before: it is followed once to see what that is.
                let element = match over {
                    Value::Data(..) => over.clone(),
                    Value::List(elements) => {
                        elements.iter().skip(1).fold(elements[0].clone(), |all, next| all.or(next))
                    }
                    _ => Value::Unknown,
                };
                let before = self.snapshot();
                self.step(self.accesses.len());
                let (accesses, sinks) = (self.accesses.clone(), self.sinks.len());
                self.assign(target, element.clone(), false);
                body(self);
                self.accesses = accesses;
                self.sinks.truncate(sinks);
                self.merge(before.clone());
                self.assign(target, element, false);
                body(self);
                self.merge(before);
            }
        }
    }
}
