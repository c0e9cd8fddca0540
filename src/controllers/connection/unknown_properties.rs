//! Properties of which Glue documents no such name for the type of the connection.
//!
//! They are no error: types read more than is documented, and Glue ignores what it does not read. A misspelt name is
//! ignored as well, so the warning says which documented name it comes close to.

use crate::api::connection::GlueConnectionSpec;
use crate::api::connection::properties::KNOWN;
use crate::api::connection::types::{CLOSED, CONNECTORS};

/// The most names that a warning lists.
const MOST: usize = 10;

/// The warning about the properties of `spec`; `None` when there is nothing to say. A connector defines properties of its
/// own, so of its properties only those are listed that come close to a documented name.
#[must_use]
pub fn warning(spec: &GlueConnectionSpec) -> Option<String> {
    let type_ = spec.connection_type.as_str();
    let (is_closed, is_connector) = (CLOSED.contains(&type_), CONNECTORS.contains(&type_));
    if !is_closed && !is_connector {
        return None;
    }
    let unknown = names(spec).filter(|name| !KNOWN.contains(name));
    let listed = unknown.filter_map(|name| match near_miss(name, is_closed) {
        Some(known) => Some(format!("{name} ({known}?)")),
        None => is_closed.then(|| name.to_owned()),
    });
    let mut listed: Vec<_> = listed.collect();
    if listed.is_empty() {
        return None;
    }
    let more = listed.len().saturating_sub(MOST);
    listed.truncate(MOST);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let names = listed.join(", ");
    Some(format!("Glue documents no such property of a {type_} connection, and may ignore it: {names}{more}"))
}

/// The names of the properties of `spec`, those of `propertiesFrom` included.
pub(super) fn names(spec: &GlueConnectionSpec) -> impl Iterator<Item = &str> {
    let literals = spec.properties.iter().flatten().map(|(name, _)| name.as_str());
    let from = spec.properties_from.iter().flatten().map(|from| from.name.as_str());
    // A property may have some of its keys in each.
    let is_literal = |name: &str| spec.properties.as_ref().is_some_and(|literals| literals.contains_key(name));
    literals.chain(from.filter(move |name| !is_literal(name)))
}

/// The documented name that `name` comes close to: it has one or two other letters, another case, or, with
/// `abbreviated`, fewer words.
fn near_miss(name: &str, abbreviated: bool) -> Option<&'static str> {
    let upper = name.to_uppercase();
    let closest = closest(name, KNOWN);
    let words: Vec<_> = upper.split('_').collect();
    let has_words_of = |known: &&str| {
        let mut rest = known.split('_');
        words.len() > 1 && words.iter().all(|word| rest.any(|other| other == *word))
    };
    closest.or_else(|| KNOWN.into_iter().filter(|_| abbreviated).find(has_words_of))
}

/// The name of `known` that `name` comes close to: it has one or two other letters, or another case.
pub(super) fn closest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let upper = name.to_uppercase();
    let limit = if upper.len() < 6 { 1 } else { 2 };
    let closest = known.into_iter().map(|known| (distance(&upper, &known.to_uppercase()), known)).min()?;
    (closest.0 <= limit).then_some(closest.1)
}

/// The Levenshtein distance in characters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning_of(type_: &str, names: &[&str]) -> Option<String> {
        let properties = names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let spec = GlueConnectionSpec {
            connection_type: type_.to_owned(),
            properties: Some(properties),
            ..GlueConnectionSpec::default()
        };
        warning(&spec)
    }

    #[test]
    fn unknown_properties_are_named_with_the_known_name_that_they_come_close_to() {
        for (type_, name, listed) in [
            ("JDBC", "VPC", "VPC"),
            ("JDBC", "JDBC_URL", "JDBC_URL (JDBC_CONNECTION_URL?)"),
            ("JDBC", "JDBC_ENGIN", "JDBC_ENGIN (JDBC_ENGINE?)"),
            ("JDBC", "jdbc_connection_url", "jdbc_connection_url (JDBC_CONNECTION_URL?)"),
            ("KAFKA", "SSL_ENABLED", "SSL_ENABLED (KAFKA_SSL_ENABLED?)"),
            ("MONGODB", "HOSTS", "HOSTS (HOST?)"),
            ("CUSTOM", "CONNECTION_TYPE", "CONNECTION_TYPE (CONNECTOR_TYPE?)"),
            ("MARKETPLACE", "CONNECTOR_CLASSNAME", "CONNECTOR_CLASSNAME (CONNECTOR_CLASS_NAME?)"),
        ] {
            let expected =
                format!("Glue documents no such property of a {type_} connection, and may ignore it: {listed}");
            assert_eq!(warning_of(type_, &[name]), Some(expected));
        }
    }

    #[test]
    fn nothing_is_said_of_known_properties_of_those_of_connectors_and_of_newer_types() {
        assert_eq!(warning_of("JDBC", &KNOWN), None);
        assert_eq!(
            warning_of("CUSTOM", &["URL_PARAMETER_DELIMITER", "CONNECTION_TIMEOUT", "VPC", "SSL_ENABLED"]),
            None
        );
        assert_eq!(warning_of("SNOWFLAKE", &["ROLE", "JDBC_URL"]), None);
        assert_eq!(warning_of("REST-ORDERS", &["HOSTS"]), None);
    }

    #[test]
    fn a_long_list_is_shortened() {
        let names: Vec<_> = (0..100).map(|number| format!("X{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let warning = warning_of("JDBC", &names).unwrap_or_default();
        assert!(warning.ends_with(" and 90 more") && warning.len() < 200, "{warning}");
    }
}
