//! Converts the model's input to the SDK's.

use std::collections::BTreeMap;

use aws_sdk_glue::types::{
    AuthenticationConfigurationInput, AuthenticationType, AuthorizationCodeProperties, BasicAuthenticationCredentials,
    ComputeEnvironment, ConnectionInput as SdkInput, ConnectionPropertyKey, ConnectionType, OAuth2ClientApplication,
    OAuth2Credentials, OAuth2GrantType, OAuth2PropertiesInput, PhysicalConnectionRequirements, TestConnectionInput,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::operation::BuildError;

use crate::glue::connections::{Authentication, ConnectionInput, OAuth2, Physical};
use crate::glue::identity::Sensitive;
use crate::glue::{Error, ErrorKind};

/// The whole input of a creation or an update.
pub(super) fn input(operation: &'static str, input: &ConnectionInput) -> Result<SdkInput, Error> {
    let exposed = |(name, value): (&String, &Sensitive)| (name.clone(), value.expose().to_owned());
    let some = |map: &BTreeMap<String, Sensitive>| (!map.is_empty()).then(|| map.iter().map(exposed).collect());
    let environments = input.validate_for.iter().map(|name| ComputeEnvironment::from(*name)).collect::<Vec<_>>();
    SdkInput::builder()
        .name(&input.name)
        .set_description(input.description.clone())
        .connection_type(ConnectionType::from(input.type_.as_str()))
        .set_match_criteria((!input.match_criteria.is_empty()).then(|| input.match_criteria.clone()))
        .set_connection_properties(Some(properties(input)))
        .set_spark_properties(some(&input.spark))
        .set_athena_properties(some(&input.athena))
        .set_python_properties(some(&input.python))
        .set_physical_connection_requirements(input.physical.as_ref().map(physical))
        .set_authentication_configuration(input.authentication.as_ref().map(authentication))
        .validate_credentials(input.validate_credentials)
        .set_validate_for_compute_environments((!environments.is_empty()).then_some(environments))
        .build()
        .map_err(|error| incomplete(operation, &input.name, &error))
}

/// The input of a test: only what Glue needs to connect.
pub(super) fn test_input(operation: &'static str, input: &ConnectionInput) -> Result<TestConnectionInput, Error> {
    TestConnectionInput::builder()
        .connection_type(ConnectionType::from(input.type_.as_str()))
        .set_connection_properties(Some(properties(input)))
        .set_authentication_configuration(input.authentication.as_ref().map(authentication))
        .build()
        .map_err(|error| incomplete(operation, &input.name, &error))
}

/// Sets `ValidateCredentials` to false in the request body, before the request is signed. The SDK omits it when it is
/// false, and Glue's default is true.
pub(super) fn set_validate_credentials(request: &mut HttpRequest, validate: bool) {
    if validate {
        return;
    }
    let parsed = request.body().bytes().and_then(|body| serde_json::from_slice::<serde_json::Value>(body).ok());
    let Some(mut body) = parsed else { return };
    body["ConnectionInput"]["ValidateCredentials"] = false.into();
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
}

fn properties(input: &ConnectionInput) -> std::collections::HashMap<ConnectionPropertyKey, String> {
    let exposed =
        |(name, value): (&String, &Sensitive)| (ConnectionPropertyKey::from(name.as_str()), value.expose().to_owned());
    input.properties.iter().map(exposed).collect()
}

fn physical(physical: &Physical) -> PhysicalConnectionRequirements {
    PhysicalConnectionRequirements::builder()
        .set_subnet_id(physical.subnet.clone())
        .set_security_group_id_list((!physical.security_groups.is_empty()).then(|| physical.security_groups.clone()))
        .set_availability_zone(physical.availability_zone.clone())
        .build()
}

fn authentication(authentication: &Authentication) -> AuthenticationConfigurationInput {
    let shown = &authentication.shown;
    let exposed = |value: &Option<Sensitive>| value.as_ref().map(|value| value.expose().to_owned());
    let basic = authentication.basic.as_ref().map(|(user, password)| {
        BasicAuthenticationCredentials::builder().username(user.expose()).password(password.expose()).build()
    });
    let custom = authentication.custom.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
    let credentials = OAuth2Credentials::builder()
        .set_user_managed_client_application_client_secret(exposed(&authentication.client_secret))
        .set_access_token(exposed(&authentication.access_token))
        .set_refresh_token(exposed(&authentication.refresh_token))
        .set_jwt_token(exposed(&authentication.jwt_token))
        .build();
    let has_credentials = credentials != OAuth2Credentials::builder().build();
    let code = authentication.authorization_code.as_ref().map(|(code, redirect)| {
        AuthorizationCodeProperties::builder()
            .authorization_code(code.expose())
            .set_redirect_uri(redirect.clone())
            .build()
    });
    let oauth2 = shown.oauth2.as_ref().map(|oauth2| {
        oauth2_properties(oauth2)
            .set_authorization_code_properties(code)
            .set_o_auth2_credentials(has_credentials.then_some(credentials))
            .build()
    });
    AuthenticationConfigurationInput::builder()
        .authentication_type(AuthenticationType::from(shown.type_.as_str()))
        .set_secret_arn(shown.secret_arn.clone())
        .set_kms_key_arn(shown.kms_key_arn.clone())
        .set_basic_authentication_credentials(basic)
        .set_custom_authentication_credentials((!authentication.custom.is_empty()).then(|| custom.collect()))
        .set_o_auth2_properties(oauth2)
        .build()
}

fn oauth2_properties(oauth2: &OAuth2) -> aws_sdk_glue::types::builders::OAuth2PropertiesInputBuilder {
    let application = OAuth2ClientApplication::builder()
        .set_user_managed_client_application_client_id(oauth2.client_id.clone())
        .set_aws_managed_client_application_reference(oauth2.aws_managed.clone())
        .build();
    let has_application = oauth2.client_id.is_some() || oauth2.aws_managed.is_some();
    let parameters = oauth2.token_url_parameters.clone();
    OAuth2PropertiesInput::builder()
        .o_auth2_grant_type(OAuth2GrantType::from(oauth2.grant_type.as_str()))
        .set_o_auth2_client_application(has_application.then_some(application))
        .set_token_url(oauth2.token_url.clone())
        .set_token_url_parameters_map((!parameters.is_empty()).then(|| parameters.into_iter().collect()))
}

fn incomplete(operation: &'static str, name: &str, error: &BuildError) -> Error {
    Error {
        operation,
        object: format!("connection {name}"),
        kind: ErrorKind::Invalid,
        code: "NotSent".to_owned(),
        message: error.to_string(),
    }
}
