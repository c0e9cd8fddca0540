//! The tables of a statement in SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    CopySource, FromTable, ObjectName, ObjectNamePart, Query, Statement, TableFactor, TableObject, Use, Visit, Visitor,
};
use sqlparser::dialect::{DatabricksDialect, Dialect, GenericDialect, HiveDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

/// The longest statement that is read, in bytes.
const MAX_SQL: usize = 100 * 1024;
/// The most operators of a statement. The parser bounds how deep parentheses are nested, but a chain of operators is a tree
/// that is as deep as the chain is long, and takes as much of the stack when it is visited and dropped.
const MAX_OPERATORS: usize = 2000;

/// The words that are operators.
const OPERATORS: [Keyword; 28] = [
    Keyword::AND,
    Keyword::AT,
    Keyword::BETWEEN,
    Keyword::COLLATE,
    Keyword::DIV,
    Keyword::EXCEPT,
    Keyword::GLOB,
    Keyword::GLOBAL,
    Keyword::ILIKE,
    Keyword::IN,
    Keyword::INTERSECT,
    Keyword::IS,
    Keyword::LIKE,
    Keyword::MATCH,
    Keyword::MEMBER,
    Keyword::MINUS,
    Keyword::NOT,
    Keyword::NOTNULL,
    Keyword::OPERATOR,
    Keyword::OR,
    Keyword::OVERLAPS,
    Keyword::PIVOT,
    Keyword::REGEXP,
    Keyword::RLIKE,
    Keyword::SIMILAR,
    Keyword::UNION,
    Keyword::UNPIVOT,
    Keyword::XOR,
];

/// The tables of statements, each by the parts of its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// Those that are read.
    pub inputs: BTreeSet<Vec<String>>,
    /// Those that are written.
    pub outputs: BTreeSet<Vec<String>>,
    /// Views that the statements define, with the tables that each reads.
    pub views: Vec<(Vec<String>, BTreeSet<Vec<String>>)>,
    /// The database that `USE` names.
    pub database: Option<Vec<String>>,
}

/// Words that begin statements which neither read nor write data, and of which Spark has more than the parser knows.
const NO_DATA: [&str; 19] = [
    "show", "describe", "desc", "refresh", "msck", "analyze", "set", "reset", "alter", "drop", "explain", "cache",
    "uncache", "clear", "vacuum", "optimize", "comment", "list", "declare",
];

/// Reads one or several statements. `None` when they cannot be read.
pub(super) fn tables(sql: &str) -> Option<Tables> {
    if sql.len() > MAX_SQL {
        return None;
    }
    let parsed = parse(sql).or_else(|| parse(&without_table_clauses(sql)?));
    let Some(statements) = parsed else {
        let first = sql.trim_start().split(|c: char| !c.is_alphanumeric()).next()?.to_ascii_lowercase();
        let makes_database =
            sql.trim_start().to_ascii_lowercase().split_ascii_whitespace().take(2).eq(["create", "database"]);
        return (NO_DATA.contains(&first.as_str()) || makes_database).then(Tables::default);
    };
    let mut tables = Tables::default();
    for statement in &statements {
        tables.add(statement);
    }
    Some(tables)
}

fn parse(sql: &str) -> Option<Vec<Statement>> {
    let dialects: [&dyn Dialect; 3] = [&DatabricksDialect {}, &HiveDialect {}, &GenericDialect {}];
    dialects.into_iter().find_map(|dialect| {
        let tokens = Tokenizer::new(dialect, sql).tokenize_with_location().ok()?;
        let operators = tokens.iter().filter(|located| is_operator(&located.token)).count();
        if operators > MAX_OPERATORS {
            return None;
        }
        Parser::new(dialect).with_tokens_with_locations(tokens).parse_statements().ok()
    })
}

/// Whether the token may add a level to the tree, other than by parentheses.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => word.quote_style.is_none() && OPERATORS.contains(&word.keyword),
        Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::SemiColon
        | Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::EOF => false,
        _ => true,
    }
}

