//! The Connection API page of the Glue developer guide, sentence by sentence, with the part of the CRD that enforces
//! it. Repeated sentences are listed once.

use serde_json::{Value, json};

use crate::validation::{crd, rule_messages};

/// The part of the CRD for a sentence.
enum Enforcement {
    /// A CEL rule, by its message.
    Rule(&'static str),
    /// A keyword in the schema of a field of the spec: path, keyword and value.
    Spec(&'static str, &'static str, Value),
    /// The existence of a field of the spec.
    Field(&'static str),
    /// The existence of a field of the status.
    Status(&'static str),
    /// The name is one of the known properties.
    Property,
    /// Nothing in the CRD, for this reason.
    None(&'static str),
}
use Enforcement::{Field, None, Property, Rule, Spec, Status};

const URLS_WITHOUT_PASSWORD: &str = "the URL contains a password: set PASSWORD or the whole URL in propertiesFrom";
const NO_PASSWORD: &str = "a password, secret, token or key does not belong in properties, where everybody can read it: put it into a Secret and name that in propertiesFrom";
const SERVER: &str =
    "a JDBC connection needs HOST, PORT and JDBC_ENGINE, or JDBC_CONNECTION_URL, in properties or propertiesFrom";
const JDBC_USER: &str =
    "a JDBC connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication";
const BOOLEANS: &str = "these are either true or false: JDBC_ENFORCE_SSL, SKIP_CUSTOM_JDBC_CERT_VALIDATION, KAFKA_SSL_ENABLED, KAFKA_SKIP_CUSTOM_CERT_VALIDATION";
const ON_S3: &str = "these are locations in S3, such as s3://bucket/key: JDBC_DRIVER_JAR_URI, CUSTOM_JDBC_CERT, KAFKA_CUSTOM_CERT, KAFKA_CLIENT_KEYSTORE, KAFKA_SASL_GSSAPI_KEYTAB, KAFKA_SASL_GSSAPI_KRB5_CONF";
const MECHANISM: &str = "KAFKA_SASL_MECHANISM is one of SCRAM-SHA-512, GSSAPI, AWS_MSK_IAM and PLAIN";
const CONNECTOR: &str = "a MARKETPLACE connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom";
const SINGLE_LINE: &str = r"^[^\x00-\x08\x0A-\x1F]+$";

/// The sentences about properties. Each begins with the name of its property.
fn properties() -> Vec<(&'static str, Enforcement)> {
    vec![
        ("HOST - The host URI: either the fully qualified domain name (FQDN) or the IPv4 address", Property),
        (
            "PORT - The port number, between 1024 and 65535, of the port on which the database host is listening",
            Rule("PORT of a JDBC connection is a number from 1024 to 65535"),
        ),
        ("USERNAME - The name under which to log in to the database", Property),
        ("USER_NAME - USERNAME=\"USER_NAME\" among the valid values", Rule("Glue's name for the user is USERNAME")),
        ("PASSWORD - A password, if one is used, for the user name", Rule(NO_PASSWORD)),
        (
            "ENCRYPTED_PASSWORD - stores the encrypted password when ConnectionPasswordEncryption is enabled",
            Rule(
                "ENCRYPTED_PASSWORD is what Glue stores where the catalog encrypts passwords: name PASSWORD in propertiesFrom, and Glue encrypts it",
            ),
        ),
        ("JDBC_DRIVER_JAR_URI - The Amazon S3 path of the JAR file that contains the JDBC driver", Rule(ON_S3)),
        ("JDBC_DRIVER_CLASS_NAME - The class name of the JDBC driver to use", Property),
        ("JDBC_ENGINE - The name of the JDBC engine to use", Property),
        ("JDBC_ENGINE_VERSION - The version of the JDBC engine to use", Property),
        ("CONFIG_FILES - (Reserved for future use.)", Property),
        ("INSTANCE_ID - The instance ID to use", Property),
        ("JDBC_CONNECTION_URL - The URL for connecting to a JDBC data source", Rule(URLS_WITHOUT_PASSWORD)),
        ("JDBC_ENFORCE_SSL - A Boolean string (true, false). The default is false", Rule(BOOLEANS)),
        ("CUSTOM_JDBC_CERT - An Amazon S3 location specifying the customer's root certificate", Rule(ON_S3)),
        ("SKIP_CUSTOM_JDBC_CERT_VALIDATION - By default, this is false", Rule(BOOLEANS)),
        ("CUSTOM_JDBC_CERT_STRING - used for domain match or distinguished name match", Property),
        ("CONNECTION_URL - The URL for connecting to a general (non-JDBC) data source", Rule(URLS_WITHOUT_PASSWORD)),
        ("SECRET_ID - The secret ID used for the secret manager of credentials", Property),
        ("CONNECTOR_URL - The connector URL for a MARKETPLACE or CUSTOM connection", Property),
        ("CONNECTOR_TYPE - The connector type for a MARKETPLACE or CUSTOM connection", Property),
        ("CONNECTOR_CLASS_NAME - The connector class name for a MARKETPLACE or CUSTOM connection", Property),
        (
            "KAFKA_BOOTSTRAP_SERVERS - A comma-separated list of host and port pairs",
            Rule("KAFKA_BOOTSTRAP_SERVERS is a list of host:port, separated by commas"),
        ),
        ("KAFKA_SSL_ENABLED - Whether to enable or disable SSL. Default value is \"true\"", Rule(BOOLEANS)),
        ("KAFKA_CUSTOM_CERT - The Amazon S3 URL for the private CA cert file (.pem format)", Rule(ON_S3)),
        ("KAFKA_SKIP_CUSTOM_CERT_VALIDATION - Default value is \"false\"", Rule(BOOLEANS)),
        ("KAFKA_CLIENT_KEYSTORE - The Amazon S3 location of the client keystore file", Rule(ON_S3)),
        ("KAFKA_CLIENT_KEYSTORE_PASSWORD - The password to access the provided keystore", Rule(NO_PASSWORD)),
        ("KAFKA_CLIENT_KEY_PASSWORD - the password to access the client key", Rule(NO_PASSWORD)),
        (
            "ENCRYPTED_KAFKA_CLIENT_KEYSTORE_PASSWORD - The encrypted version of the keystore password",
            Rule(NO_PASSWORD),
        ),
        ("ENCRYPTED_KAFKA_CLIENT_KEY_PASSWORD - The encrypted version of the client key password", Rule(NO_PASSWORD)),
        ("KAFKA_SASL_MECHANISM - \"SCRAM-SHA-512\", \"GSSAPI\", \"AWS_MSK_IAM\", or \"PLAIN\"", Rule(MECHANISM)),
        ("KAFKA_SASL_PLAIN_USERNAME - A plaintext username used with the \"PLAIN\" mechanism", Property),
        ("KAFKA_SASL_PLAIN_PASSWORD - A plaintext password used with the \"PLAIN\" mechanism", Rule(NO_PASSWORD)),
        ("ENCRYPTED_KAFKA_SASL_PLAIN_PASSWORD - The encrypted version of it", Rule(NO_PASSWORD)),
        ("KAFKA_SASL_SCRAM_USERNAME - A plaintext username used with the \"SCRAM-SHA-512\" mechanism", Property),
        (
            "KAFKA_SASL_SCRAM_PASSWORD - A plaintext password used with the \"SCRAM-SHA-512\" mechanism",
            Rule(NO_PASSWORD),
        ),
        ("ENCRYPTED_KAFKA_SASL_SCRAM_PASSWORD - The encrypted version of it", Rule(NO_PASSWORD)),
        (
            "KAFKA_SASL_SCRAM_SECRETS_ARN - The Amazon Resource Name of a secret in AWS Secrets Manager",
            Rule("KAFKA_SASL_SCRAM_SECRETS_ARN is the ARN of a secret in AWS Secrets Manager"),
        ),
        ("KAFKA_SASL_GSSAPI_KEYTAB - The S3 location of a Kerberos keytab file", Rule(ON_S3)),
        ("KAFKA_SASL_GSSAPI_KRB5_CONF - The S3 location of a Kerberos krb5.conf file", Rule(ON_S3)),
        ("KAFKA_SASL_GSSAPI_SERVICE - The Kerberos service name", Property),
        ("KAFKA_SASL_GSSAPI_PRINCIPAL - The name of the Kerberos principal used by AWS Glue", Property),
        ("ROLE_ARN - The role to be used for running queries", Rule("ROLE_ARN is the ARN of a role")),
        ("REGION - The AWS Region where queries will be run", Property),
        ("WORKGROUP_NAME - The name of a Redshift serverless workgroup or Athena workgroup", Property),
        ("CLUSTER_IDENTIFIER - The cluster identifier of an Amazon Redshift cluster", Property),
        ("DATABASE - The Amazon Redshift database that you are connecting to", Property),
    ]
}

/// All other sentences, in the order of the page.
#[expect(clippy::too_many_lines, reason = "it is one table")]
fn sentences() -> Vec<(&'static str, Enforcement)> {
    let optional = || None("optional properties need no rule, and their names are known");
    vec![
        ("Name - not less than 1 ...", Spec("connectionName", "minLength", json!(1))),
        ("... or more than 255 bytes long", Spec("connectionName", "maxLength", json!(255))),
        ("matching the Single-line string pattern", Spec("connectionName", "pattern", json!(SINGLE_LINE))),
        ("Description - not more than 2048 bytes long", Spec("description", "maxLength", json!(2048))),
        (
            "matching the URI address multi-line string pattern",
            Spec("description", "pattern", json!(r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]*$")),
        ),
        ("ConnectionType - Required", Spec("", "required", json!(["connectionType"]))),
        ("valid values: JDBC | SFTP | ... | VIEW_VALIDATION_ATHENA", None("an open list: Glue has more types by now")),
        ("Currently, SFTP is not supported", Rule("Glue does not support connections of type SFTP")),
        ("MatchCriteria - not more than 10 strings", Spec("matchCriteria", "maxItems", json!(10))),
        ("ConnectionProperties - not more than 100 pairs", Spec("properties", "maxProperties", json!(100))),
        ("the same", Rule("Glue takes 100 properties at most, those of propertiesFrom included")),
        (
            "Each key is a UTF-8 string (valid values: ...)",
            None("others work as well: the condition UnknownProperties warns of them"),
        ),
        ("Each value is a Value string, not more than 1024 bytes long", Spec("properties.*", "maxLength", json!(1024))),
        ("CreationTime", Status("createdAt")),
        ("LastUpdatedTime", Status("lastUpdatedAt")),
        (
            "LastUpdatedBy - The user, group, or role that last updated this connection definition",
            Status("lastUpdatedBy"),
        ),
        ("Status - Can be one of: READY, IN_PROGRESS, or FAILED", Status("state")),
        ("StatusReason - The reason for the connection status", Status("stateReason")),
        ("LastConnectionValidationTime", Status("lastValidatedAt")),
        ("JDBC - Required: All of (HOST, PORT, JDBC_ENGINE) or JDBC_CONNECTION_URL", Rule(SERVER)),
        ("JDBC - Required: All of (USERNAME, PASSWORD) or SECRET_ID", Rule(JDBC_USER)),
        ("JDBC - Optional: JDBC_ENFORCE_SSL, CUSTOM_JDBC_CERT, ...", optional()),
        (
            "KAFKA - Required: KAFKA_BOOTSTRAP_SERVERS",
            Rule("a KAFKA connection needs KAFKA_BOOTSTRAP_SERVERS in properties or propertiesFrom"),
        ),
        ("KAFKA - Optional: KAFKA_SSL_ENABLED, ..., KAFKA_CLIENT_KEYSTORE, ..., KAFKA_SASL_...", optional()),
        ("KAFKA_SASL_MECHANISM. Can be specified as SCRAM-SHA-512, GSSAPI, or AWS_MSK_IAM", Rule(MECHANISM)),
        (
            "MONGODB - Required: CONNECTION_URL",
            Rule("a MONGODB connection needs CONNECTION_URL in properties or propertiesFrom"),
        ),
        (
            "MONGODB - Required: All of (USERNAME, PASSWORD) or SECRET_ID",
            Rule(
                "a MONGODB connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication",
            ),
        ),
        (
            "SALESFORCE - Requires the AuthenticationConfiguration member to be configured",
            Rule("a SALESFORCE connection needs authentication"),
        ),
        (
            "VIEW_VALIDATION_REDSHIFT / VIEW_VALIDATION_ATHENA - used for view validation",
            None("the page requires nothing"),
        ),
        (
            "NETWORK Connections do not require ConnectionParameters. Instead, provide a PhysicalConnectionRequirements",
            Rule("a NETWORK connection needs physicalRequirements: the subnet and the security groups"),
        ),
        (
            "MARKETPLACE - Required: CONNECTOR_TYPE, CONNECTOR_URL, CONNECTOR_CLASS_NAME, CONNECTION_URL",
            // CreateConnection was seen to accept it without CONNECTION_URL and credentials.
            Rule(CONNECTOR),
        ),
        (
            "MARKETPLACE - Required for JDBC CONNECTOR_TYPE connections: All of (USERNAME, PASSWORD) or SECRET_ID",
            None("CreateConnection was seen to accept it without credentials"),
        ),
        (
            "CUSTOM - Uses configuration settings contained in a custom connector",
            Rule(
                "a CUSTOM connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom",
            ),
        ),
        ("ConnectionProperties - Required", None("an absent map is sent as an empty one")),
        ("PhysicalConnectionRequirements", Field("physicalRequirements")),
        ("AuthenticationConfiguration - The authentication properties of the connection", Field("authentication")),
        (
            "ValidateCredentials - A flag to validate the credentials during create connection. Default is true",
            Spec("validateCredentials", "type", json!("boolean")),
        ),
        (
            "TestConnectionInput - only available for the JDBC or SALESFORCE connection types",
            Rule("Glue tests connections of type JDBC, SALESFORCE and newer ones only: remove test"),
        ),
        (
            "SubnetId - not less than 1 or more than 255 bytes long",
            Spec("physicalRequirements.subnetId", "maxLength", json!(255)),
        ),
        (
            "SecurityGroupIdList - not more than 50 strings",
            Spec("physicalRequirements.securityGroupIds", "maxItems", json!(50)),
        ),
        (
            "AvailabilityZone - not less than 1 or more than 255 bytes long",
            Spec("physicalRequirements.availabilityZone", "maxLength", json!(255)),
        ),
        (
            "Connections used for creating federated resources require the IAM glue:PassConnection permission",
            None("the IAM policy of whoever uses the connection"),
        ),
        ("CatalogId - not less than 1 or more than 255 bytes long", Spec("catalogId", "maxLength", json!(255))),
        ("If none is provided, the AWS account ID is used by default", Field("catalogId")),
        ("Tags - not more than 50 pairs", Spec("tags", "maxProperties", json!(50))),
        (
            "Each key is a UTF-8 string, not less than 1 or more than 128 bytes long",
            Rule("tag keys must have 1 to 128 characters and not begin with aws:, which AWS reserves"),
        ),
        ("Each value is a UTF-8 string, not more than 256 bytes long", Spec("tags.*", "maxLength", json!(256))),
        (
            "The name of the connection definition to update",
            Rule("connectionName cannot be changed: Glue cannot move a connection, create another object"),
        ),
        (
            "HidePassword - retrieve the connection metadata without returning the password",
            None("always sent; every test checks that no read lacks it"),
        ),
        ("MaxResults - not less than 1 or more than 1000; NextToken", None("the poller pages")),
        ("Providing both at the same time will cause an error", None("one or the other is sent, never both")),
        ("ConnectionNameList - not more than 25 strings", None("deletions are sent in batches of 25")),
        (
            "Errors - A map of the names of connections that were not successfully deleted",
            None("each object gets its own error"),
        ),
        (
            "AuthenticationType - valid values: BASIC | OAUTH2 | CUSTOM",
            Spec("authentication.type", "enum", json!(["BASIC", "OAUTH2", "CUSTOM", "IAM"])),
        ),
        (
            "SecretArn - matching the Custom string pattern #11",
            Spec(
                "authentication.secretArn",
                "pattern",
                json!("^arn:aws(-(cn|us-gov|iso(-[bef])?))?:secretsmanager:.*$"),
            ),
        ),
        ("OAuth2Properties - The properties for OAuth2 authentication", Rule("OAUTH2 needs oauth2 with a grantType")),
        (
            "OAuth2GrantType - AUTHORIZATION_CODE | CLIENT_CREDENTIALS | JWT_BEARER",
            Spec(
                "authentication.oauth2.grantType",
                "enum",
                json!(["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS", "JWT_BEARER", "REFRESH_TOKEN"]),
            ),
        ),
        (
            "OAuth2ClientApplication - for example, AWS_MANAGED or USER_MANAGED",
            Rule("name exactly one of userManagedClientId and awsManagedReference"),
        ),
        ("TokenUrl - not more than 256 bytes long", Spec("authentication.oauth2.tokenUrl", "maxLength", json!(256))),
        (
            "TokenUrlParametersMap - Each key ... not less than 1 or more than 128 bytes long",
            Rule(
                "parameter names must have 1 to 128 characters and not denote a secret: use clientSecretSecretRef for a client secret, and the token's own field for a token",
            ),
        ),
        (
            "Each value is ... not less than 1 or more than 512 bytes long",
            Spec("authentication.oauth2.tokenUrlParameters.*", "maxLength", json!(512)),
        ),
        (
            "AuthorizationCodeProperties - required for the OAuth2 AUTHORIZATION_CODE grant type",
            Rule("AUTHORIZATION_CODE needs oauth2.authorizationCode, or secretArn"),
        ),
        (
            "UserManagedClientApplicationClientId - not more than 2048 bytes long",
            Spec("authentication.oauth2.clientApplication.userManagedClientId", "maxLength", json!(2048)),
        ),
        (
            "AWSManagedClientApplicationReference - not more than 2048 bytes long",
            Spec("authentication.oauth2.clientApplication.awsManagedReference", "maxLength", json!(2048)),
        ),
        (
            "AuthorizationCode - not less than 1 or more than 4096 bytes long",
            None("it comes from a Secret, and its length is checked when that is read"),
        ),
        (
            "This is a single-use code which becomes invalid once exchanged",
            Rule("a test beforeCreate would use up the authorization code, which can be used once: remove one of them"),
        ),
        (
            "RedirectUri - not more than 512 bytes long",
            Spec("authentication.oauth2.authorizationCode.redirectUri", "maxLength", json!(512)),
        ),
    ]
}

/// The schema of the field at a path such as `a.b`; `*` is for the values of a map.
fn field<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').filter(|step| !step.is_empty()).fold(schema, |schema, step| match step {
        "*" => &schema["additionalProperties"],
        step => &schema["properties"][step],
    })
}

#[test]
fn every_sentence_of_the_page_is_enforced_or_explained() {
    let messages = rule_messages("GlueConnection");
    let crd = crd("GlueConnection");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let known = kube_glue::api::connection::properties::KNOWN;
    for (sentence, enforcement) in properties().into_iter().chain(sentences()) {
        match enforcement {
            Rule(message) => assert!(messages.iter().any(|one| one == message), "{sentence}: no rule {message:?}"),
            Spec(path, keyword, value) => {
                assert_eq!(field(&schema["spec"], path)[keyword], value, "{sentence}: {path}: {keyword}");
            }
            Field(path) => assert!(field(&schema["spec"], path).is_object(), "{sentence}: {path}"),
            Status(path) => assert!(field(&schema["status"], path).is_object(), "{sentence}: {path}"),
            Property => {}
            None(why) => assert!(!why.is_empty(), "{sentence}"),
        }
    }
    for (sentence, _) in properties() {
        let (name, _) = sentence.split_once(" - ").expect("a name");
        assert!(known.contains(&name) || name == "USER_NAME", "{name} is not known");
    }
    // USER_NAME is no property; ENDPOINT and ENDPOINT_TYPE are newer than the page.
    assert_eq!(known.len(), properties().len() - 1 + 2);
}
