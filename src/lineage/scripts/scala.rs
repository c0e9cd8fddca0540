//! From the tree of Scala's grammar to the statements that matter.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use tree_sitter::Node;

use super::syntax::{Argument, Call, Expression, Function, MAX_DEPTH, Script, Statement, Target};

/// Reads a file.
pub(super) fn read(file: Node<'_>, script: &str) -> Script {
    let reader = Reader { script, is_too_deep: Cell::default(), mentioned: RefCell::default() };
    let statements = reader.block(file, 0);
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

    fn is_too_deep(&self, depth: usize) -> bool {
        let is_too_deep = depth > MAX_DEPTH;
        if is_too_deep {
            self.is_too_deep.set(true);
        }
        is_too_deep
    }

    fn statement(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        if self.is_too_deep(depth) {
            return Vec::new();
        }
        let expression = |field| node.child_by_field_name(field).map(|found| self.expression(found, depth + 1));
        match node.kind() {
            "val_definition" | "var_definition" => {
                let target = node.child_by_field_name("pattern").map_or(Target::Other, |pattern| self.target(pattern));
                vec![Statement::Assign(target, expression("value").unwrap_or(Expression::UNKNOWN))]
            }
            "assignment_expression" => {
                let target = node.child_by_field_name("left").map_or(Target::Other, |left| self.target(left));
                vec![Statement::Update(target, expression("right").unwrap_or(Expression::UNKNOWN))]
            }
            "object_definition" | "class_definition" | "trait_definition" => {
                let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned());
                let body = node.child_by_field_name("body").map(|body| self.block(body, depth + 1));
                let body = body.unwrap_or_default();
                // What an object defines is seen in all of it, and by its name outside.
                vec![Statement::Class(name.unwrap_or_default(), body)]
            }
            "function_definition" => vec![Statement::Function(Rc::new(self.function(node, depth + 1)))],
            "if_expression" => {
                let mut all: Vec<_> = expression("condition").into_iter().map(Statement::Expression).collect();
                let branch = |field| {
                    let branch = node.child_by_field_name(field);
                    branch.map(|branch| self.branch(branch, depth + 1)).unwrap_or_default()
                };
                all.push(Statement::Branches(vec![branch("consequence"), branch("alternative")]));
                all
            }
            "for_expression" => {
                let body =
                    node.child_by_field_name("body").map(|body| self.branch(body, depth + 1)).unwrap_or_default();
                // The field of the same name is the bracket.
                let enumerators = children(node).into_iter().filter(|child| child.kind() == "enumerators");
                let generators = enumerators.flat_map(children).filter(|child| child.kind() == "enumerator");
                let mut inner = body;
                for generator in generators.collect::<Vec<_>>().into_iter().rev() {
                    let parts = children(generator);
                    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { continue };
                    let over = (parts.len() > 1).then(|| self.expression(*last, depth + 1));
                    inner = vec![Statement::Loop(self.target(*first), over, inner)];
                }
                inner
            }
            "while_expression" | "do_while_expression" => {
                let mut body: Vec<_> = expression("condition").into_iter().map(Statement::Expression).collect();
                body.extend(
                    node.child_by_field_name("body").map(|body| self.branch(body, depth + 1)).unwrap_or_default(),
                );
                vec![Statement::Loop(Target::Other, None, body)]
            }
            "try_expression" => {
                let mut all =
                    node.child_by_field_name("body").map(|body| self.branch(body, depth + 1)).unwrap_or_default();
                let (mut handlers, mut last) = (vec![Vec::new()], Vec::new());
                for child in children(node) {
                    match child.kind() {
                        "catch_clause" => handlers.extend(self.cases(child, depth + 1)),
                        "finally_clause" => last.extend(self.block(child, depth + 1)),
                        _ => {}
                    }
                }
                all.push(Statement::Branches(handlers));
                all.extend(last);
                all
            }
            "match_expression" => {
                let mut all: Vec<_> = expression("value").into_iter().map(Statement::Expression).collect();
                all.push(Statement::Branches(self.cases(node, depth + 1)));
                all
            }
            "block" | "indented_block" => vec![Statement::Scope(self.block(node, depth))],
            "return_expression" | "throw_expression" => {
                let value = children(node).first().map(|value| self.expression(*value, depth + 1));
                vec![Statement::Return(value)]
            }
            "import_declaration" | "package_clause" | "comment" | "block_comment" | "type_definition" => Vec::new(),
            "ERROR" | "template_body" => self.block(node, depth),
            _ => vec![Statement::Expression(self.expression(node, depth + 1))],
        }
    }

    /// A branch, with variables of its own.
    fn branch(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        vec![Statement::Scope(match node.kind() {
            "block" | "indented_block" => self.block(node, depth),
            _ => self.statement(node, depth),
        })]
    }

    fn cases(&self, node: Node<'_>, depth: usize) -> Vec<Vec<Statement>> {
        let blocks = children(node).into_iter().filter(|child| matches!(child.kind(), "case_block" | "indented_cases"));
        let cases = blocks.flat_map(children).filter(|child| child.kind() == "case_clause");
        let bodies = cases.map(|case| {
            let body = case.child_by_field_name("body").map(|body| self.statement(body, depth + 1));
            vec![Statement::Scope(body.unwrap_or_default())]
        });
        bodies.collect()
    }

    fn function(&self, node: Node<'_>, depth: usize) -> Function {
        let name = node.child_by_field_name("name").map(|name| self.text(name).to_owned()).unwrap_or_default();
        let mut parameters = Vec::new();
        for list in children(node).into_iter().filter(|child| child.kind() == "parameters") {
            for parameter in children(list) {
                let Some(name) = parameter.child_by_field_name("name") else { continue };
                let default = parameter.child_by_field_name("default_value");
                parameters.push((self.text(name).to_owned(), default.map(|found| self.expression(found, depth + 1))));
            }
        }
        let body = node.child_by_field_name("body").map(|body| match body.kind() {
            "block" | "indented_block" => self.block(body, depth),
            _ => self.statement(body, depth + 1),
        });
        Function { name, parameters, body: body.unwrap_or_default(), returns_last: true }
    }

    fn target(&self, node: Node<'_>) -> Target {
        match node.kind() {
            "identifier" => Target::Name(self.text(node).to_owned()),
            "typed_pattern" => node.child_by_field_name("pattern").map_or(Target::Other, |found| self.target(found)),
            "tuple_pattern" => {
                let name = |node: Node<'_>| (node.kind() == "identifier").then(|| self.text(node).to_owned());
                Target::Names(children(node).into_iter().map(name).collect())
            }
            _ => Target::Other,
        }
    }

    fn expression(&self, node: Node<'_>, depth: usize) -> Expression {
        if self.is_too_deep(depth) {
            return Expression::UNKNOWN;
        }
        let field = |name| node.child_by_field_name(name).map(|found| self.expression(found, depth + 1));
        let parts = || children(node).into_iter().map(|child| self.expression(child, depth + 1));
        match node.kind() {
            "identifier" | "operator_identifier" => Expression::Name(self.mention(node)),
            "null_literal" => Expression::Nothing,
            "string" => string(self.text(node)).map_or(Expression::UNKNOWN, Expression::Text),
            "interpolated_string_expression" => self.interpolated(node, depth),
            "integer_literal" | "floating_point_literal" | "boolean_literal" => {
                Expression::Text(self.text(node).to_owned())
            }
            "parenthesized_expression" => parts().next().unwrap_or(Expression::UNKNOWN),
            "field_expression" => match (field("value"), node.child_by_field_name("field")) {
                (Some(object), Some(member)) => Expression::Member(Box::new(object), self.mention(member)),
                _ => Expression::UNKNOWN,
            },
            // `as[String]` without its type.
            "generic_function" => field("function").unwrap_or(Expression::UNKNOWN),
            "call_expression" => self.call(node, depth),
            "instance_expression" => {
                let name = children(node).into_iter().find(|child| child.kind().ends_with("type_identifier"));
                let arguments = node.child_by_field_name("arguments").map(|list| self.arguments(list, depth));
                Expression::Call(Box::new(Call {
                    callee: name.map_or(Expression::UNKNOWN, |name| Expression::Name(self.text(name).to_owned())),
                    arguments: arguments.unwrap_or_default(),
                    line: node.start_position().row + 1,
                }))
            }
            "infix_expression" => self.infix(node, depth),
            "tuple_expression" => Expression::List(parts().collect()),
            "block" | "indented_block" | "if_expression" | "match_expression" | "try_expression" | "for_expression" => {
                Expression::Block(self.statement_value(node, depth))
            }
            "lambda_expression" => {
                let parts = children(node);
                let Some((body, parameters)) = parts.split_last() else { return Expression::UNKNOWN };
                let names: Vec<_> =
                    parameters.iter().flat_map(|parameter| self.lambda_parameters(*parameter)).collect();
                Expression::Lambda(Rc::new(Function {
                    name: String::new(),
                    parameters: names.into_iter().map(|name| (name, None)).collect(),
                    body: self.statement(*body, depth + 1),
                    returns_last: true,
                }))
            }
            "assignment_expression" => Expression::Block(self.statement(node, depth + 1)),
            _ => Expression::Unknown(parts().collect()),
        }
    }

    /// The statements of an expression that has some. The value of a condition is that of its branches.
    fn statement_value(&self, node: Node<'_>, depth: usize) -> Vec<Statement> {
        if node.kind() != "if_expression" {
            return self.statement(node, depth + 1);
        }
        let field = |name| node.child_by_field_name(name).map(|found| self.expression(found, depth + 1));
        let mut all: Vec<_> = field("condition").into_iter().map(Statement::Expression).collect();
        let branches = [field("consequence"), field("alternative")];
        all.push(Statement::Expression(Expression::Either(branches.into_iter().flatten().collect())));
        all
    }

    fn lambda_parameters(&self, node: Node<'_>) -> Vec<String> {
        match node.kind() {
            "identifier" => vec![self.text(node).to_owned()],
            "bindings" | "binding" | "parameters" | "parameter" | "typed_pattern" | "tuple_pattern" => {
                if let Some(name) = node.child_by_field_name("name") {
                    return vec![self.text(name).to_owned()];
                }
                children(node).into_iter().flat_map(|child| self.lambda_parameters(child)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn call(&self, node: Node<'_>, depth: usize) -> Expression {
        let Some(function) = node.child_by_field_name("function") else { return Expression::UNKNOWN };
        let callee = self.expression(function, depth + 1);
        let arguments = node.child_by_field_name("arguments").map(|list| match list.kind() {
            // `xs.foreach { x => ... }`
            "block" | "indented_block" => match children(list).as_slice() {
                [only] if only.kind() == "lambda_expression" => {
                    vec![Argument::Positional(self.expression(*only, depth + 1))]
                }
                _ => vec![Argument::Positional(Expression::Block(self.statement(list, depth + 1)))],
            },
            "case_block" => vec![Argument::Positional(Expression::UNKNOWN)],
            _ => self.arguments(list, depth),
        });
        Expression::Call(Box::new(Call {
            callee,
            arguments: arguments.unwrap_or_default(),
            line: node.start_position().row + 1,
        }))
    }

    fn arguments(&self, list: Node<'_>, depth: usize) -> Vec<Argument> {
        let argument = |node: Node<'_>| {
            let left = node.child_by_field_name("left").filter(|left| left.kind() == "identifier");
            match (node.kind(), left, node.child_by_field_name("right")) {
                ("assignment_expression", Some(name), Some(value)) => {
                    Argument::Named(self.text(name).to_owned(), self.expression(value, depth + 1))
                }
                ("postfix_expression" | "ascription_expression", ..) if self.text(node).ends_with("_*") => {
                    let inner = children(node).first().map(|inner| self.expression(*inner, depth + 1));
                    Argument::Spread(inner.unwrap_or(Expression::UNKNOWN))
                }
                _ => Argument::Positional(self.expression(node, depth + 1)),
            }
        };
        children(list).into_iter().map(argument).collect()
    }

    fn infix(&self, node: Node<'_>, depth: usize) -> Expression {
        // A sum of many parts is nested as deep as it has parts.
        let operator = |node: Node<'_>| {
            let operator = node.child_by_field_name("operator").map(|operator| self.text(operator));
            operator.filter(|_| node.kind() == "infix_expression")
        };
        let (mut right_parts, mut left) = (Vec::new(), node);
        while operator(left) == Some("+") {
            let (Some(next), Some(right)) = (left.child_by_field_name("left"), left.child_by_field_name("right"))
            else {
                break;
            };
            right_parts.push(self.expression(right, depth + 1));
            left = next;
        }
        if !right_parts.is_empty() {
            right_parts.push(self.expression(left, depth + 1));
            right_parts.reverse();
            return Expression::Join(right_parts);
        }
        let field = |name| node.child_by_field_name(name).map(|found| self.expression(found, depth + 1));
        match (operator(node), field("left"), field("right")) {
            (Some("->"), Some(left), Some(right)) => Expression::List(vec![left, right]),
            (Some(name), Some(left), Some(right)) if name.starts_with(char::is_alphabetic) => {
                Expression::Call(Box::new(Call {
                    callee: Expression::Member(Box::new(left), name.to_owned()),
                    arguments: vec![Argument::Positional(right)],
                    line: node.start_position().row + 1,
                }))
            }
            (_, left, right) => Expression::Unknown(left.into_iter().chain(right).collect()),
        }
    }

    /// `s"..."`; other interpolators make something that is not known.
    fn interpolated(&self, node: Node<'_>, depth: usize) -> Expression {
        let interpolator = node.child_by_field_name("interpolator").map(|name| self.text(name));
        let string = children(node).into_iter().find(|child| child.kind() == "interpolated_string");
        let Some(string) = string.filter(|_| matches!(interpolator, Some("s" | "raw"))) else {
            return Expression::UNKNOWN;
        };
        let quotes = if self.text(string).starts_with("\"\"\"") { 3 } else { 1 };
        let end = string.end_byte().saturating_sub(quotes);
        let (mut parts, mut at) = (Vec::new(), string.start_byte() + quotes);
        let literal = |from: usize, to: usize| match self.script.get(from..to) {
            Some(text) if !text.contains('\\') || quotes == 3 => Expression::Text(text.replace("$$", "$")),
            _ => Expression::UNKNOWN,
        };
        for child in children(string) {
            if child.kind() != "interpolation" {
                continue;
            }
            parts.push(literal(at, child.start_byte()));
            let value = children(child).first().map(|value| match (value.kind(), children(*value).as_slice()) {
                ("block", [only]) => self.expression(*only, depth + 1),
                _ => self.expression(*value, depth + 1),
            });
            parts.push(value.unwrap_or(Expression::UNKNOWN));
            at = child.end_byte();
        }
        parts.push(literal(at, end));
        Expression::Join(parts)
    }
}

/// The text of a string literal; `None` where it has an escape that is not known.
fn string(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix("\"\"\"") {
        return raw.strip_suffix("\"\"\"").map(str::to_owned);
    }
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    let (mut text, mut characters) = (String::new(), inner.chars());
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        text.push(match characters.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            same @ ('\\' | '"' | '\'') => same,
            _ => return None,
        });
    }
    Some(text)
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| !child.is_extra() || child.is_error()).collect()
}