/// `CREATE TABLE name AS query`, of a statement with Spark's clauses (`USING`, `LOCATION`, ...) between the two, which the
/// parser does not know.
fn without_table_clauses(sql: &str) -> Option<String> {
    let tokens = Tokenizer::new(&DatabricksDialect {}, sql).tokenize().ok()?;
    let is_word = |token: &Token, wanted: &str| match token {
        Token::Word(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted),
        _ => false,
    };
    let words = tokens.iter().filter(|token| matches!(token, Token::Word(_))).take(3).collect::<Vec<_>>();
    let is_table = words.iter().skip(1).any(|word| is_word(word, "table"));
    if !words.first().is_some_and(|word| is_word(word, "create")) || !is_table {
        return None;
    }
    let using = tokens.iter().position(|token| is_word(token, "using"))?;
    let mut depth = 0_usize;
    let query = tokens.iter().enumerate().skip(using).find(|(_, token)| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_word(token, "as")
    });
    let text = |tokens: &[Token]| tokens.iter().map(ToString::to_string).collect::<String>();
    let head = text(&tokens[..using]);
    Some(match query {
        Some((at, _)) => head + &text(&tokens[at..]),
        None => head,
    })
}

impl Tables {
    fn add(&mut self, statement: &Statement) {
        match statement {
            Statement::Query(query) => self.inputs.extend(read_by(query.as_ref())),
            Statement::Insert(insert) => {
                if let TableObject::TableName(name) = &insert.table {
                    self.outputs.insert(parts(name));
                }
                self.inputs.extend(insert.source.iter().flat_map(|query| read_by(query.as_ref())));
            }
            Statement::CreateTable(create) => {
                if let Some(query) = &create.query {
                    self.outputs.insert(parts(&create.name));
                    self.inputs.extend(read_by(query.as_ref()));
                }
            }
            Statement::CreateView(view) => {
                let read = read_by(view.query.as_ref());
                self.views.push((parts(&view.name), read));
            }
            Statement::Merge(merge) => {
                self.outputs.extend(name_of(&merge.table));
                let mut read = Reads::default();
                let _ = merge.source.visit(&mut read);
                self.inputs.extend(read.tables);
            }
            Statement::Update(update) => {
                self.change(statement, name_of(&update.table.relation).into_iter().collect());
            }
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
                self.change(statement, from.iter().filter_map(|table| name_of(&table.relation)).collect());
            }
            Statement::Copy { source: CopySource::Table { table_name, .. }, .. } => {
                self.outputs.insert(parts(table_name));
            }
            Statement::Use(Use::Object(name) | Use::Database(name) | Use::Schema(name)) => {
                self.database = Some(parts(name));
            }
            _ => {}
        }
    }

    /// A statement that changes tables in place, and may read others.
    fn change(&mut self, statement: &Statement, changed: BTreeSet<Vec<String>>) {
        let mut read = Reads::default();
        let _ = statement.visit(&mut read);
        self.inputs.extend(read.tables.difference(&changed).cloned());
        self.outputs.extend(changed);
    }
}

fn name_of(table: &TableFactor) -> Option<Vec<String>> {
    match table {
        TableFactor::Table { name, .. } => Some(parts(name)),
        _ => None,
    }
}

fn parts(name: &ObjectName) -> Vec<String> {
    let part = |part: &ObjectNamePart| match part {
        ObjectNamePart::Identifier(ident) => ident.value.clone(),
        ObjectNamePart::Function(function) => function.name.value.clone(),
    };
    name.0.iter().map(part).collect()
}

fn read_by(query: &Query) -> BTreeSet<Vec<String>> {
    let mut reads = Reads::default();
    let _ = query.visit(&mut reads);
    reads.tables
}

/// Collects the tables that are read, without the names of `WITH`.
#[derive(Default)]
struct Reads {
    tables: BTreeSet<Vec<String>>,
    scopes: Vec<Scope>,
}

/// The names that a query defines by `WITH`.
struct Scope {
    /// Each name in lower case, with the address of its query, by which it is recognized when it is visited.
    names: Vec<(String, usize)>,
    /// How many of them are defined where the visitor is.
    defined: usize,
    is_recursive: bool,
}

fn address(query: &Query) -> usize {
    std::ptr::from_ref(query) as usize
}

