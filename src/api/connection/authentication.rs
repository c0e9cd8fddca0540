//! How Glue authenticates to a data source: Glue's `AuthenticationConfigurationInput`, with every secret value
//! taken from a Secret.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::properties;
use super::sources::SecretKey;
use crate::api::rules;

/// How Glue authenticates to the data source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct Authentication {
    /// BASIC: user and password. OAUTH2: a token of an authorization server. CUSTOM: the credentials that the
    /// connector defines. IAM: the role of the job or user that uses the connection.
    #[serde(rename = "type")]
    pub type_: AuthenticationType,
    /// The ARN of a secret in AWS Secrets Manager that holds the credentials. When the fields below name
    /// Kubernetes Secrets instead, Glue creates such a secret from their values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 2048),
        regex(pattern = r"^arn:aws(-(cn|us-gov|iso(-[bef])?))?:secretsmanager:.*$")
    )]
    pub secret_arn: Option<String>,
    /// The ARN of the KMS key that encrypts the secret that Glue creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^arn:aws[a-z0-9-]*:kms:.*$"))]
    pub kms_key_arn: Option<String>,
    /// User and password. Only for type BASIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<Basic>,
    /// How Glue gets a token. Only for type OAUTH2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
    /// The credentials that the connector defines, 1 to 50. Only for type CUSTOM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub custom: Option<Vec<CustomCredential>>,
}

/// Glue's `AuthenticationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AuthenticationType {
    /// User and password.
    Basic,
    /// A token of an authorization server.
    OAuth2,
    /// The credentials that the connector defines.
    Custom,
    /// The role of the job or user that uses the connection.
    Iam,
}

impl AuthenticationType {
    /// The value as Glue's API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::OAuth2 => "OAUTH2",
            Self::Custom => "CUSTOM",
            Self::Iam => "IAM",
        }
    }
}

/// User and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_basic_rules)]
pub struct Basic {
    /// The user name as plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"\S"))]
    pub username: Option<String>,
    /// The user name from a key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_secret_ref: Option<SecretKey>,
    /// The password, from a key of a Secret.
    pub password_secret_ref: SecretKey,
}

/// One credential of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomCredential {
    /// The name that the connector gives this credential.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// The key of a Secret that holds the value.
    pub secret_key_ref: SecretKey,
}

/// How Glue gets an OAuth 2.0 token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// The OAuth 2.0 grant type.
    pub grant_type: GrantType,
    /// The OAuth 2.0 client application. Required for CLIENT_CREDENTIALS, unless secretArn is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_application: Option<ClientApplication>,
    /// The token endpoint of the authorization server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 256),
        regex(pattern = r"^(https?)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]$")
    )]
    pub token_url: Option<String>,
    /// Additional parameters of the token request, at most 50. Secret values are refused here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "token_url_parameters_schema")]
    pub token_url_parameters: Option<BTreeMap<String, String>>,
    /// The authorization code. Required for AUTHORIZATION_CODE, unless secretArn is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCode>,
    /// The client secret of a user-managed client application, from a key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_secret_ref: Option<SecretKey>,
    /// An access token that was obtained elsewhere, from a key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_secret_ref: Option<SecretKey>,
    /// A refresh token that was obtained elsewhere, from a key of a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_secret_ref: Option<SecretKey>,
    /// The JSON Web Token, from a key of a Secret. Required for JWT_BEARER, unless secretArn is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_token_secret_ref: Option<SecretKey>,
}

/// Glue's `OAuth2GrantType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are those of OAuth 2.0")]
pub enum GrantType {
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
}

impl GrantType {
    /// The value as Glue's API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "AUTHORIZATION_CODE",
            Self::ClientCredentials => "CLIENT_CREDENTIALS",
            Self::JwtBearer => "JWT_BEARER",
            Self::RefreshToken => "REFRESH_TOKEN",
        }
    }
}

/// The OAuth 2.0 client application that requests the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_application_rules)]
pub struct ClientApplication {
    /// The client id of an application that you registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^\S+$"))]
    pub user_managed_client_id: Option<String>,
    /// The client application that AWS manages for the connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^\S+$"))]
    pub aws_managed_reference: Option<String>,
}

/// The last step of the grant AUTHORIZATION_CODE. A code can be used once: to change anything else of the
/// connection, Glue needs a new code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationCode {
    /// The authorization code, from a key of a Secret.
    pub code_secret_ref: SecretKey,
    /// The URI to which the authorization server redirected the user with the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), regex(pattern = r"^(https?):\/\/[^\s/$.?#].[^\s]*$"))]
    pub redirect_uri: Option<String>,
}

