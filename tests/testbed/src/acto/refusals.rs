//! How the API server answers each value of each property.

use serde_json::{Value, json};

use super::{
    Settings, contexts,
    schema::{self, Property, Segment},
    server::{Server, Verdict},
    values,
};
use crate::{error::Result, lives::Kind, sieve::plan::sample};

/// What a refusal says besides the property: what is admitted instead. Rules of the schemas have messages of their own.
const REMEDIES: &[&str] = &[
    "should be",
    "should match",
    "must be",
    "must have",
    "may not be",
    "supported values",
    "Required value",
    "unknown field",
    "Duplicate value",
    "should have",
    "shouldn't contain duplicates",
];
/// Messages that name no remedy.
const SILENT: &[&str] = &["failed rule", "evaluation"];

/// A property that can be changed: the specs that differ in it only.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) property: String,
    pub(super) before: Value,
    pub(super) after: Vec<Value>,
}

/// What was tried of a kind.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) properties: usize,
    pub(super) admitted: usize,
    pub(super) refused: usize,
    /// What can be changed of an object.
    pub(super) changes: Vec<Change>,
    /// Properties that cannot be changed.
    pub(super) fixed: usize,
    /// Properties that the kind shares with others and does not admit itself.
    pub(super) never: Vec<String>,
    /// Properties of which a rule admits fewer values than the schema.
    pub(super) thin: Vec<String>,
    pub(super) found: Vec<String>,
}

/// Tries each value of the properties of a kind. Nothing is left.
pub(super) async fn try_all(server: &Server, kind: &'static Kind, settings: &Settings) -> Result<Tried> {
    let schema = server.schema().await?;
    let contexts = contexts::of(kind);
    let mut tried = Tried::default();
    let properties = schema::properties(&schema);
    let amount = settings.properties.unwrap_or(properties.len());
    for property in sample(properties, amount, settings.seed) {
        tried.properties += 1;
        let admitted = admitted(server, &schema, &contexts, &property).await?;
        let named = format!("{} {property}", kind.kind);
        let (context, specs) = match admitted {
            Ok(admitted) => admitted,
            Err(message) => {
                tried.refused += 1;
                let why = judge(Some(message.clone()), &property);
                tried.found.extend(why.map(|why| format!("{named}: {why}")));
                // A kind that has a property for no use says so in a rule of its own.
                let path = property.to_string();
                if message.contains(&format!("remove {}", path.trim_start_matches("spec."))) {
                    tried.never.push(named);
                } else {
                    tried.found.push(format!("{named}: is admitted in no context of acto/contexts.rs: {message}"));
                }
                continue;
            }
        };
        tried.admitted += specs.len();
        let possible = (0..values::VALID).map_while(|nth| values::valid(&property.schema, nth)).count();
        if specs.len() < possible {
            tried.thin.push(named.clone());
        }
        for (what, spec) in broken(&schema, context, &property) {
            let verdict = server.would_create(&spec).await?;
            tried.refused += 1;
            tried.found.extend(judge(verdict, &property).map(|why| format!("{named}, {what}: {why}")));
        }
        change(server, &schema, context, &property, specs, &mut tried).await?;
    }
    Ok(tried)
}

/// The context in which the most valid values are admitted, and the specs with them; or a refusal.
async fn admitted<'a>(
    server: &Server,
    schema: &Value,
    contexts: &'a [Value],
    property: &Property,
) -> Result<std::result::Result<(&'a Value, Vec<Value>), String>> {
    let values: Vec<_> = (0..values::VALID).map_while(|nth| values::valid(&property.schema, nth)).collect();
    let mut best: Option<(&Value, Vec<Value>)> = None;
    let mut refusal = None;
    for context in contexts {
        let mut specs = Vec::new();
        for value in &values {
            let spec = property.put(context, schema, value.clone());
            match server.would_create(&spec).await? {
                None if !specs.contains(&spec) => specs.push(spec),
                None => {}
                Some(message) => drop(refusal.get_or_insert(message)),
            }
        }
        if specs.len() > best.as_ref().map_or(0, |(_, specs)| specs.len()) {
            best = Some((context, specs));
        }
        if best.as_ref().is_some_and(|(_, specs)| specs.len() == values.len()) {
            break;
        }
    }
    Ok(best.ok_or_else(|| refusal.unwrap_or_else(|| "there is no sample in acto/values.rs".to_owned())))
}

/// Specs with an invalid value there, each with what is wrong.
fn broken(schema: &Value, context: &Value, property: &Property) -> Vec<(&'static str, Value)> {
    let put = |value| property.put(context, schema, value);
    let mut broken: Vec<_> =
        values::invalid(&property.schema).into_iter().map(|(what, value)| (what, put(value))).collect();
    if property.required {
        broken.push(("missing", property.remove(context, schema)));
    }
    broken
}

/// What is wrong with the answer to an invalid value.
fn judge(verdict: Verdict, property: &Property) -> Option<String> {
    let Some(message) = verdict else { return Some("it is admitted".to_owned()) };
    let names_it = message.contains(property.name());
    let says_how = REMEDIES.iter().any(|remedy| message.contains(remedy))
        || !SILENT.iter().any(|silent| message.contains(silent)) && message.contains("Invalid value");
    (!names_it || !says_how).then(|| format!("the refusal does not name it, or what is admitted: {message}"))
}

/// Which of the specs an object with the first one can be given.
async fn change(
    server: &Server,
    schema: &Value,
    context: &Value,
    property: &Property,
    specs: Vec<Value>,
    tried: &mut Tried,
) -> Result<()> {
    let without = property.remove(context, schema);
    let is_optional = !property.required && matches!(property.path.as_slice(), [Segment::Member(_)]);
    // From what an object has when nothing is said, if there is such a thing.
    let (before, after) = if is_optional && !specs.contains(&without) && server.would_create(&without).await?.is_none()
    {
        (without, specs)
    } else {
        let mut specs = specs.into_iter();
        (specs.next().unwrap_or_else(|| json!({})), specs.collect())
    };
    if let Some(message) = server.create(&before).await? {
        tried.found.push(format!("{property}: it is admitted in a dry run only: {message}"));
        return Ok(());
    }
    let mut possible = Vec::new();
    let mut is_fixed = false;
    for after in after {
        match server.would_replace(&after).await? {
            None => possible.push(after),
            Some(message) => {
                is_fixed = true;
                tried.refused += 1;
                if !message.contains(property.top()) || !message.contains("cannot") && !message.contains("create") {
                    let why = format!("the refusal of a change does not say what to do: {message}");
                    tried.found.push(format!("{property}: {why}"));
                }
            }
        }
    }
    tried.fixed += usize::from(is_fixed);
    if !possible.is_empty() {
        tried.changes.push(Change { property: property.to_string(), before, after: possible });
    }
    server.delete().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_property_and_what_is_admitted() {
        let property =
            Property { path: vec![Segment::Member("limit".to_owned())], schema: Value::Null, required: false };
        let judged = |message: Option<&str>| judge(message.map(str::to_owned), &property);
        assert_eq!(judged(Some("spec.limit: Invalid value: 7: should be less than or equal to 5")), None);
        assert!(judged(Some("spec: Invalid value: failed rule: self.limit < 5")).is_some());
        assert!(judged(Some("spec.other: Invalid value: 7: should be less")).is_some());
        assert!(judged(None).is_some());
    }
}
