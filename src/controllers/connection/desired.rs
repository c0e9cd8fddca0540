//! The `ConnectionInput` of a spec and the values of its Secrets.

use std::collections::{BTreeMap, HashMap};

use super::properties;
use super::secrets::Secrets;
use crate::api::connection::authentication::OAuth2 as SpecOAuth2;
use crate::api::connection::{Authentication as SpecAuthentication, GlueConnectionSpec, SecretKey};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::connections::{Authentication, ConnectionInput, OAuth2, Physical, ShownAuthentication};
use crate::glue::identity::Sensitive;

/// The values of all Secret keys that a spec names.
pub type Values = HashMap<SecretKey, Sensitive>;

/// The most bytes that Glue takes of any value.
pub const MOST_BYTES: usize = 8000;

/// The most bytes that Glue takes of a value (the API's model in the AWS SDKs; for the authorization code also the Glue API
/// reference).
fn most(field: &str) -> usize {
    match field {
        "authentication.basic.username" | "authentication.basic.password" | "authentication.oauth2.clientSecret" => 512,
        "authentication.oauth2.authorizationCode"
        | "authentication.oauth2.accessToken"
        | "authentication.oauth2.refreshToken" => 4096,
        "authentication.oauth2.jwtToken" => MOST_BYTES,
        field if field.starts_with("authentication.custom") => 2048,
        field => properties::most_bytes(field.split_once(' ').map_or(field, |(map, _)| map)),
    }
}

/// The values that `spec` names, from the Secrets of `namespace`. A value that is missing, or that Glue would refuse, is
/// reported with its field and its key.
pub fn values(namespace: &str, spec: &GlueConnectionSpec, secrets: &Secrets) -> Result<Values, Problem> {
    let mut values = Values::new();
    for (field, key) in spec.secret_keys() {
        let SecretKey { name, key: entry } = key;
        let secret = secrets.get(name).filter(|secret| !secret.version.is_empty());
        let Some(secret) = secret else {
            let message = format!("{field}: there is no Secret {namespace}/{name}: create it with the key {entry}");
            return Err(Problem::new(Reason::SecretNotFound, message));
        };
        let invalid = |message: String| Problem::new(Reason::SecretInvalid, message);
        let Some(value) = secret.data.get(entry) else {
            return Err(invalid(format!("{field}: Secret {namespace}/{name} has no key {entry}: add it")));
        };
        let place = format!("{field}: key {entry} of Secret {namespace}/{name}");
        let text =
            std::str::from_utf8(value).map_err(|_| invalid(format!("{place} is not text: Glue takes text only")))?;
        if text.is_empty() {
            return Err(invalid(format!("{place} is empty: fill it")));
        }
        let most = most(&field);
        if text.len() > most {
            return Err(invalid(format!("{place} is too long: Glue takes {most} bytes at most")));
        }
        values.insert(key.clone(), Sensitive::new(text.to_owned()));
    }
    Ok(values)
}

/// The `ConnectionInput` for Glue, of the object `namespace`/`name`. Properties that cannot be put together, or that Glue
/// would refuse, are reported with their Secrets and without their values.
pub fn input(
    (namespace, name): (&str, &str),
    spec: &GlueConnectionSpec,
    values: &Values,
) -> Result<ConnectionInput, Problem> {
    let merged = |map| properties::merged(namespace, spec, map, values);
    let [properties, spark, athena, python] = spec.property_maps();
    let environments = [spark, athena, python].into_iter();
    let from_secrets = environments
        .flat_map(|map| map.from.into_iter().flatten().map(move |from| format!("{} {}", map.field, from.name)));
    Ok(ConnectionInput {
        name: name.to_owned(),
        type_: spec.connection_type.clone(),
        // Glue treats an empty description as none.
        description: spec.description.clone().filter(|text| !text.is_empty()),
        match_criteria: spec.match_criteria.clone().unwrap_or_default(),
        properties: merged(properties)?,
        spark: merged(spark)?,
        athena: merged(athena)?,
        python: merged(python)?,
        from_secrets: from_secrets.collect(),
        physical: spec.physical_requirements.as_ref().map(|physical| Physical {
            subnet: physical.subnet_id.clone(),
            security_groups: physical.security_group_ids.clone().unwrap_or_default(),
            availability_zone: physical.availability_zone.clone(),
        }),
        authentication: spec.authentication.as_ref().map(|authentication| self::authentication(authentication, values)),
        validate_credentials: spec.validate_credentials.unwrap_or(true),
        validate_for: spec
            .validate_for_compute_environments
            .iter()
            .flatten()
            .map(|environment| environment.as_str())
            .collect(),
    })
}

fn authentication(spec: &SpecAuthentication, values: &Values) -> Authentication {
    let value = |key: &SecretKey| values.get(key).cloned();
    let optional = |key: &Option<SecretKey>| key.as_ref().and_then(value);
    let basic = spec.basic.as_ref().and_then(|basic| {
        let user = basic.username.clone().map(Sensitive::new).or_else(|| optional(&basic.username_secret_ref));
        user.zip(value(&basic.password_secret_ref))
    });
    let custom = spec.custom.iter().flatten();
    let oauth2 = spec.oauth2.as_ref();
    Authentication {
        shown: ShownAuthentication {
            type_: spec.type_.as_str().to_owned(),
            secret_arn: spec.secret_arn.clone(),
            kms_key_arn: spec.kms_key_arn.clone(),
            oauth2: oauth2.map(self::oauth2),
        },
        basic,
        custom: custom
            .filter_map(|one| Some((one.name.clone(), value(&one.secret_key_ref)?)))
            .collect::<BTreeMap<_, _>>(),
        authorization_code: oauth2
            .and_then(|oauth2| oauth2.authorization_code.as_ref())
            .and_then(|code| Some((value(&code.code_secret_ref)?, code.redirect_uri.clone()))),
        client_secret: oauth2.and_then(|oauth2| optional(&oauth2.client_secret_secret_ref)),
        access_token: oauth2.and_then(|oauth2| optional(&oauth2.access_token_secret_ref)),
        refresh_token: oauth2.and_then(|oauth2| optional(&oauth2.refresh_token_secret_ref)),
        jwt_token: oauth2.and_then(|oauth2| optional(&oauth2.jwt_token_secret_ref)),
    }
}

fn oauth2(spec: &SpecOAuth2) -> OAuth2 {
    let application = spec.client_application.as_ref();
    OAuth2 {
        grant_type: spec.grant_type.as_str().to_owned(),
        client_id: application.and_then(|application| application.user_managed_client_id.clone()),
        aws_managed: application.and_then(|application| application.aws_managed_reference.clone()),
        token_url: spec.token_url.clone(),
        token_url_parameters: spec.token_url_parameters.clone().unwrap_or_default(),
    }
}
