//! The trace of a life without disturbances: what the controller was shown and what it did, in order.

use serde_json::Value;

/// Something that changes the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The nth write to the object, from 0.
    Write(usize),
    /// The nth call of this operation of AWS, from 1, of those that change something.
    Call(String, u64),
}

/// An entry of the trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// The controller was shown the nth event of the object, from 0: the object as it counts for decisions.
    Event(usize, Value),
    /// The controller acted.
    Acted(Action),
}

/// A trace.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace(pub Vec<Entry>);

impl Trace {
    /// The actions, each with its place in the trace.
    pub fn actions(&self) -> impl Iterator<Item = (usize, &Action)> {
        self.0.iter().enumerate().filter_map(|(place, entry)| match entry {
            Entry::Acted(action) => Some((place, action)),
            Entry::Event(..) => None,
        })
    }

    /// The places of the events.
    #[must_use]
    pub fn events(&self) -> Vec<usize> {
        let is_event = |(place, entry): (usize, &Entry)| matches!(entry, Entry::Event(..)).then_some(place);
        self.0.iter().enumerate().filter_map(is_event).collect()
    }

    /// Whether the controller acts after this place, and before `until` where it is given.
    #[must_use]
    pub fn acts_within(&self, after: usize, until: Option<usize>) -> bool {
        self.actions().any(|(place, _)| place > after && until.is_none_or(|until| place < until))
    }

    /// Whether decisions see a difference between the nth and the mth event.
    #[must_use]
    pub fn differ(&self, one: usize, other: usize) -> bool {
        let seen = |number: usize| {
            self.0.iter().find_map(|entry| match entry {
                Entry::Event(nth, object) if *nth == number => Some(object),
                _ => None,
            })
        };
        seen(one) != seen(other)
    }
}

/// An object as it counts for decisions: without what every write changes.
#[must_use]
pub fn as_decided_on(kind: &str, object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
    }
    serde_json::json!([kind == "DELETED", object])
}

/// Whether an operation of AWS changes something.
#[must_use]
pub fn changes_something(operation: &str) -> bool {
    !["Get", "List", "BatchGet", "Describe", "Assume"].iter().any(|read| operation.starts_with(read))
}
