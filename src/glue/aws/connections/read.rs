//! Converts the SDK's connection to the model.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_glue::types::{
    AuthenticationConfiguration, Connection as SdkConnection, OAuth2Properties, PhysicalConnectionRequirements,
};
use jiff::Timestamp;

use crate::glue::aws::non_empty;
use crate::glue::connections::{Connection, OAuth2, Physical, ShownAuthentication};
use crate::glue::identity::Sensitive;

/// `None` only for a connection without a name.
pub(super) fn connection(sdk: SdkConnection, arn: impl Fn(&str) -> Option<String>) -> Option<Connection> {
    let name = sdk.name?;
    let properties = sdk.connection_properties.unwrap_or_default().into_iter();
    let environments = sdk.compatible_compute_environments.unwrap_or_default();
    Some(Connection {
        arn: arn(&name),
        name,
        type_: sdk.connection_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        description: non_empty(sdk.description),
        match_criteria: sdk.match_criteria.unwrap_or_default(),
        properties: properties.map(|(name, value)| (name.as_str().to_owned(), Sensitive::new(value))).collect(),
        spark: sensitive(sdk.spark_properties),
        athena: sensitive(sdk.athena_properties),
        python: sensitive(sdk.python_properties),
        physical: sdk.physical_connection_requirements.map(physical),
        authentication: sdk.authentication_configuration.map(authentication),
        status: sdk.status.map(|status| status.as_str().to_owned()),
        status_reason: non_empty(sdk.status_reason),
        created_at: sdk.creation_time.and_then(timestamp),
        updated_at: sdk.last_updated_time.and_then(timestamp),
        updated_by: non_empty(sdk.last_updated_by),
        validated_at: sdk.last_connection_validation_time.and_then(timestamp),
        schema_version: sdk.connection_schema_version,
        compute_environments: environments.iter().map(|environment| environment.as_str().to_owned()).collect(),
    })
}

fn physical(sdk: PhysicalConnectionRequirements) -> Physical {
    Physical {
        subnet: non_empty(sdk.subnet_id),
        security_groups: sdk.security_group_id_list.unwrap_or_default(),
        availability_zone: non_empty(sdk.availability_zone),
    }
}

fn authentication(sdk: AuthenticationConfiguration) -> ShownAuthentication {
    ShownAuthentication {
        type_: sdk.authentication_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        secret_arn: non_empty(sdk.secret_arn),
        kms_key_arn: non_empty(sdk.kms_key_arn),
        oauth2: sdk.o_auth2_properties.map(oauth2),
    }
}

fn oauth2(sdk: OAuth2Properties) -> OAuth2 {
    let application = sdk.o_auth2_client_application;
    OAuth2 {
        grant_type: sdk.o_auth2_grant_type.map(|type_| type_.as_str().to_owned()).unwrap_or_default(),
        client_id: application
            .as_ref()
            .and_then(|application| non_empty(application.user_managed_client_application_client_id.clone())),
        aws_managed: application
            .and_then(|application| non_empty(application.aws_managed_client_application_reference)),
        token_url: non_empty(sdk.token_url),
        token_url_parameters: sorted(sdk.token_url_parameters_map),
    }
}

fn sorted(map: Option<HashMap<String, String>>) -> BTreeMap<String, String> {
    map.unwrap_or_default().into_iter().collect()
}

fn sensitive(map: Option<HashMap<String, String>>) -> BTreeMap<String, Sensitive> {
    map.unwrap_or_default().into_iter().map(|(name, value)| (name, Sensitive::new(value))).collect()
}

/// With milliseconds, unlike other times, to distinguish two updates within a second.
fn timestamp(time: aws_smithy_types::DateTime) -> Option<Timestamp> {
    let nanos = i32::try_from(time.subsec_nanos()).unwrap_or_default();
    Timestamp::new(time.secs(), nanos / 1_000_000 * 1_000_000).ok()
}
