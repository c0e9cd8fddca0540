//! The model of connections. Values that may be secret are [`Sensitive`], so that no log or error shows them.

pub(crate) mod description;
pub(crate) mod source;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::glue::identity::Sensitive;

/// The size of a page of `GetConnections` (Glue API reference, `GetConnections`: `MaxResults` 1 to 1000). It is below
/// the maximum, since a connection may have some 100 KB.
pub(crate) const PAGE_SIZE: i32 = 200;

/// The most connections that one `BatchDeleteConnection` deletes (Glue API reference, `BatchDeleteConnection`).
pub(crate) const DELETE_BATCH_SIZE: usize = 25;

/// The input of `CreateConnection`, `UpdateConnection` and `TestConnection`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionInput {
    /// The name.
    pub name: String,
    /// The type as Glue spells it.
    pub type_: String,
    /// The description.
    pub description: Option<String>,
    /// Criteria that select the connection.
    pub match_criteria: Vec<String>,
    /// `ConnectionProperties`, including those from Secrets.
    pub properties: BTreeMap<String, Sensitive>,
    /// `SparkProperties`, including those from Secrets.
    pub spark: BTreeMap<String, Sensitive>,
    /// `AthenaProperties`, including those from Secrets.
    pub athena: BTreeMap<String, Sensitive>,
    /// `PythonProperties`, including those from Secrets.
    pub python: BTreeMap<String, Sensitive>,
    /// Which properties of compute environments have a value from a Secret, such as `sparkProperties password`. AWS does
    /// not say whether `HidePassword` hides those.
    pub from_secrets: BTreeSet<String>,
    /// `PhysicalConnectionRequirements`.
    pub physical: Option<Physical>,
    /// `AuthenticationConfiguration`.
    pub authentication: Option<Authentication>,
    /// Whether Glue validates the credentials when it creates the connection.
    pub validate_credentials: bool,
    /// The compute environments that Glue validates the properties against.
    pub validate_for: Vec<&'static str>,
}

/// The network of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Physical {
    /// The id of the subnet.
    pub subnet: Option<String>,
    /// The ids of the security groups.
    pub security_groups: Vec<String>,
    /// The availability zone.
    pub availability_zone: Option<String>,
}

/// `AuthenticationConfigurationInput`: how Glue authenticates to the data source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Authentication {
    /// The part that Glue returns as well.
    pub shown: ShownAuthentication,
    /// User and password.
    pub basic: Option<(Sensitive, Sensitive)>,
    /// The credentials of type CUSTOM, by the names that the connector expects.
    pub custom: BTreeMap<String, Sensitive>,
    /// The code of grant type AUTHORIZATION_CODE, and its redirect URI.
    pub authorization_code: Option<(Sensitive, Option<String>)>,
    /// The secret of the client application.
    pub client_secret: Option<Sensitive>,
    /// An access token.
    pub access_token: Option<Sensitive>,
    /// A refresh token.
    pub refresh_token: Option<Sensitive>,
    /// A JSON Web Token.
    pub jwt_token: Option<Sensitive>,
}

/// `AuthenticationConfiguration`, as Glue returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShownAuthentication {
    /// `BASIC`, `OAUTH2`, `CUSTOM` or `IAM`.
    pub type_: String,
    /// The ARN of a secret in AWS Secrets Manager.
    pub secret_arn: Option<String>,
    /// The ARN of the KMS key of that secret.
    pub kms_key_arn: Option<String>,
    /// The properties of type OAUTH2.
    pub oauth2: Option<OAuth2>,
}

/// `OAuth2Properties`, as Glue returns them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OAuth2 {
    /// The grant type as Glue spells it.
    pub grant_type: String,
    /// The client id of a user-managed client application.
    pub client_id: Option<String>,
    /// The reference of an AWS-managed client application.
    pub aws_managed: Option<String>,
    /// The URL of the token endpoint.
    pub token_url: Option<String>,
    /// Parameters of the token request.
    pub token_url_parameters: BTreeMap<String, String>,
}

/// A connection as Glue returns it with `HidePassword`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The name.
    pub name: String,
    /// The ARN; `None` until the account is known.
    pub arn: Option<String>,
    /// The type as Glue spells it.
    pub type_: String,
    /// The description.
    pub description: Option<String>,
    /// Criteria that select the connection.
    pub match_criteria: Vec<String>,
    /// `ConnectionProperties` without passwords, but a URL may contain one.
    pub properties: BTreeMap<String, Sensitive>,
    /// `SparkProperties`, which may contain secrets.
    pub spark: BTreeMap<String, Sensitive>,
    /// `AthenaProperties`, which may contain secrets.
    pub athena: BTreeMap<String, Sensitive>,
    /// `PythonProperties`, which may contain secrets.
    pub python: BTreeMap<String, Sensitive>,
    /// `PhysicalConnectionRequirements`.
    pub physical: Option<Physical>,
    /// `AuthenticationConfiguration`.
    pub authentication: Option<ShownAuthentication>,
    /// `READY`, `IN_PROGRESS` or `FAILED`. Connections that are older than this field have none.
    pub status: Option<String>,
    /// Glue's explanation of the status.
    pub status_reason: Option<String>,
    /// By Glue's clock.
    pub created_at: Option<Timestamp>,
    /// By Glue's clock.
    pub updated_at: Option<Timestamp>,
    /// The principal of the last update.
    pub updated_by: Option<String>,
    /// The time of the last validation, by Glue's clock.
    pub validated_at: Option<Timestamp>,
    /// The version of the connection schema.
    pub schema_version: Option<i32>,
    /// The compute environments that can use the connection, as Glue spells them.
    pub compute_environments: Vec<String>,
}

/// The outcome for one connection of a `BatchDeleteConnection`.
pub type DeleteOutcome = Result<(), crate::glue::Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_shows_no_secret() {
        let hidden = || Sensitive::new("hunter2".to_owned());
        let input = ConnectionInput {
            properties: BTreeMap::from([("PASSWORD".to_owned(), hidden())]),
            spark: BTreeMap::from([("password".to_owned(), hidden())]),
            authentication: Some(Authentication {
                basic: Some((hidden(), hidden())),
                custom: BTreeMap::from([("key".to_owned(), hidden())]),
                authorization_code: Some((hidden(), None)),
                client_secret: Some(hidden()),
                access_token: Some(hidden()),
                refresh_token: Some(hidden()),
                jwt_token: Some(hidden()),
                ..Authentication::default()
            }),
            ..ConnectionInput::default()
        };
        let (properties, spark) = (input.properties.clone(), input.spark.clone());
        let connection = Connection { properties, spark, ..Connection::default() };
        assert!(!format!("{input:?} {connection:?}").contains("hunter2"));
    }
}
