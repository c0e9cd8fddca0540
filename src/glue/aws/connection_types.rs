//! `DescribeConnectionType`, and the descriptions that a client remembers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_glue::operation::describe_connection_type::DescribeConnectionTypeOutput;
use aws_sdk_glue::types::{Property, PropertyType};

use super::Glue;
use super::remembered::Remembered;
use crate::glue::connections::description::{DescribedProperty, TypeDescription};
use crate::glue::rate_limiter::Priority;

/// For how long a description is remembered.
const REMEMBERED: Duration = Duration::from_hours(1);
/// For how long it is remembered that there was no answer, such as for want of the permission.
const REMEMBERED_FAILURE: Duration = Duration::from_mins(10);
/// The most descriptions that a client remembers: users choose the names.
const MOST: usize = 100;

/// The descriptions that a client remembers, by connection type.
pub(super) fn descriptions() -> Remembered<Arc<TypeDescription>> {
    Remembered::new(MOST, REMEMBERED, REMEMBERED_FAILURE)
}

impl Glue {
    /// How Glue describes a connection type; `None` where it does not answer, refuses, or knows no such type. Answers are
    /// remembered for an hour, and their absence for ten minutes.
    pub async fn connection_type(&self, type_: &str) -> Option<Arc<TypeDescription>> {
        let remembered = &self.inner.type_descriptions;
        if let Some(earlier) = remembered.get(type_, Instant::now()) {
            return earlier.answer;
        }
        let request = self.inner.sdk.describe_connection_type().connection_type(type_).send();
        let object = format!("connection type {type_}");
        let answer = self.call("DescribeConnectionType", object, Priority::Poll, request).await;
        let described = answer.ok().map(|answer| Arc::new(description(&answer)));
        remembered.put(type_, described.clone(), Instant::now());
        described
    }
}

fn description(answer: &DescribeConnectionTypeOutput) -> TypeDescription {
    let mut properties: Vec<_> =
        answer.connection_properties.iter().flatten().map(|(name, property)| described(name, property)).collect();
    properties.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let capabilities = answer.capabilities.as_ref();
    let authentication = capabilities.map(|capabilities| &capabilities.supported_authentication_types);
    let environments = capabilities.map(|capabilities| &capabilities.supported_compute_environments);
    TypeDescription {
        properties,
        authentication_types: authentication.into_iter().flatten().map(|one| one.as_str().to_owned()).collect(),
        compute_environments: environments.into_iter().flatten().map(|one| one.as_str().to_owned()).collect(),
    }
}

fn described(name: &str, property: &Property) -> DescribedProperty {
    let has = |type_: &PropertyType| property.property_types.contains(type_);
    let may_be_secret = has(&PropertyType::Secret) || has(&PropertyType::SecretOrUserInput);
    let allowed = property.allowed_values.iter().flatten();
    DescribedProperty {
        name: name.to_owned(),
        required: property.required
            && property.default_value.is_none()
            && has(&PropertyType::UserInput)
            && !may_be_secret,
        allowed_values: allowed.map(|allowed| allowed.value.clone()).collect(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_required_where_only_its_user_can_give_it() {
        let property = |types: &[PropertyType], required, default: Option<&str>| {
            let builder = Property::builder().name("X").description("").required(required);
            let builder = builder.set_default_value(default.map(str::to_owned));
            described("X", &builder.set_property_types(Some(types.to_vec())).build().unwrap()).required
        };
        assert!(property(&[PropertyType::UserInput], true, None));
        assert!(!property(&[PropertyType::UserInput], false, None));
        assert!(!property(&[PropertyType::UserInput], true, Some("5432")));
        assert!(!property(&[PropertyType::UserInput, PropertyType::Secret], true, None));
        assert!(!property(&[PropertyType::SecretOrUserInput], true, None));
        assert!(!property(&[PropertyType::ReadOnly], true, None));
    }
}
