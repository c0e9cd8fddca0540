//! From the tree of Python's grammar to the statements that matter.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use tree_sitter::Node;

use super::syntax::{Argument, Call, Expression, Function, MAX_DEPTH, Script, Statement, Target};

/// Reads a module.
pub(super) fn read(module: Node<'_>, script: &str) -> Script {
    let reader = Reader { script, is_too_deep: Cell::default(), mentioned: RefCell::default() };
    let statements = reader.block(module, 0);
    Script { statements, is_too_deep: reader.is_too_deep.get(), mentioned: reader.mentioned.into_inner() }
}

struct Reader<'a> {
    script: &'a str,
    is_too_deep: Cell<bool>,
    mentioned: RefCell<HashSet<String>>,
}

impl<'a> Reader<'a> {
    fn text(&self, node: Node<'_>) -> &'a str {
        self.script.get(node.byte_range()).unwrap_or_default()
    }

    /// A name that is used.
    fn mention(&self, name: Node<'_>) -> String {
        let name = self.text(name).to_owned();
        self.mentioned.borrow_mut().insert(name.clone());
        name
    }

    /// The statements that are children of the node.
    fn block(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        children(node).into_iter().flat_map(|child| self.statement(child, depth + 1)).collect()
    }

    fn body(&self, node: Node<'_>, name: &str, depth: usize) -> Vec<Statement> {
        field(node, name).map(|body| self.block(body, depth)).unwrap_or_default()
    }

    fn statement(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        if depth > MAX_DEPTH {
            self.is_too_deep.set(true);
            return Vec::new();
        }
        let expression = |name| field(node, name).map(|found| self.expression(found, depth + 1));
        match node.kind() {
            "assignment" => {
                let Some(value) = expression("right") else { return Vec::new() };
                let target = field(node, "left").map_or(Target::Other, |left| self.target(left, depth + 1));
                // `a = b = value`
                if let Some(right) = field(node, "right").filter(|right| right.kind() == "assignment") {
                    let mut both = self.statement(right, depth + 1);
                    let inner = both.iter().find_map(|statement| match statement {
                        Statement::Assign(Target::Name(name), _) => Some(name.clone()),
                        _ => None,
                    });
                    both.push(Statement::Assign(target, inner.map_or(Expression::UNKNOWN, Expression::Name)));
                    return both;
                }
                vec![Statement::Assign(target, value)]
            }
            "augmented_assignment" => {
                let target = field(node, "left").map_or(Target::Other, |left| self.target(left, depth + 1));
                let operator = field(node, "operator").map(|operator| self.text(operator));
                let sides = (expression("left"), expression("right"));
                let value = match (operator, sides) {
                    (Some("+="), (Some(left), Some(right))) => Expression::Join(vec![left, right]),
                    (_, (left, right)) => Expression::Unknown(left.into_iter().chain(right).collect()),
                };
                vec![Statement::Assign(target, value)]
            }
            "if_statement" => self.condition(node, depth),
            "match_statement" => {
                let mut all = vec![Statement::Expression(expression("subject").unwrap_or(Expression::UNKNOWN))];
                let cases = field(node, "body").map(children).unwrap_or_default();
                let bodies = cases.into_iter().map(|case| self.body(case, "consequence", depth + 1));
                all.push(Statement::Branches(bodies.chain([Vec::new()]).collect()));
                all
            }
            "for_statement" => {
                let target = field(node, "left").map_or(Target::Other, |left| self.target(left, depth + 1));
                vec![Statement::Loop(target, expression("right"), self.body(node, "body", depth + 1))]
            }
            "while_statement" => {
                let mut body: Vec<_> = expression("condition").into_iter().map(Statement::Expression).collect();
                body.extend(self.body(node, "body", depth + 1));
                vec![Statement::Loop(Target::Other, None, body)]
            }
            "try_statement" => self.try_(node, depth),
            "with_statement" => self.with(node, depth),
            "function_definition" => vec![Statement::Function(Rc::new(self.function(node, depth + 1)))],
            "class_definition" => {
                let name = field(node, "name").map(|name| self.text(name).to_owned()).unwrap_or_default();
                vec![Statement::Class(name, self.body(node, "body", depth + 1))]
            }
            "decorated_definition" => {
                field(node, "definition").map(|found| self.statement(found, depth + 1)).unwrap_or_default()
            }
            "return_statement" => {
                let value = children(node).first().map(|value| self.expression(*value, depth + 1));
                vec![Statement::Return(value)]
            }
            "raise_statement" | "continue_statement" | "break_statement" => vec![Statement::Return(None)],
            "global_statement" | "nonlocal_statement" => {
                let names = children(node).into_iter().map(|name| self.text(name).to_owned());
                vec![Statement::Global(names.collect())]
            }
            "import_statement" | "import_from_statement" | "future_import_statement" | "pass_statement" | "comment" => {
                Vec::new()
            }
            // An error in the syntax may have statements in it.
            "expression_statement" | "ERROR" | "block" => self.block(node, depth),
            _ => vec![Statement::Expression(self.expression(node, depth + 1))],
        }
    }

    fn try_(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        let mut all = self.body(node, "body", depth + 1);
        let (mut handlers, mut last) = (vec![Vec::new()], Vec::new());
        for child in children(node) {
            match child.kind() {
                "except_clause" | "except_group_clause" => handlers.push(self.blocks_of(child, depth + 1)),
                "else_clause" => all.extend(self.body(child, "body", depth + 1)),
                "finally_clause" => last.extend(self.blocks_of(child, depth + 1)),
                _ => {}
            }
        }
        all.push(Statement::Branches(handlers));
        all.extend(last);
        all
    }

    fn with(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        let mut all = Vec::new();
        for item in children(node).into_iter().filter(|child| child.kind() == "with_clause").flat_map(children) {
            let value = field(item, "value");
            let Some(value) = value else { continue };
            let alias = field(value, "alias").and_then(|alias| children(alias).first().copied());
            let context = if value.kind() == "as_pattern" { children(value).first().copied() } else { Some(value) };
            let context = context.map_or(Expression::UNKNOWN, |context| self.expression(context, depth + 1));
            let target = alias.map_or(Target::Other, |alias| self.target(alias, depth + 1));
            all.push(Statement::Assign(target, context));
        }
        all.extend(self.body(node, "body", depth + 1));
        all
    }

    fn condition(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        let condition = field(node, "condition").map(|condition| self.expression(condition, depth + 1));
        let mut all: Vec<_> = condition.into_iter().map(Statement::Expression).collect();
        // The module's own guard always holds.
        if field(node, "condition").is_some_and(|condition| self.text(condition).starts_with("__name__ ==")) {
            all.extend(self.body(node, "consequence", depth + 1));
            return all;
        }
        let mut branches = vec![self.body(node, "consequence", depth + 1)];
        let mut has_else = false;
        for child in children(node) {
            match child.kind() {
                "elif_clause" => {
                    let condition = field(child, "condition").map(|found| self.expression(found, depth + 1));
                    all.extend(condition.into_iter().map(Statement::Expression));
                    branches.push(self.body(child, "consequence", depth + 1));
                }
                "else_clause" => {
                    has_else = true;
                    branches.push(self.body(child, "body", depth + 1));
                }
                _ => {}
            }
        }
        if !has_else {
            branches.push(Vec::new());
        }
        all.push(Statement::Branches(branches));
        all
    }

    /// The statements of all blocks among the children.
    fn blocks_of(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        let blocks = children(node).into_iter().filter(|child| child.kind() == "block");
        blocks.flat_map(|block| self.block(block, depth)).collect()
    }

    fn function(&self, node: Node<'_>, depth: usize) -> Function {
        let name = field(node, "name").map(|name| self.text(name).to_owned()).unwrap_or_default();
        let body = self.body(node, "body", depth);
        Function { name, parameters: self.parameters(node, depth), body, returns_last: false }
    }

    fn parameters(&self, node: Node<'_>, depth: usize) -> Vec<(String, Option<Expression>)> {
        let parameters = field(node, "parameters").map(children).unwrap_or_default();
        let parameter = |parameter: Node<'_>| match parameter.kind() {
            "identifier" => Some((self.text(parameter).to_owned(), None)),
            "typed_parameter" => Some((self.text(*children(parameter).first()?).to_owned(), None)),
            "default_parameter" | "typed_default_parameter" => {
                let name = self.text(field(parameter, "name")?).to_owned();
                Some((name, field(parameter, "value").map(|value| self.expression(value, depth + 1))))
            }
            _ => None,
        };
        parameters.into_iter().filter_map(parameter).collect()
    }