impl Visitor for Reads {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        // The query of a name sees the names before it, and itself where the WITH is recursive.
        if let Some(scope) = self.scopes.last_mut() {
            let position = scope.names.iter().position(|(_, of)| *of == address(query));
            if let Some(position) = position {
                scope.defined = position + usize::from(scope.is_recursive);
            }
        }
        let with = query.with.iter();
        let names = with.clone().flat_map(|with| &with.cte_tables);
        let names: Vec<_> =
            names.map(|cte| (cte.alias.name.value.to_lowercase(), address(cte.query.as_ref()))).collect();
        let is_recursive = with.clone().any(|with| with.recursive);
        self.scopes.push(Scope { defined: names.len(), names, is_recursive });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.scopes.pop();
        if let Some(scope) = self.scopes.last_mut()
            && scope.names.iter().any(|(_, of)| *of == address(query))
        {
            scope.defined = scope.names.len();
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        // A function in FROM is no table.
        if let TableFactor::Table { name, args: None, .. } = factor {
            let parts = parts(name);
            let is_defined = match parts.as_slice() {
                [only] => {
                    let only = only.to_lowercase();
                    let is_in = |scope: &Scope| scope.names.iter().take(scope.defined).any(|(name, _)| *name == only);
                    self.scopes.iter().any(is_in)
                }
                _ => false,
            };
            if !is_defined {
                self.tables.insert(parts);
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tables: &BTreeSet<Vec<String>>) -> Vec<String> {
        tables.iter().map(|parts| parts.join(".")).collect()
    }

    #[test]
    fn statements_name_what_they_read_and_write() {
        for (sql, inputs, outputs) in [
            (
                "select * from sales.orders o join crm.customers c on o.c = c.id",
                vec!["crm.customers", "sales.orders"],
                vec![],
            ),
            ("insert into sales.daily select * from sales.orders", vec!["sales.orders"], vec!["sales.daily"]),
            (
                "INSERT OVERWRITE TABLE sales.daily SELECT * FROM sales.orders",
                vec!["sales.orders"],
                vec!["sales.daily"],
            ),
            (
                "insert overwrite table a.b partition (d = '1') select x from c.d where e in (select f from g.h)",
                vec!["c.d", "g.h"],
                vec!["a.b"],
            ),
            ("create table a.b using parquet as select * from c.d", vec!["c.d"], vec!["a.b"]),
            ("create table glue_catalog.a.b using iceberg as select 1 from c.d", vec!["c.d"], vec!["glue_catalog.a.b"]),
            ("create table a.b (x int) using parquet", vec![], vec![]),
            (
                "with o as (select * from sales.orders) select * from o join x.y on true",
                vec!["sales.orders", "x.y"],
                vec![],
            ),
            ("with orders as (select * from orders) select * from orders", vec!["orders"], vec![]),
            ("with a as (select 1), b as (select * from a) select * from b, c", vec!["c"], vec![]),
            (
                "merge into a.t using (select * from b.s) s on t.i = s.i when matched then update set x = s.x when not matched then insert *",
                vec!["b.s"],
                vec!["a.t"],
            ),
            ("update a.t set x = 1", vec![], vec!["a.t"]),
            ("delete from a.t where x = 1", vec![], vec!["a.t"]),
            ("select * from parquet.`s3://lake/raw/`", vec!["parquet.s3://lake/raw/"], vec![]),
            ("select explode(x) from a.b lateral view explode(y) t as z", vec!["a.b"], vec![]),
            ("msck repair table a.b", vec![], vec![]),
            ("drop table if exists a.b", vec![], vec![]),
            ("create database if not exists a location 's3://x'", vec![], vec![]),
            ("select 1", vec![], vec![]),
        ] {
            let tables = tables(sql).unwrap_or_else(|| panic!("{sql}"));
            assert_eq!(names(&tables.inputs), inputs, "{sql}");
            assert_eq!(names(&tables.outputs), outputs, "{sql}");
        }
    }

    #[test]
    fn views_and_the_current_database_are_known() {
        let tables = tables("use sales; create or replace temporary view v as select * from orders").expect("tables");
        assert_eq!(tables.database, Some(vec!["sales".to_owned()]));
        assert_eq!(tables.views, [(vec!["v".to_owned()], [vec!["orders".to_owned()]].into())]);
    }

    #[test]
    fn what_cannot_be_read_is_said_so() {
        assert_eq!(tables("selec * fro x"), None);
        assert_eq!(tables(&"(".repeat(20_000)), None);
        assert_eq!(tables(&format!("select {}", "1,".repeat(MAX_SQL))), None);
        let chain = |operator: &str, count| tables(&format!("select a from b where c{}", operator.repeat(count)));
        for operator in ["+1", " and d", "::int", " is null"] {
            assert!(chain(operator, 1000).is_some_and(|tables| names(&tables.inputs) == ["b"]), "{operator}");
            assert_eq!(chain(operator, MAX_OPERATORS + 1), None, "{operator}");
        }
    }
}
