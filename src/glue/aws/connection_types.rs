//! `DescribeConnectionType`, and the descriptions that a client remembers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_glue::operation::describe_connection_type::DescribeConnectionTypeOutput;
use aws_sdk_glue::types::{Property, PropertyType};

use super::Glue;
use crate::glue::connections::description::{DescribedProperty, TypeDescription};
use crate::glue::rate_limiter::Priority;

/// For how long a description is remembered.
const REMEMBERED: Duration = Duration::from_hours(1);
/// For how long it is remembered that there was no answer, such as for want of the permission.
const REMEMBERED_FAILURE: Duration = Duration::from_mins(10);
/// The most descriptions that a client remembers: users choose the names.
const MOST: usize = 100;

/// The descriptions that a client remembers, by connection type. A client is one identity in one account and region.
#[derive(Default)]
pub(super) struct TypeDescriptions(Mutex<HashMap<String, Remembered>>);

#[derive(Clone)]
struct Remembered {
    until: Instant,
    /// `None` when there was no answer.
    description: Option<Arc<TypeDescription>>,
}

impl TypeDescriptions {
    /// What is remembered of the type.
    fn get(&self, type_: &str, now: Instant) -> Option<Remembered> {
        let remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(type_).filter(|one| now < one.until).cloned()
    }

    fn put(&self, type_: &str, description: Option<Arc<TypeDescription>>, now: Instant) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.retain(|_, one| now < one.until);
        if remembered.len() < MOST {
            let until = now + if description.is_some() { REMEMBERED } else { REMEMBERED_FAILURE };
            remembered.insert(type_.to_owned(), Remembered { until, description });
        }
    }
}

impl Glue {
    /// How Glue describes a connection type; `None` where it does not answer, refuses, or knows no such type. Answers are
    /// remembered for an hour, and their absence for ten minutes.
    pub async fn connection_type(&self, type_: &str) -> Option<Arc<TypeDescription>> {
        let remembered = &self.inner.type_descriptions;
        if let Some(earlier) = remembered.get(type_, Instant::now()) {
            return earlier.description;
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
    fn descriptions_are_remembered_for_a_while_and_are_bounded() {
        let (remembered, now) = (TypeDescriptions::default(), Instant::now());
        let get = |type_: &str, now| remembered.get(type_, now).map(|one| one.description.is_some());
        assert_eq!(get("ORACLE", now), None);
        remembered.put("ORACLE", Some(Arc::default()), now);
        remembered.put("REST-X", None, now);
        let later = |minutes| now + Duration::from_mins(minutes);
        assert_eq!(get("ORACLE", later(59)), Some(true));
        assert_eq!(get("ORACLE", later(60)), None);
        assert_eq!(get("REST-X", later(9)), Some(false));
        assert_eq!(get("REST-X", later(10)), None);
        for number in 0..2 * MOST {
            remembered.put(&format!("REST-{number}"), None, later(61));
        }
        assert_eq!(remembered.0.lock().unwrap().len(), MOST);
    }

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