    fn target(&self, node: Node<'_>, depth: usize) -> Target {
        match node.kind() {
            "identifier" => Target::Name(self.text(node).to_owned()),
            "attribute" => {
                let object = field(node, "object").map(|object| self.text(object));
                let member = field(node, "attribute").map(|member| self.text(member).to_owned());
                match (object, member) {
                    (Some("self" | "cls"), Some(member)) => Target::Member(member),
                    _ => Target::Other,
                }
            }
            "pattern_list" | "tuple_pattern" | "list_pattern" => {
                let name = |node: Node<'_>| (node.kind() == "identifier").then(|| self.text(node).to_owned());
                Target::Names(children(node).into_iter().map(name).collect())
            }
            "subscript" => {
                let map = field(node, "value").filter(|map| map.kind() == "identifier");
                let key = field(node, "subscript").map(|key| self.expression(key, depth + 1));
                match (map, key) {
                    (Some(map), Some(key)) => Target::Item(self.text(map).to_owned(), Box::new(key)),
                    _ => Target::Other,
                }
            }
            _ => Target::Other,
        }
    }

    fn expression(&self, node: Node<'_>, depth: usize) -> Expression {
        if depth > MAX_DEPTH {
            self.is_too_deep.set(true);
            return Expression::UNKNOWN;
        }
        let part = |name| field(node, name).map(|found| self.expression(found, depth + 1));
        let parts = || children(node).into_iter().map(|child| self.expression(child, depth + 1));
        match node.kind() {
            "identifier" => Expression::Name(self.mention(node)),
            "string" => self.string(node, depth),
            "none" => Expression::Nothing,
            "integer" | "float" | "true" | "false" => Expression::Text(self.text(node).to_owned()),
            "concatenated_string" => Expression::Join(parts().collect()),
            "parenthesized_expression" | "await" | "expression_statement" => {
                parts().next().unwrap_or(Expression::UNKNOWN)
            }
            "attribute" => match (part("object"), field(node, "attribute")) {
                (Some(object), Some(member)) => Expression::Member(Box::new(object), self.mention(member)),
                _ => Expression::UNKNOWN,
            },
            "subscript" => match (part("value"), part("subscript")) {
                (Some(object), Some(key)) => Expression::Item(Box::new(object), Box::new(key)),
                _ => Expression::UNKNOWN,
            },
            "call" => match part("function") {
                Some(callee) => Expression::Call(Box::new(Call {
                    callee,
                    arguments: self.arguments(node, depth),
                    line: node.start_position().row + 1,
                })),
                None => Expression::UNKNOWN,
            },
            "binary_operator" => self.operator(node, depth),
            "list" | "tuple" | "set" | "expression_list" => Expression::List(parts().collect()),
            "dictionary" => {
                Expression::Map(children(node).into_iter().filter_map(|child| self.entry(child, depth)).collect())
            }
            "conditional_expression" => match parts().collect::<Vec<_>>().as_slice() {
                [one, condition, other] => Expression::Block(vec![
                    Statement::Expression(condition.clone()),
                    Statement::Expression(Expression::Either(vec![one.clone(), other.clone()])),
                ]),
                _ => Expression::UNKNOWN,
            },
            "boolean_operator" => match (part("left"), part("right")) {
                (Some(left), Some(right)) => Expression::Either(vec![left, right]),
                _ => Expression::UNKNOWN,
            },
            "named_expression" => match (field(node, "name"), part("value")) {
                (Some(name), Some(value)) => {
                    let name = self.text(name).to_owned();
                    Expression::Block(vec![
                        Statement::Assign(Target::Name(name.clone()), value),
                        Statement::Expression(Expression::Name(name)),
                    ])
                }
                _ => Expression::UNKNOWN,
            },
            "lambda" => {
                let body = part("body").map(|body| Statement::Return(Some(body)));
                let (name, body) = (String::new(), body.into_iter().collect());
                let parameters = self.parameters(node, depth);
                Expression::Lambda(Rc::new(Function { name, parameters, body, returns_last: false }))
            }
            "list_comprehension" | "generator_expression" | "set_comprehension" => {
                let clauses: Vec<_> = children(node).into_iter().skip(1).collect();
                match (clauses.as_slice(), part("body")) {
                    ([clause], Some(body)) if clause.kind() == "for_in_clause" => {
                        let target = field(*clause, "left").map_or(Target::Other, |left| self.target(left, depth + 1));
                        let over = field(*clause, "right").map(|right| self.expression(right, depth + 1));
                        let over = over.unwrap_or(Expression::UNKNOWN);
                        Expression::Comprehension(target, Box::new(over), Box::new(body))
                    }
                    (_, body) => Expression::Unknown(body.into_iter().collect()),
                }
            }
            _ => Expression::Unknown(parts().collect()),
        }
    }

