//! The statements and expressions of a script that matter, the same for Python and Scala.

use std::collections::HashSet;
use std::rc::Rc;

/// The deepest nesting of a script that is followed. Deeper parts are unknown.
pub(super) const MAX_DEPTH: usize = 200;

/// A script.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    /// Its statements.
    pub statements: Vec<Statement>,
    /// All names that are used in it, other than to define something.
    pub mentioned: HashSet<String>,
    /// Whether parts of it are nested too deep to be read.
    pub is_too_deep: bool,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement {
    /// Gives a variable a value. In Scala also the definition of one.
    Assign(Target, Expression),
    /// Gives a variable that exists another value: Scala's `=`.
    Update(Target, Expression),
    /// An expression for its effects.
    Expression(Expression),
    /// One of these runs, or none.
    Branches(Vec<Vec<Statement>>),
    /// The body runs for each element; `None` for any number of times.
    Loop(Target, Option<Expression>, Vec<Statement>),
    /// A block with variables of its own: Scala's.
    Scope(Vec<Statement>),
    /// A function, or a method of a class.
    Function(Rc<Function>),
    /// A class or object, with its body.
    Class(String, Vec<Statement>),
    /// The end of a function, with its value.
    Return(Option<Expression>),
    /// The names are those of variables outside the function.
    Global(Vec<String>),
}

/// What is assigned to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A variable.
    Name(String),
    /// A member of an object, by its name: `self.x`.
    Member(String),
    /// Several variables.
    Names(Vec<Option<String>>),
    /// An element of a map: the map's variable and the key.
    Item(String, Box<Expression>),
    /// Anything else.
    Other,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    /// Its name; empty for a lambda.
    pub name: String,
    /// Its parameters, with their defaults.
    pub parameters: Vec<(String, Option<Expression>)>,
    /// Its body. In Scala, its last expression is the value.
    pub body: Vec<Statement>,
    /// Whether the last expression is the value.
    pub returns_last: bool,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// A text, or a number by its digits.
    Text(String),
    /// `None`, `null`.
    Nothing,
    /// Texts one after the other: an f-string, or a sum.
    Join(Vec<Expression>),
    /// `template % values`.
    Percent(Box<Expression>, Box<Expression>),
    /// A variable.
    Name(String),
    /// A member of an object.
    Member(Box<Expression>, String),
    /// An element of a map or a list.
    Item(Box<Expression>, Box<Expression>),
    /// A call.
    Call(Box<Call>),
    /// A map. An entry without key is a map that is merged.
    Map(Vec<(Option<Expression>, Expression)>),
    /// A list, tuple or set.
    List(Vec<Expression>),
    /// One of these.
    Either(Vec<Expression>),
    /// A list, made of each element of another.
    Comprehension(Target, Box<Expression>, Box<Expression>),
    /// A function without a name.
    Lambda(Rc<Function>),
    /// A block: its last expression is the value.
    Block(Vec<Statement>),
    /// Unknown; the parts are followed for their effects.
    Unknown(Vec<Expression>),
}

impl Expression {
    /// An unknown expression without effects.
    pub(super) const UNKNOWN: Self = Self::Unknown(Vec::new());
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// What is called.
    pub callee: Expression,
    /// The arguments.
    pub arguments: Vec<Argument>,
    /// The line of the call, from 1.
    pub line: usize,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// By its position.
    Positional(Expression),
    /// By its name.
    Named(String, Expression),
    /// Several in one.
    Spread(Expression),
}
