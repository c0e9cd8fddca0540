//! Glue's connections in our own words: what is asked for, and what is seen. What may hold a secret is
//! [`Sensitive`], so that no log or error shows it.

pub mod source;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::glue::identity::Sensitive;

/// The most connections that one page of `GetConnections` holds (Glue API reference, `GetConnections`:
/// `MaxResults` 1 to 1000). A page is kept smaller than that, since each connection may be some 100 KB.
pub const PAGE: i32 = 200;

/// The most connections that one `BatchDeleteConnection` deletes (Glue API reference, `BatchDeleteConnection`).
pub const DELETE_BATCH: usize = 25;

/// What `CreateConnection`, `UpdateConnection` and `TestConnection` are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ConnectionInput {
    /// The name.
    pub name: String,
    /// Glue's word for the type.
    pub type_: String,
    /// Words for people.
    pub description: Option<String>,
    /// Criteria by which it can be selected.
    pub match_criteria: Vec<String>,
    /// ConnectionProperties, those from Secrets included.
    pub properties: BTreeMap<String, Sensitive>,
    /// Properties for Spark.
    pub spark: BTreeMap<String, String>,
    /// Properties for Athena.
    pub athena: BTreeMap<String, String>,
    /// Properties for Python.
    pub python: BTreeMap<String, String>,
    /// Where in a VPC it is made from.
    pub physical: Option<Physical>,
    /// How Glue authenticates itself.
    pub authentication: Option<Authentication>,
    /// Whether Glue validates the credentials when it creates the connection.
    pub validate_credentials: bool,
    /// The compute environments that Glue validates the properties against.
    pub validate_for: Vec<&'static str>,
}

/// Where in a VPC a connection is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Physical {
    /// The subnet.
    pub subnet: Option<String>,
    /// The security groups.
    pub security_groups: Vec<String>,
    /// The availability zone.
    pub availability_zone: Option<String>,
}

/// How Glue authenticates itself, with all that it needs for that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Authentication {
    /// What Glue shows of it, too.
    pub shown: ShownAuthentication,
    /// User and password.
    pub basic: Option<(Sensitive, Sensitive)>,
    /// What the connector asks for.
    pub custom: BTreeMap<String, Sensitive>,
    /// The code of AUTHORIZATION_CODE, and where it was sent to.
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

/// What Glue shows of how it authenticates itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShownAuthentication {
    /// Glue's word for the way of it.
    pub type_: String,
    /// A secret of AWS Secrets Manager.
    pub secret_arn: Option<String>,
    /// The KMS key of that.
    pub kms_key_arn: Option<String>,
    /// For OAUTH2.
    pub oauth2: Option<OAuth2>,
}

/// What Glue shows of how a token is had.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OAuth2 {
    /// Glue's word for the grant type.
    pub grant_type: String,
    /// The client id of an application of one's own.
    pub client_id: Option<String>,
    /// An application that AWS manages.
    pub aws_managed: Option<String>,
    /// The URL that gives tokens.
    pub token_url: Option<String>,
    /// Parameters of the request for a token.
    pub token_url_parameters: BTreeMap<String, String>,
}

/// A connection as Glue shows it with `HidePassword`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// The name.
    pub name: String,
    /// The ARN, once AWS has said which account this is.
    pub arn: Option<String>,
    /// Glue's word for the type.
    pub type_: String,
    /// Words for people.
    pub description: Option<String>,
    /// Criteria by which it can be selected.
    pub match_criteria: Vec<String>,
    /// ConnectionProperties, without passwords; a URL may hold one all the same.
    pub properties: BTreeMap<String, Sensitive>,
    /// Properties for Spark.
    pub spark: BTreeMap<String, String>,
    /// Properties for Athena.
    pub athena: BTreeMap<String, String>,
    /// Properties for Python.
    pub python: BTreeMap<String, String>,
    /// Where in a VPC it is made from.
    pub physical: Option<Physical>,
    /// How Glue authenticates itself.
    pub authentication: Option<ShownAuthentication>,
    /// `READY`, `IN_PROGRESS` or `FAILED`, in Glue's own word; absent for connections from before there were any.
    pub status: Option<String>,
    /// Glue's words about that.
    pub status_reason: Option<String>,
    /// By Glue's clock.
    pub created_at: Option<Timestamp>,
    /// By Glue's clock.
    pub updated_at: Option<Timestamp>,
    /// Who changed it last.
    pub updated_by: Option<String>,
    /// When Glue validated it last.
    pub validated_at: Option<Timestamp>,
    /// The version of Glue's schema for it.
    pub schema_version: Option<i32>,
}

/// What became of one connection in a `BatchDeleteConnection`.
pub type DeleteAnswer = Result<(), crate::glue::Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_output_shows_a_secret() {
        let hidden = || Sensitive::new("hunter2".to_owned());
        let input = ConnectionInput {
            properties: BTreeMap::from([("PASSWORD".to_owned(), hidden())]),
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
        let seen = Connection { properties: input.properties.clone(), ..Connection::default() };
        assert!(!format!("{input:?} {seen:?}").contains("hunter2"));
    }
}
