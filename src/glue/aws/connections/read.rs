//! From the SDK's connection to ours.

use std::collections::BTreeMap;

use aws_sdk_glue::types::{
    AuthenticationConfiguration, Connection as SdkConnection, OAuth2Properties, PhysicalConnectionRequirements,
};
use jiff::Timestamp;

use crate::glue::aws::filled;
use crate::glue::connections::{Connection, OAuth2, Physical, ShownAuthentication};
use crate::glue::identity::Sensitive;

/// A connection, which has a name in any case.
pub(super) fn connection(seen: SdkConnection, arn: impl Fn(&str) -> Option<String>) -> Option<Connection> {
    let name = seen.name?;
    let properties = seen.connection_properties.unwrap_or_default().into_iter();
    Some(Connection {
        arn: arn(&name),
        name,
        type_: seen.connection_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        description: filled(seen.description),
        match_criteria: seen.match_criteria.unwrap_or_default(),
        properties: properties.map(|(name, value)| (name.as_str().to_owned(), Sensitive::new(value))).collect(),
        spark: sorted(seen.spark_properties),
        athena: sorted(seen.athena_properties),
        python: sorted(seen.python_properties),
        physical: seen.physical_connection_requirements.map(physical),
        authentication: seen.authentication_configuration.map(authentication),
        status: seen.status.map(|status| status.as_str().to_owned()),
        status_reason: filled(seen.status_reason),
        created_at: seen.creation_time.and_then(timestamp),
        updated_at: seen.last_updated_time.and_then(timestamp),
        updated_by: filled(seen.last_updated_by),
        validated_at: seen.last_connection_validation_time.and_then(timestamp),
        schema_version: seen.connection_schema_version,
    })
}

fn physical(seen: PhysicalConnectionRequirements) -> Physical {
    Physical {
        subnet: filled(seen.subnet_id),
        security_groups: seen.security_group_id_list.unwrap_or_default(),
        availability_zone: filled(seen.availability_zone),
    }
}

fn authentication(seen: AuthenticationConfiguration) -> ShownAuthentication {
    ShownAuthentication {
        type_: seen.authentication_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        secret_arn: filled(seen.secret_arn),
        kms_key_arn: filled(seen.kms_key_arn),
        oauth2: seen.o_auth2_properties.map(oauth2),
    }
}

fn oauth2(seen: OAuth2Properties) -> OAuth2 {
    let application = seen.o_auth2_client_application;
    OAuth2 {
        grant_type: seen.o_auth2_grant_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        client_id: application.as_ref().and_then(|one| filled(one.user_managed_client_application_client_id.clone())),
        aws_managed: application.and_then(|one| filled(one.aws_managed_client_application_reference)),
        token_url: filled(seen.token_url),
        token_url_parameters: sorted(seen.token_url_parameters_map),
    }
}

fn sorted<V>(map: Option<std::collections::HashMap<String, V>>) -> BTreeMap<String, V> {
    map.unwrap_or_default().into_iter().collect()
}

/// With the fractions that Glue gives: they tell two changes within a second apart.
fn timestamp(time: aws_smithy_types::DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(time.subsec_nanos()).unwrap_or_default();
    Timestamp::new(time.secs(), nanos / 1_000_000 * 1_000_000).ok()
}
