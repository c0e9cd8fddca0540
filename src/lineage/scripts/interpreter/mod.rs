//! Follows the statements of a script: which variable has which value.
//!
//! | module | what it follows |
//! |---|---|
//! | `statements` | assignments, branches, loops, definitions |
//! | `expressions` | values |
//! | `functions` | calls: of the script's own functions, and of what [`calls`](super::calls) knows |
//!
//! Nothing is computed that a literal does not say. The number of steps is bounded, and that of elements of a loop.

mod expressions;
mod functions;
mod statements;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::syntax::{Function, Script};
use super::value::{MAX_SOURCES, Place, ScopeId, Sources, Value};
use super::{Access, Report};
use crate::lineage::dataset::{Direction, Locator};

/// The most steps: expressions and statements, and variables that are copied for a branch.
const MAX_STEPS: usize = 400_000;
/// A value of so many bytes takes a step: bounds what all values of a script take together, and the time to compare them.
const WEIGHT_OF_A_STEP: usize = 128;
/// The most reads and writes of a script.
const MAX_ACCESSES: usize = 2_000;
/// The deepest nesting of statements and expressions over all calls.
const MAX_NESTING: usize = 600;

type Variables = HashMap<String, Value>;

struct Scope {
    id: usize,
    variables: Variables,
}

/// A sink of Glue (`getSink`): where it writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Sink {
    pub places: Vec<Place>,
}

/// Follows a script.
pub(super) struct Interpreter<'a> {
    arguments: &'a BTreeMap<String, String>,
    scopes: Vec<Scope>,
    next_scope: usize,
    /// All functions and methods by name; two of one name are none.
    functions: HashMap<String, Option<Rc<Function>>>,
    /// Members of classes and objects by name.
    members: HashMap<String, Value>,
    /// The functions that were called, by address.
    called: HashSet<usize>,
    defined: Vec<(Rc<Function>, ScopeId)>,
    returned: Vec<Option<Value>>,
    /// Temporary views, with where their data comes from.
    pub(super) views: HashMap<String, Sources>,
    /// Whether there is a view of which the name is not known.
    pub(super) has_unknown_view: bool,
    /// The current database of Spark.
    pub(super) database: Value,
    /// The catalogs that are Glue's, by their names in Spark.
    pub(super) catalogs: BTreeSet<String>,
    pub(super) sinks: Vec<Sink>,
    accesses: Vec<Access>,
    steps: usize,
    calls: usize,
    nesting: usize,
    incomplete: Option<&'static str>,
}

impl<'a> Interpreter<'a> {
    /// An interpreter that has followed nothing.
    pub(super) fn new(arguments: &'a BTreeMap<String, String>) -> Self {
        let mut interpreter = Self {
            arguments,
            scopes: vec![Scope { id: 0, variables: Variables::new() }],
            next_scope: 1,
            functions: HashMap::new(),
            members: HashMap::new(),
            called: HashSet::new(),
            defined: Vec::new(),
            returned: Vec::new(),
            views: HashMap::new(),
            has_unknown_view: false,
            database: Value::text("default"),
            catalogs: ["spark_catalog", "glue_catalog", "awsdatacatalog"].map(str::to_owned).into(),
            sinks: Vec::new(),
            accesses: Vec::new(),
            steps: 0,
            calls: 0,
            nesting: 0,
            incomplete: None,
        };
        if let Some(conf) = arguments.get("--conf") {
            for setting in conf.split("--conf").filter_map(|setting| setting.trim().split_once('=')) {
                interpreter.configure(setting.0, setting.1);
            }
        }
        interpreter
    }

    /// Follows the statements, and then the functions that none of them calls, since Glue or Spark may: first those that
    /// nothing in the script names, such as `main`, which call others.
    pub(super) fn run(&mut self, script: &Script) {
        self.block(&script.statements);
        for is_named in [false, true] {
            let mut next = 0;
            while let Some((function, scope)) = self.defined.get(next).cloned() {
                next += 1;
                let is_due = is_named || !script.mentioned.contains(&function.name);
                if is_due && !self.called.contains(&address(&function)) {
                    let unknown = function.parameters.iter().map(|_| Value::Unknown).collect();
                    self.call_function(&function, Some(scope), unknown, BTreeMap::new());
                }
            }
        }
    }

    /// What was found.
    pub(super) fn report(self) -> Report {
        Report { accesses: self.accesses, incomplete: self.incomplete }
    }

