//! The values that are followed through a script.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::rc::Rc;

use super::syntax::Function;
use crate::lineage::dataset::Locator;

/// The longest text that is followed, in bytes.
const MAX_TEXT: usize = 128 * 1024;
/// The most places that data is followed from.
pub(super) const MAX_SOURCES: usize = 200;
/// The largest list or map that is followed: a bound on its depth and on the time that it takes to compare it, too.
const MAX_WEIGHT: usize = 1024 * 1024;
/// The weight of a value without its content.
const OWN_WEIGHT: usize = 64;

/// A value, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Value {
    /// Not known.
    #[default]
    Unknown,
    /// `None`, `null`.
    Nothing,
    /// A text.
    Text(Rc<str>),
    /// A list.
    List(Rc<Weighed<Vec<Value>>>),
    /// A map.
    Map(Rc<Weighed<BTreeMap<String, Value>>>),
    /// The arguments of the run.
    Arguments,
    /// A function or lambda, and the scope that it was defined in.
    Function(Rc<Function>, Option<ScopeId>),
    /// Data that comes from these places; with the table that it can change itself.
    Data(Sources, Option<Rc<Locator>>),
    /// A reader of Spark, with what it was told.
    Reader(Rc<Settings>),
    /// A writer of Spark, with what it was told, and the data that it writes.
    Writer(Rc<Settings>, Sources),
    /// A reader of Glue (Scala): what it will read.
    Source(Rc<Vec<Place>>),
    /// A sink of Glue, by its number.
    Sink(usize),
}

/// A list or a map with its weight: about as many bytes as it would take if its parts were shared with nothing else. A script
/// doubles a list in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Weighed<T> {
    content: T,
    weight: usize,
}

impl<T> Deref for Weighed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

/// Where something is, or why that is not known.
pub(super) type Place = Result<Locator, &'static str>;

/// A scope of the interpreter: its depth and its number.
pub(super) type ScopeId = (usize, usize);

/// The places that data comes from.
pub(super) type Sources = Rc<BTreeSet<Locator>>;

/// What a reader or writer was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// Its format; `None` when it was given none, unknown when that is not known.
    pub format: Option<Value>,
    /// Its options, by their names in lower case.
    pub options: BTreeMap<String, Value>,
    /// Whether it has options that are not known.
    pub has_unknown_options: bool,
    /// The table of a `writeTo`.
    pub table: Option<Value>,
}

impl Value {
    /// A text, unless it is too long to be followed.
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        if text.len() > MAX_TEXT { Self::Unknown } else { Self::Text(text.into()) }
    }

    /// Texts one after the other, unless they are too long together.
    pub(super) fn concat<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for part in parts {
            if text.len() + part.len() > MAX_TEXT {
                return Self::Unknown;
            }
            text.push_str(part);
        }
        Self::Text(text.into())
    }

    /// A list, unless it is too large to be followed.
    pub(super) fn list(elements: Vec<Self>) -> Self {
        let weight = elements.iter().fold(OWN_WEIGHT, |weight, element| weight.saturating_add(element.weight()));
        if weight > MAX_WEIGHT { Self::Unknown } else { Self::List(Rc::new(Weighed { content: elements, weight })) }
    }

    /// A map, unless it is too large to be followed.
    pub(super) fn map(entries: BTreeMap<String, Self>) -> Self {
        let entry = |(key, value): (&String, &Self)| key.len().saturating_add(value.weight());
        let weight = entries.iter().map(entry).fold(OWN_WEIGHT, usize::saturating_add);
        if weight > MAX_WEIGHT { Self::Unknown } else { Self::Map(Rc::new(Weighed { content: entries, weight })) }
    }

    /// About how many bytes it has, those that it shares counted too.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) => OWN_WEIGHT + text.len(),
            Self::List(elements) => elements.weight,
            Self::Map(entries) => entries.weight,
            Self::Data(sources, _) => OWN_WEIGHT * (1 + sources.len()),
            Self::Reader(settings) => settings.weight(),
            Self::Writer(settings, sources) => settings.weight() + OWN_WEIGHT * sources.len(),
            Self::Source(places) => OWN_WEIGHT * (1 + places.len()),
            Self::Unknown | Self::Nothing | Self::Arguments | Self::Function(..) | Self::Sink(_) => OWN_WEIGHT,
        }
    }

    /// Data that comes from these places.
    pub(super) fn data(sources: BTreeSet<Locator>) -> Self {
        Self::Data(Rc::new(sources), None)
    }

    /// Its text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The places that its data comes from, also that in a list or map.
    pub(super) fn sources(&self) -> BTreeSet<Locator> {
        let mut sources = BTreeSet::new();
        self.collect_sources(&mut sources, 0);
        sources
    }

    fn collect_sources(&self, into: &mut BTreeSet<Locator>, depth: usize) {
        if depth > 4 || into.len() >= MAX_SOURCES {
            return;
        }
        match self {
            Self::Data(sources, _) | Self::Writer(_, sources) => into.extend(sources.iter().cloned()),
            Self::List(elements) => elements.iter().for_each(|element| element.collect_sources(into, depth + 1)),
            Self::Map(entries) => entries.values().for_each(|value| value.collect_sources(into, depth + 1)),
            Self::Unknown
            | Self::Nothing
            | Self::Text(_)
            | Self::Arguments
            | Self::Function(..)
            | Self::Reader(_)
            | Self::Source(_)
            | Self::Sink(_) => {}
        }
    }

    /// What a variable has that has this value or `other`: data may come from the places of both, and otherwise two
    /// different values are none.
    pub(super) fn or(&self, other: &Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one.clone(),
            (Self::Data(one, _), Self::Data(other, _)) => Self::data(one.union(other).cloned().collect()),
            (Self::Data(sources, _), Self::Unknown) | (Self::Unknown, Self::Data(sources, _)) => {
                Self::Data(Rc::clone(sources), None)
            }
            _ => Self::Unknown,
        }
    }
}

impl Settings {
    fn weight(&self) -> usize {
        let options = self.options.iter().map(|(name, value)| name.len() + value.weight());
        let others = [&self.format, &self.table].into_iter().flatten().map(Value::weight);
        options.chain(others).fold(OWN_WEIGHT, usize::saturating_add)
    }
}