impl Authentication {
    /// Every Secret key that is used, with the field that takes its value, such as
    /// `authentication.basic.password`.
    pub(crate) fn secret_keys(&self) -> impl Iterator<Item = (String, &SecretKey)> {
        let basic = self.basic.iter().flat_map(|basic| {
            [
                ("basic.username", basic.username_secret_ref.as_ref()),
                ("basic.password", Some(&basic.password_secret_ref)),
            ]
        });
        let oauth2 = self.oauth2.iter().flat_map(|oauth2| {
            [
                ("oauth2.authorizationCode", oauth2.authorization_code.as_ref().map(|code| &code.code_secret_ref)),
                ("oauth2.clientSecret", oauth2.client_secret_secret_ref.as_ref()),
                ("oauth2.accessToken", oauth2.access_token_secret_ref.as_ref()),
                ("oauth2.refreshToken", oauth2.refresh_token_secret_ref.as_ref()),
                ("oauth2.jwtToken", oauth2.jwt_token_secret_ref.as_ref()),
            ]
        });
        let fixed = basic.chain(oauth2).filter_map(|(field, key)| Some((format!("authentication.{field}"), key?)));
        let custom = self.custom.iter().flatten();
        fixed.chain(
            custom.map(|credential| (format!("authentication.custom {}", credential.name), &credential.secret_key_ref)),
        )
    }
}

fn add_rules(schema: &mut Schema) {
    let only_for = |field: &str, type_: &str| {
        Rule::new(format!("!has(self.{field}) || self.type == '{type_}'"))
            .message(format!("{field} is for authentication of type {type_}").as_str())
            .field_path(format!(".{field}"))
    };
    let needs = |type_: &str, field: &str, message: &str| {
        Rule::new(format!("self.type != '{type_}' || has(self.secretArn) || {field}"))
            .message(message)
            .field_path(".type")
    };
    let grant_needs = |type_: &str, field: &str, message: &str| {
        Rule::new(format!(
            "!has(self.oauth2) || self.oauth2.grantType != '{type_}' || has(self.secretArn) || has(self.oauth2.{field})"
        ))
        .message(message)
        .field_path(".oauth2")
    };
    rules::add(
        schema,
        [
            only_for("basic", "BASIC"),
            only_for("oauth2", "OAUTH2"),
            only_for("custom", "CUSTOM"),
            needs("BASIC", "has(self.basic)", "BASIC needs basic with user and password, or secretArn"),
            needs("CUSTOM", "has(self.custom)", "CUSTOM needs the credentials in custom, or secretArn"),
            Rule::new("self.type != 'OAUTH2' || has(self.oauth2)").message("OAUTH2 needs oauth2 with a grantType").field_path(".type"),
            grant_needs("AUTHORIZATION_CODE", "authorizationCode", "AUTHORIZATION_CODE needs oauth2.authorizationCode, or secretArn"),
            grant_needs("JWT_BEARER", "jwtTokenSecretRef", "JWT_BEARER needs oauth2.jwtTokenSecretRef, or secretArn"),
            grant_needs("CLIENT_CREDENTIALS", "clientApplication", "CLIENT_CREDENTIALS needs oauth2.clientApplication, or secretArn"),
            Rule::new("!has(self.oauth2) || !has(self.oauth2.authorizationCode) || self.oauth2.grantType == 'AUTHORIZATION_CODE'")
                .message("oauth2.authorizationCode is for the grant type AUTHORIZATION_CODE")
                .field_path(".oauth2"),
        ],
    );
}

fn add_basic_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [Rule::new("has(self.username) != has(self.usernameSecretRef)")
            .message("name exactly one of username and usernameSecretRef")],
    );
}

fn add_application_rules(schema: &mut Schema) {
    rules::add(
        schema,
        [Rule::new("has(self.userManagedClientId) != has(self.awsManagedReference)")
            .message("name exactly one of userManagedClientId and awsManagedReference")],
    );
}

fn token_url_parameters_schema(_: &mut SchemaGenerator) -> Schema {
    let mut schema = json_schema!({
        "type": "object",
        "maxProperties": 50,
        "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 512},
    });
    let remedy = "parameter names must have 1 to 128 characters and not denote a secret: use clientSecretSecretRef for a client secret, and the token's own field for a token";
    rules::add(&mut schema, [properties::no_secrets(remedy)]);
    schema
}