    /// Records a read, and returns the data.
    pub(super) fn read(&mut self, places: Vec<Place>, line: usize) -> Value {
        let sources: BTreeSet<Locator> = places.iter().filter_map(|place| place.clone().ok()).collect();
        for locator in places {
            self.access(Access { direction: Direction::Input, line, locator, from: BTreeSet::new() });
        }
        Value::data(sources)
    }

    /// Records a write of data that comes from `from`.
    pub(super) fn write(&mut self, places: Vec<Place>, from: &BTreeSet<Locator>, line: usize) {
        for locator in places {
            self.access(Access { direction: Direction::Output, line, locator, from: from.clone() });
        }
    }

    fn access(&mut self, access: Access) {
        // A function that is called twice reads at one line twice.
        if let Some(known) = self.accesses.iter_mut().find(|known| {
            known.direction == access.direction && known.line == access.line && known.locator == access.locator
        }) {
            let free = MAX_SOURCES.saturating_sub(known.from.len());
            known.from.extend(access.from.into_iter().take(free));
        } else if self.accesses.len() < MAX_ACCESSES {
            self.accesses.push(access);
        } else {
            self.incomplete.get_or_insert("it has more reads and writes than are followed");
        }
    }

    /// A setting of Spark.
    pub(super) fn configure(&mut self, name: &str, value: &str) {
        let name = name.trim();
        let catalog = name.strip_prefix("spark.sql.catalog.").and_then(|rest| rest.strip_suffix(".catalog-impl"));
        match catalog {
            Some(catalog) if value.trim().ends_with("GlueCatalog") => {
                self.catalogs.insert(catalog.to_ascii_lowercase());
            }
            Some(catalog) => {
                self.catalogs.remove(&catalog.to_ascii_lowercase());
            }
            None => {}
        }
    }

    /// An argument of the run.
    pub(super) fn argument(&self, name: &str) -> Value {
        self.arguments.get(&format!("--{name}")).map_or(Value::Unknown, Value::text)
    }

    /// Counts a step; `false` when there have been too many.
    fn step(&mut self, cost: usize) -> bool {
        self.steps = self.steps.saturating_add(cost);
        let may_go_on = self.steps < MAX_STEPS && self.nesting < MAX_NESTING;
        if !may_go_on {
            self.incomplete.get_or_insert("the script is too large to be followed to its end");
        }
        may_go_on
    }

    fn lookup(&self, name: &str) -> Option<&Value> {
        self.scopes.iter().rev().find_map(|scope| scope.variables.get(name))
    }

    fn declare(&mut self, name: &str, value: Value) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.variables.insert(name.to_owned(), value);
        }
    }

    fn update(&mut self, name: &str, value: Value) {
        let holder = self.scopes.iter_mut().rev().find(|scope| scope.variables.contains_key(name));
        match holder {
            Some(scope) => drop(scope.variables.insert(name.to_owned(), value)),
            None => self.set_member(name, value),
        }
    }

    fn set_member(&mut self, name: &str, value: Value) {
        // Objects of one class, and classes with members of one name, are not told apart.
        let merged = match self.members.get(name) {
            Some(known) => known.or(&value),
            None => value,
        };
        self.members.insert(name.to_owned(), merged);
    }

    fn with_scope<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let id = self.next_scope;
        self.next_scope += 1;
        self.scopes.push(Scope { id, variables: Variables::new() });
        let result = work(self);
        self.scopes.pop();
        result
    }

    fn snapshot(&mut self) -> Vec<Variables> {
        let size: usize = self.scopes.iter().map(|scope| scope.variables.len()).sum();
        self.step(size);
        self.scopes.iter().map(|scope| scope.variables.clone()).collect()
    }

    fn restore(&mut self, snapshot: &[Variables]) {
        for (scope, variables) in self.scopes.iter_mut().zip(snapshot) {
            scope.variables.clone_from(variables);
        }
    }

    /// The variables are those of now, or those of `other`.
    fn merge(&mut self, other: Vec<Variables>) {
        let weight: usize = other.iter().flat_map(Variables::values).map(Value::weight).sum();
        self.step(weight / (8 * WEIGHT_OF_A_STEP));
        for (scope, other) in self.scopes.iter_mut().zip(other) {
            for (name, value) in other {
                match scope.variables.get_mut(&name) {
                    // Without it the branch would use a variable that does not exist.
                    None => drop(scope.variables.insert(name, value)),
                    Some(own) if *own == value => {}
                    Some(own) => *own = own.or(&value),
                }
            }
        }
    }
}

fn address(function: &Rc<Function>) -> usize {
    Rc::as_ptr(function) as usize
}
