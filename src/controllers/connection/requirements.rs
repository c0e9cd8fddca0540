//! What Glue's own description of a connection type asks for, and a connection lacks. Pure.
//!
//! The rules of the API server are for types whose requirements are known. For the others Glue is asked
//! (`DescribeConnectionType`) before a connection is created or updated. Nobody has published what Glue's descriptions say
//! beside what it then takes, and of types that are known they ask for too much. So what a connection lacks is a warning, and
//! Glue decides.

use super::unknown_properties::{closest, names};
use crate::api::connection::GlueConnectionSpec;
use crate::api::connection::types::{CONNECTORS, DOCUMENTED};
use crate::glue::connections::description::TypeDescription;

/// Whether Glue is asked about the type of the connection. The descriptions are about connections with authentication
/// (Athena user guide, "Amazon Athena PostgreSQL connector", Glue connections): those without have other properties.
#[must_use]
pub fn is_asked_about(spec: &GlueConnectionSpec) -> bool {
    let type_ = spec.connection_type.as_str();
    spec.authentication.is_some() && !DOCUMENTED.contains(&type_) && !CONNECTORS.contains(&type_)
}

/// The warning about what `spec` lacks; `None` when there is nothing to say. It contains no values.
#[must_use]
pub fn warning(spec: &GlueConnectionSpec, description: &TypeDescription) -> Option<String> {
    let names: Vec<&str> = names(spec).collect();
    let described = |name: &str| description.properties.iter().find(|property| property.name == name);
    let mut warnings = Vec::new();
    let missing = description.properties.iter().filter(|property| property.required);
    let missing: Vec<_> = missing.map(|property| property.name.as_str()).filter(|name| !names.contains(name)).collect();
    if !missing.is_empty() {
        warnings.push(format!("the properties {} are required", missing.join(", ")));
    }
    for name in names.iter().filter(|name| described(name).is_none()) {
        let known = description.properties.iter().map(|property| property.name.as_str());
        if let Some(known) = closest(name, known.filter(|known| !names.contains(known))) {
            warnings.push(format!("there is no property {name} ({known}?)"));
        }
    }
    for (name, value) in spec.properties.iter().flatten() {
        let allowed = described(name).map(|property| property.allowed_values.as_slice()).unwrap_or_default();
        if !allowed.is_empty() && !allowed.iter().any(|one| one.eq_ignore_ascii_case(value)) {
            warnings.push(format!("{name} is one of {}", allowed.join(", ")));
        }
    }
    let authentication = spec.authentication.as_ref().map(|authentication| authentication.type_.as_str());
    warnings.extend(unsupported("authentication of type", authentication, &description.authentication_types));
    let environments = spec.validate_for_compute_environments.iter().flatten().map(|environment| environment.as_str());
    warnings.extend(unsupported("the compute environment", environments, &description.compute_environments));
    let warnings = (!warnings.is_empty()).then(|| warnings.join("; "))?;
    Some(format!("by Glue's description of the type {}: {warnings}", spec.connection_type))
}

/// Which of the `asked` values are not among the `supported` ones. An empty list says nothing.
fn unsupported<'a>(
    what: &'a str,
    asked: impl IntoIterator<Item = &'a str>,
    supported: &'a [String],
) -> impl Iterator<Item = String> {
    let asked =
        asked.into_iter().filter(move |one| !supported.is_empty() && !supported.iter().any(|other| other == one));
    asked.map(move |one| format!("{what} {one} is not supported, but {}", supported.join(", ")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::glue::connections::description::DescribedProperty;

    fn description() -> TypeDescription {
        let property = |name: &str, required, allowed: &[&str]| DescribedProperty {
            name: name.to_owned(),
            required,
            allowed_values: allowed.iter().map(|value| (*value).to_owned()).collect(),
        };
        TypeDescription {
            properties: vec![
                property("DATABASE", true, &[]),
                property("HOST", true, &[]),
                property("SSL_MODE", false, &["require", "disable"]),
            ],
            authentication_types: vec!["BASIC".to_owned()],
            compute_environments: vec!["ATHENA".to_owned(), "SPARK".to_owned()],
        }
    }

    fn spec(more: &Value) -> GlueConnectionSpec {
        let mut spec = json!({"connectionType": "POSTGRESQL", "authentication": {"type": "BASIC", "secretArn": "x"},
            "properties": {"HOST": "db", "DATABASE": "orders"}});
        more.as_object().unwrap().iter().for_each(|(field, value)| spec[field] = value.clone());
        serde_json::from_value(spec).unwrap()
    }

    #[test]
    fn what_a_connection_lacks_is_said() {
        let key = json!({"name": "db", "key": "k"});
        for (more, expected) in [
            (json!({}), None),
            (json!({"properties": {"HOST": "db", "DATABASE": "x", "OTHER_THING": "y", "SSL_MODE": "REQUIRE"}}), None),
            (json!({"validateForComputeEnvironments": ["SPARK"]}), None),
            (
                json!({"properties": {"HOST": "db"}, "propertiesFrom": [{"name": "DATABASE", "secretKeyRef": key}]}),
                None,
            ),
            (json!({"properties": {}}), Some("the properties DATABASE, HOST are required")),
            (
                json!({"properties": {"HOST": "db", "DATABSE": "x"}}),
                Some("the properties DATABASE are required; there is no property DATABSE (DATABASE?)"),
            ),
            (
                json!({"properties": {"HOST": "db", "DATABASE": "x", "SSL_MODE": "on"}}),
                Some("SSL_MODE is one of require, disable"),
            ),
            (
                json!({"authentication": {"type": "IAM"}}),
                Some("authentication of type IAM is not supported, but BASIC"),
            ),
            (
                json!({"validateForComputeEnvironments": ["PYTHON"]}),
                Some("the compute environment PYTHON is not supported, but ATHENA, SPARK"),
            ),
        ] {
            let expected = expected.map(|text| format!("by Glue's description of the type POSTGRESQL: {text}"));
            assert_eq!(warning(&spec(&more), &description()), expected, "{more}");
        }
    }

    #[test]
    fn a_description_without_content_says_nothing() {
        assert_eq!(warning(&spec(&json!({"properties": {"X": "y"}})), &TypeDescription::default()), None);
    }

    #[test]
    fn glue_is_asked_about_newer_types_with_authentication() {
        assert!(is_asked_about(&spec(&json!({}))));
        assert!(is_asked_about(&spec(&json!({"connectionType": "REST-ORDERS"}))));
        for more in [
            json!({"authentication": null}),
            json!({"connectionType": "JDBC"}),
            json!({"connectionType": "SALESFORCE"}),
        ] {
            assert!(!is_asked_about(&spec(&more)), "{more}");
        }
    }
}
