//! What a script of a job reads and writes, by its syntax tree.
//!
//! | module | what it does |
//! |---|---|
//! | [`syntax`] | the statements and expressions that matter, the same for both languages |
//! | [`python`], [`scala`] | from the grammar's tree to those |
//! | [`interpreter`] | follows the statements: which variable has which value, as far as literals tell |
//! | [`value`] | the values that are followed |
//! | [`calls`] | the calls of Glue, Spark and the usual libraries that read and write |
//! | [`options`] | where the options of a reader or writer lead to |
//! | [`sql`] | the tables of a statement in SQL |
//! | [`literal`] | literals of Python on their own |
//!
//! A script is never run. A value is followed where it is a literal, made of literals, or an argument of the run; everything
//! else is unknown, and a read or write of it is counted as such. Both branches of a condition count: a script may read what
//! is in either. Where branches give a variable different values, it has none.
//!
//! Scripts come from outside: their size, the depth of their syntax and the number of steps are bounded, and no script makes
//! this code panic.

pub(crate) mod calls;
mod interpreter;
pub mod literal;
mod options;
mod python;
mod scala;
mod sql;
mod syntax;
mod value;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser, Tree};

use self::interpreter::Interpreter;
use self::syntax::Script;
use super::connection::Connection;
use super::dataset::{Direction, Evidence, Findings, Locator, Place};

/// The largest script that is read, in bytes.
pub const MAX_SCRIPT_BYTES: usize = 1024 * 1024;
/// The stack on which a script is read, in bytes.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// The longest time that the grammar may take.
const PARSE_TIMEOUT: Duration = Duration::from_secs(5);

/// The language of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python 3.
    Python,
    /// Scala 2.
    Scala,
}

impl Language {
    /// The language of a script, by the job's argument `--job-language` or else by the name of its file.
    #[must_use]
    pub fn of(argument: Option<&str>, file: &str) -> Self {
        let has_extension =
            |wanted: &str| file.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted));
        match argument {
            Some(language) if language.eq_ignore_ascii_case("scala") => Self::Scala,
            None if has_extension("scala") => Self::Scala,
            Some(_) | None => Self::Python,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Scala => "Scala",
        }
    }
}

/// A read or a write of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Which of both.
    pub direction: Direction,
    /// Its line in the script, from 1.
    pub line: usize,
    /// Where the data is; the error says why that is not known.
    pub locator: Result<Locator, &'static str>,
    /// For a write: where its data comes from, as far as that is known.
    pub from: BTreeSet<Locator>,
}

/// What a script reads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order of the script.
    pub accesses: Vec<Access>,
    /// Why the script was not followed to its end.
    pub incomplete: Option<&'static str>,
}

/// Reads a script, with the arguments of its run by their names with dashes.
#[must_use]
pub fn read(language: Language, script: &str, arguments: &BTreeMap<String, String>) -> Report {
    let incomplete = |why| Report { accesses: Vec::new(), incomplete: Some(why) };
    if script.len() > MAX_SCRIPT_BYTES {
        return incomplete("the script is larger than 1 MiB");
    }
    // The depth is bounded, but an unoptimized build of the interpreter needs more for it than a thread of tokio has.
    stacker::grow(STACK_BYTES, || interpret(language, script, arguments))
}

fn interpret(language: Language, script: &str, arguments: &BTreeMap<String, String>) -> Report {
    let incomplete = |why| Report { accesses: Vec::new(), incomplete: Some(why) };
    let Some(tree) = parse(language, script) else {
        return incomplete("the grammar took too long for the script");
    };
    let script = lower(language, &tree, script);
    let mut interpreter = Interpreter::new(arguments);
    interpreter.run(&script);
    let report = interpreter.report();
    let incomplete = report.incomplete.or(script.is_too_deep.then_some("parts of the script are nested too deep"));
    Report { incomplete, ..report }
}

fn parse(language: Language, script: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    let grammar = match language {
        Language::Python => tree_sitter_python::LANGUAGE,
        Language::Scala => tree_sitter_scala::LANGUAGE,
    };
    parser.set_language(&grammar.into()).ok()?;
    let begun = Instant::now();
    let mut is_late = |_: &tree_sitter::ParseState| {
        if begun.elapsed() > PARSE_TIMEOUT { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut is_late);
    parser.parse_with_options(&mut |offset, _| script.as_bytes().get(offset..).unwrap_or_default(), None, Some(options))
}

fn lower(language: Language, tree: &Tree, script: &str) -> Script {
    match language {
        Language::Python => python::read(tree.root_node(), script),
        Language::Scala => scala::read(tree.root_node(), script),
    }
}

impl Report {
    /// The connections that must be read to name everything.
    #[must_use]
    pub fn connections(&self) -> BTreeSet<&str> {
        let named = self.accesses.iter().filter_map(|access| access.locator.as_ref().ok());
        named.filter_map(Locator::connection).collect()
    }

    /// The datasets of the script.
    #[must_use]
    pub fn findings(&self, place: &Place, connections: &BTreeMap<String, Connection>) -> Findings {
        let mut findings = Findings::default();
        let resolve = |locator: &Locator| locator.resolve(place, connections, Evidence::Script);
        let mut edges = Vec::new();
        for access in &self.accesses {
            let resolved = access.locator.as_ref().map_err(|why| *why).and_then(resolve);
            match resolved {
                Ok((dataset, evidence)) => {
                    findings.add(access.direction, dataset.clone(), evidence);
                    findings.mark(access.direction, &dataset, Evidence::Script);
                    let from = access.from.iter().filter_map(|source| resolve(source).ok());
                    edges.extend(from.map(|(source, _)| (source, dataset.clone())));
                }
                Err(why) => {
                    let verb = match access.direction {
                        Direction::Input => "read",
                        Direction::Output => "write",
                    };
                    findings.add_unknown(format!("line {}: {verb}", access.line), why);
                }
            }
        }
        for (source, target) in edges {
            findings.connect(&source, &target);
        }
        if let Some(why) = self.incomplete {
            findings.add_unknown("the script", why);
        }
        findings
    }
}
