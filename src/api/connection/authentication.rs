//! How Glue authenticates itself to what it connects to: `AuthenticationConfigurationInput`, with every secret
//! value in a Secret.

use std::collections::BTreeMap;

use kube::core::Rule;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::properties::{self, SecretKey};
use crate::api::rules;

/// How Glue authenticates itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_rules)]
pub struct Authentication {
    /// The way of it.
    #[serde(rename = "type")]
    pub type_: AuthenticationType,
    /// A secret of AWS Secrets Manager that holds the credentials. Where Secrets are named below, Glue makes one
    /// of them itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 2048),
        regex(pattern = r"^arn:aws(-(cn|us-gov|iso(-[bef])?))?:secretsmanager:.*$")
    )]
    pub secret_arn: Option<String>,
    /// The KMS key that protects the secret which Glue makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^arn:aws[a-z0-9-]*:kms:.*$"))]
    pub kms_key_arn: Option<String>,
    /// User and password, for BASIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<Basic>,
    /// For OAUTH2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
    /// The credentials that the connector asks for, for CUSTOM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub custom: Option<Vec<CustomCredential>>,
}

/// The ways that Glue knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AuthenticationType {
    /// A user and a password.
    Basic,
    /// A token from an authorization server.
    OAuth2,
    /// What the connector defines.
    Custom,
    /// The role of whoever uses the connection.
    Iam,
}

impl AuthenticationType {
    /// Glue's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "BASIC",
            Self::OAuth2 => "OAUTH2",
            Self::Custom => "CUSTOM",
            Self::Iam => "IAM",
        }
    }
}

/// A user and a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_basic_rules)]
pub struct Basic {
    /// The user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"\S"))]
    pub username: Option<String>,
    /// The same from a Secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_secret_ref: Option<SecretKey>,
    /// The password.
    pub password_secret_ref: SecretKey,
}

/// One credential of a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomCredential {
    /// Its name, as the connector says.
    #[schemars(length(min = 1, max = 128))]
    pub name: String,
    /// Where its value stands.
    pub secret_key_ref: SecretKey,
}

/// How a token is had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// The grant type.
    pub grant_type: GrantType,
    /// The client application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_application: Option<ClientApplication>,
    /// The URL of the authorization server that gives tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 256),
        regex(pattern = r"^(https?)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]$")
    )]
    pub token_url: Option<String>,
    /// Parameters of the request for a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "token_url_parameters_schema")]
    pub token_url_parameters: Option<BTreeMap<String, String>>,
    /// For AUTHORIZATION_CODE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCode>,
    /// The secret of a user-managed client application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_secret_ref: Option<SecretKey>,
    /// An access token that was had elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_secret_ref: Option<SecretKey>,
    /// A refresh token that was had elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_secret_ref: Option<SecretKey>,
    /// The JSON Web Token, for JWT_BEARER.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_token_secret_ref: Option<SecretKey>,
}

/// OAuth2's ways to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are OAuth2's")]
pub enum GrantType {
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
}

impl GrantType {
    /// Glue's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "AUTHORIZATION_CODE",
            Self::ClientCredentials => "CLIENT_CREDENTIALS",
            Self::JwtBearer => "JWT_BEARER",
            Self::RefreshToken => "REFRESH_TOKEN",
        }
    }
}

/// Who asks for the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(transform = add_application_rules)]
pub struct ClientApplication {
    /// The client id of an application of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^\S+$"))]
    pub user_managed_client_id: Option<String>,
    /// An application that AWS manages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^\S+$"))]
    pub aws_managed_reference: Option<String>,
}

/// The third leg of AUTHORIZATION_CODE. A code can be used once: after a change of anything else Glue needs a
/// new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationCode {
    /// The code.
    pub code_secret_ref: SecretKey,
    /// Where the authorization server sent the user with the code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), regex(pattern = r"^(https?):\/\/[^\s/$.?#].[^\s]*$"))]
    pub redirect_uri: Option<String>,
}

impl Authentication {
    /// The Secret keys that it takes values from, each with the field that it goes to.
    pub fn secret_keys(&self) -> impl Iterator<Item = (String, &SecretKey)> {
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
        fixed.chain(custom.map(|one| (format!("authentication.custom {}", one.name), &one.secret_key_ref)))
    }
}

fn add_rules(schema: &mut Schema) {
    let own = |field: &str, type_: &str| {
        Rule::new(format!("!has(self.{field}) || self.type == '{type_}'"))
            .message(format!("{field} is for authentication of type {type_}").as_str())
            .field_path(format!(".{field}"))
    };
    let needs = |type_: &str, what: &str, why: &str| {
        Rule::new(format!("self.type != '{type_}' || has(self.secretArn) || {what}")).message(why).field_path(".type")
    };
    let grant = |type_: &str, what: &str, why: &str| {
        Rule::new(format!(
            "!has(self.oauth2) || self.oauth2.grantType != '{type_}' || has(self.secretArn) || has(self.oauth2.{what})"
        ))
        .message(why)
        .field_path(".oauth2")
    };
    rules::add(
        schema,
        [
            own("basic", "BASIC"),
            own("oauth2", "OAUTH2"),
            own("custom", "CUSTOM"),
            needs("BASIC", "has(self.basic)", "BASIC needs basic with user and password, or secretArn"),
            needs("CUSTOM", "has(self.custom)", "CUSTOM needs the credentials in custom, or secretArn"),
            Rule::new("self.type != 'OAUTH2' || has(self.oauth2)").message("OAUTH2 needs oauth2 with a grantType").field_path(".type"),
            grant("AUTHORIZATION_CODE", "authorizationCode", "AUTHORIZATION_CODE needs oauth2.authorizationCode, or secretArn"),
            grant("JWT_BEARER", "jwtTokenSecretRef", "JWT_BEARER needs oauth2.jwtTokenSecretRef, or secretArn"),
            grant("CLIENT_CREDENTIALS", "clientApplication", "CLIENT_CREDENTIALS needs oauth2.clientApplication, or secretArn"),
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
        "description": "Parameters of the request for a token.",
    });
    let remedy = "names of parameters are 1 to 128 characters, and none is a secret: a client secret is given by clientSecretSecretRef, a token by the field of its own";
    rules::add(&mut schema, [properties::no_secrets(remedy)]);
    schema
}