    fn entry(&self, node: Node<'_>, depth: usize) -> Option<(Option<Expression>, Expression)> {
        match node.kind() {
            "pair" => {
                let key = field(node, "key").map(|key| self.expression(key, depth + 1));
                let value = field(node, "value").map(|value| self.expression(value, depth + 1));
                Some((Some(key?), value?))
            }
            "dictionary_splat" => Some((None, self.expression(*children(node).first()?, depth + 1))),
            _ => None,
        }
    }

    fn operator(&self, node: Node<'_>, depth: usize) -> Expression {
        // A sum of many parts is nested as deep as it has parts.
        let (mut right_parts, mut left) = (Vec::new(), node);
        let is_sum = |node: Node<'_>| {
            let operator = field(node, "operator").map(|operator| self.text(operator));
            node.kind() == "binary_operator" && operator == Some("+")
        };
        while is_sum(left) {
            let (Some(next), Some(right)) = (field(left, "left"), field(left, "right")) else { break };
            right_parts.push(self.expression(right, depth + 1));
            left = next;
        }
        if !right_parts.is_empty() {
            right_parts.push(self.expression(left, depth + 1));
            right_parts.reverse();
            return Expression::Join(right_parts);
        }
        let part = |name| field(node, name).map(|found| self.expression(found, depth + 1));
        let operator = field(node, "operator").map(|operator| self.text(operator));
        match (operator, part("left"), part("right")) {
            (Some("%"), Some(left), Some(right)) => Expression::Percent(Box::new(left), Box::new(right)),
            (_, left, right) => Expression::Unknown(left.into_iter().chain(right).collect()),
        }
    }

    fn arguments(&self, call: Node<'_>, depth: usize) -> Vec<Argument> {
        let Some(list) = field(call, "arguments") else { return Vec::new() };
        if list.kind() == "generator_expression" {
            return vec![Argument::Positional(self.expression(list, depth + 1))];
        }
        let argument = |node: Node<'_>| match node.kind() {
            "keyword_argument" => {
                let name = self.text(field(node, "name")?).to_owned();
                let value = self.expression(field(node, "value")?, depth + 1);
                Some(Argument::Named(name, value))
            }
            "list_splat" | "dictionary_splat" => {
                Some(Argument::Spread(self.expression(*children(node).first()?, depth + 1)))
            }
            "comment" => None,
            _ => Some(Argument::Positional(self.expression(node, depth + 1))),
        };
        children(list).into_iter().filter_map(argument).collect()
    }

    fn string(&self, node: Node<'_>, depth: usize) -> Expression {
        let mut prefix = "";
        let mut parts = Vec::new();
        for child in children(node) {
            match child.kind() {
                "string_start" => prefix = self.text(child),
                "string_content" => {
                    let is_raw = prefix.contains(['r', 'R']);
                    parts.push(
                        if is_raw { Some(self.text(child).to_owned()) } else { self.unescaped(child) }
                            .map_or(Expression::UNKNOWN, Expression::Text),
                    );
                }
                "interpolation" => {
                    let is_plain = children(child).len() == 1;
                    let value = field(child, "expression").map(|value| self.expression(value, depth + 1));
                    let value = value.unwrap_or(Expression::UNKNOWN);
                    parts.push(if is_plain { value } else { Expression::Unknown(vec![value]) });
                }
                _ => {}
            }
        }
        if prefix.contains(['b', 'B']) {
            return Expression::UNKNOWN;
        }
        match parts.len() {
            0 => Expression::Text(String::new()),
            1 if matches!(parts[0], Expression::Text(_)) => parts.swap_remove(0),
            _ => Expression::Join(parts),
        }
    }

    /// The content of a string with its escapes resolved; `None` where one is not known.
    fn unescaped(&self, content: Node<'_>) -> Option<String> {
        let (mut text, mut at) = (String::new(), content.start_byte());
        for escape in children(content) {
            text.push_str(self.script.get(at..escape.start_byte())?);
            match self.text(escape) {
                "\\n" => text.push('\n'),
                "\\t" => text.push('\t'),
                "\\r" => text.push('\r'),
                "\\\\" => text.push('\\'),
                "\\'" => text.push('\''),
                "\\\"" => text.push('"'),
                "{{" => text.push('{'),
                "}}" => text.push('}'),
                newline if newline.starts_with("\\\n") || newline.starts_with("\\\r") => {}
                _ => return None,
            }
            at = escape.end_byte();
        }
        text.push_str(self.script.get(at..content.end_byte())?);
        Some(text)
    }
}

fn field<'t>(node: Node<'t>, name: &str) -> Option<Node<'t>> {
    node.child_by_field_name(name)
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra() || child.is_error()).collect()
}
