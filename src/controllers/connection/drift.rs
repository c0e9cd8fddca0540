//! Which fields of a connection in Glue differ from the spec: by name, never by value.
//!
//! What Glue adds by itself is no difference: its defaults, the availability zone of a subnet, the secret that it makes of
//! credentials. Values that Glue hides cannot be compared; [`hides`] tells whether there are any, or may be: a value from a
//! Secret that Glue leaves out of the properties of a compute environment is no difference.

use std::collections::BTreeMap;

use crate::api::connection::properties::{BOOLEANS, DEFAULTS, is_hidden};
use crate::glue::connections::{Authentication, Connection, ConnectionInput, OAuth2, Physical, ShownAuthentication};
use crate::glue::identity::Sensitive;

/// The fields and properties that differ.
#[must_use]
pub fn of(input: &ConnectionInput, seen: &Connection) -> Vec<String> {
    let mut differs = Vec::new();
    let mut check = |name: &str, same: bool| {
        if !same {
            differs.push(name.to_owned());
        }
    };
    check("connectionType", input.type_ == seen.type_);
    check("description", input.description == seen.description);
    check("matchCriteria", sorted(&input.match_criteria) == sorted(&seen.match_criteria));
    for (field, asked, seen) in [
        ("sparkProperties", &input.spark, &seen.spark),
        ("athenaProperties", &input.athena, &seen.athena),
        ("pythonProperties", &input.python, &seen.python),
    ] {
        let is_left_out =
            |name: &String| !seen.contains_key(name) && input.from_secrets.contains(&format!("{field} {name}"));
        check(field, asked.iter().filter(|(name, _)| !is_left_out(name)).eq(seen));
    }
    check("physicalRequirements", same_physical(input.physical.as_ref(), seen.physical.as_ref()));
    check(
        "authentication",
        same_authentication(input.authentication.as_ref().map(|one| &one.shown), seen.authentication.as_ref()),
    );
    differs.extend(properties(&input.properties, &seen.properties).map(|name| format!("properties {name}")));
    differs
}

/// Whether Glue hides some of the values.
#[must_use]
pub fn hides(input: &ConnectionInput) -> bool {
    let credentials = |authentication: &Authentication| {
        let shown = Authentication { shown: authentication.shown.clone(), ..Authentication::default() };
        *authentication != shown
    };
    input.properties.keys().any(|name| is_hidden(name))
        || !input.from_secrets.is_empty()
        || input.authentication.as_ref().is_some_and(credentials)
}

/// The properties that differ.
fn properties<'a>(
    asked: &'a BTreeMap<String, Sensitive>,
    seen: &'a BTreeMap<String, Sensitive>,
) -> impl Iterator<Item = &'a String> {
    let value = |map: &'a BTreeMap<String, Sensitive>, name: &str| {
        let given = map.get(name).map(Sensitive::expose);
        given.or_else(|| DEFAULTS.iter().find(|(other, _)| *other == name).map(|(_, value)| *value))
    };
    let added = seen.keys().filter(|name| !asked.contains_key(*name));
    let all = asked.keys().chain(added).filter(|name| !is_hidden(name));
    all.filter(move |name| match (value(asked, name), value(seen, name)) {
        (Some(asked), Some(seen)) if BOOLEANS.contains(&name.as_str()) => !asked.eq_ignore_ascii_case(seen),
        (asked, seen) => asked != seen,
    })
}

fn same_physical(asked: Option<&Physical>, seen: Option<&Physical>) -> bool {
    let none = Physical::default();
    let (asked, seen) = (asked.unwrap_or(&none), seen.unwrap_or(&none));
    asked.subnet == seen.subnet
        && sorted(&asked.security_groups) == sorted(&seen.security_groups)
        && given(asked.availability_zone.as_ref(), seen.availability_zone.as_ref())
}

fn same_authentication(asked: Option<&ShownAuthentication>, seen: Option<&ShownAuthentication>) -> bool {
    let (asked, seen) = match (asked, seen) {
        (None, None) => return true,
        (Some(asked), Some(seen)) => (asked, seen),
        _ => return false,
    };
    asked.type_ == seen.type_
        && given(asked.secret_arn.as_ref(), seen.secret_arn.as_ref())
        && given(asked.kms_key_arn.as_ref(), seen.kms_key_arn.as_ref())
        && same_oauth2(asked.oauth2.as_ref(), seen.oauth2.as_ref())
}

fn same_oauth2(asked: Option<&OAuth2>, seen: Option<&OAuth2>) -> bool {
    let (asked, seen) = match (asked, seen) {
        (None, None) => return true,
        (Some(asked), Some(seen)) => (asked, seen),
        _ => return false,
    };
    asked.grant_type == seen.grant_type
        && given(asked.client_id.as_ref(), seen.client_id.as_ref())
        && given(asked.aws_managed.as_ref(), seen.aws_managed.as_ref())
        && given(asked.token_url.as_ref(), seen.token_url.as_ref())
        && asked.token_url_parameters.iter().all(|(name, value)| seen.token_url_parameters.get(name) == Some(value))
}

/// A value that the spec leaves open is for Glue to choose.
fn given<T: PartialEq>(asked: Option<&T>, seen: Option<&T>) -> bool {
    asked.is_none() || asked == seen
}

fn sorted(list: &[String]) -> Vec<&String> {
    let mut sorted: Vec<_> = list.iter().collect();
    sorted.sort_unstable();
    sorted
}
