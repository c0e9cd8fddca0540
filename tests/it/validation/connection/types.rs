//! What each type of connection needs: rejected specs, each with what is missing.

use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use super::{from, jdbc};
use crate::validation::assert_rejected;

const SERVER: &str =
    "a JDBC connection needs HOST, PORT and JDBC_ENGINE, or JDBC_CONNECTION_URL, in properties or propertiesFrom";
const USER: &str = "a JDBC connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication";

#[tokio::test]
async fn a_jdbc_connection_needs_a_server_and_a_user() {
    let with = |properties: Value| json!({"connectionType": "JDBC", "properties": properties});
    assert_rejected::<GlueConnection>(vec![
        (json!({"connectionType": "JDBC"}), SERVER),
        (json!({"connectionType": "JDBC"}), USER),
        (with(json!({"SECRET_ID": "x"})), SERVER),
        (with(json!({"SECRET_ID": "x", "HOST": "db", "PORT": "5432"})), SERVER),
        (with(json!({"SECRET_ID": "x", "HOST": "db", "JDBC_ENGINE": "postgresql"})), SERVER),
        (with(json!({"SECRET_ID": "x", "PORT": "5432", "JDBC_ENGINE": "postgresql"})), SERVER),
        (json!({"connectionType": "JDBC", "propertiesFrom": from(&["SECRET_ID", "HOST"])}), SERVER),
        (with(json!({"JDBC_CONNECTION_URL": "jdbc:x"})), USER),
        (with(json!({"JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "x"})), USER),
        (json!({"connectionType": "JDBC", "propertiesFrom": from(&["JDBC_CONNECTION_URL", "PASSWORD"])}), USER),
        (
            jdbc(&json!({"propertiesFrom": from(&["ENCRYPTED_PASSWORD"])})),
            "ENCRYPTED_PASSWORD is what Glue stores where the catalog encrypts passwords: name PASSWORD in propertiesFrom, and Glue encrypts it",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_mongodb_connection_needs_a_url_and_a_user() {
    let url = "a MONGODB connection needs CONNECTION_URL in properties or propertiesFrom";
    let user = "a MONGODB connection needs USERNAME and PASSWORD (by propertiesFrom), or SECRET_ID, or authentication";
    let with = |properties: Value| json!({"connectionType": "MONGODB", "properties": properties});
    assert_rejected::<GlueConnection>(vec![
        (json!({"connectionType": "MONGODB"}), url),
        (with(json!({"SECRET_ID": "x"})), url),
        (with(json!({"JDBC_CONNECTION_URL": "x", "SECRET_ID": "x"})), url),
        (with(json!({"CONNECTION_URL": "mongodb://db:27017"})), user),
        (with(json!({"CONNECTION_URL": "mongodb://db:27017", "USERNAME": "x"})), user),
    ])
    .await;
}

#[tokio::test]
async fn a_kafka_connection_needs_bootstrap_servers_and_valid_properties() {
    let servers = "a KAFKA connection needs KAFKA_BOOTSTRAP_SERVERS in properties or propertiesFrom";
    let with = |name: &str, value: &str| json!({"connectionType": "KAFKA", "properties": {"KAFKA_BOOTSTRAP_SERVERS": "b:9092", name: value}});
    let mechanism = "KAFKA_SASL_MECHANISM is one of SCRAM-SHA-512, GSSAPI, AWS_MSK_IAM and PLAIN";
    assert_rejected::<GlueConnection>(vec![
        (json!({"connectionType": "KAFKA"}), servers),
        (json!({"connectionType": "KAFKA", "properties": {"HOST": "b", "PORT": "9092"}}), servers),
        (
            with("KAFKA_BOOTSTRAP_SERVERS", "b-1,b-2"),
            "KAFKA_BOOTSTRAP_SERVERS is a list of host:port, separated by commas",
        ),
        (with("KAFKA_SASL_MECHANISM", "SCRAM-SHA-256"), mechanism),
        (
            with("KAFKA_SASL_SCRAM_SECRETS_ARN", "kafka/scram"),
            "KAFKA_SASL_SCRAM_SECRETS_ARN is the ARN of a secret in AWS Secrets Manager",
        ),
        (
            with("KAFKA_CLIENT_KEYSTORE", "keys/x.jks"),
            "these are locations in S3, such as s3://bucket/key: JDBC_DRIVER_JAR_URI, CUSTOM_JDBC_CERT, KAFKA_CUSTOM_CERT, KAFKA_CLIENT_KEYSTORE, KAFKA_SASL_GSSAPI_KEYTAB, KAFKA_SASL_GSSAPI_KRB5_CONF",
        ),
        (
            with("KAFKA_SSL_ENABLED", "yes"),
            "these are either true or false: JDBC_ENFORCE_SSL, SKIP_CUSTOM_JDBC_CERT_VALIDATION, KAFKA_SSL_ENABLED, KAFKA_SKIP_CUSTOM_CERT_VALIDATION",
        ),
    ])
    .await;
}

#[tokio::test]
async fn network_connector_salesforce_and_sftp_connections_are_checked_by_type() {
    let place = "a NETWORK connection needs physicalRequirements: the subnet and the security groups";
    let market = "a MARKETPLACE connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom";
    let custom = "a CUSTOM connection needs CONNECTOR_TYPE, CONNECTOR_URL and CONNECTOR_CLASS_NAME in properties or propertiesFrom";
    let connector = |type_: &str| json!({"connectionType": type_, "properties": {"CONNECTOR_TYPE": "Jdbc", "CONNECTOR_URL": "x", "CONNECTOR_CLASS_NAME": "x"}});
    let mut cases = vec![
        (json!({"connectionType": "NETWORK"}), place),
        (json!({"connectionType": "NETWORK", "physicalRequirements": {}}), place),
        (json!({"connectionType": "NETWORK", "properties": {"HOST": "db"}}), place),
        (json!({"connectionType": "MARKETPLACE"}), market),
        (json!({"connectionType": "CUSTOM"}), custom),
        (json!({"connectionType": "SALESFORCE"}), "a SALESFORCE connection needs authentication"),
        (json!({"connectionType": "SFTP"}), "Glue does not support connections of type SFTP"),
    ];
    for missing in ["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME"] {
        for (type_, message) in [("MARKETPLACE", market), ("CUSTOM", custom)] {
            let mut spec = connector(type_);
            spec["properties"].as_object_mut().expect("properties").remove(missing);
            cases.push((spec, message));
        }
    }
    assert_rejected::<GlueConnection>(cases).await;
}

#[tokio::test]
async fn a_snowflake_connection_is_of_version_2_or_has_its_settings_in_json() {
    let with = |properties: Value| json!({"connectionType": "SNOWFLAKE", "properties": properties});
    let spark = |value: &str| with(json!({"SparkProperties": value}));
    let settings = "a SNOWFLAKE connection needs authentication, or SparkProperties or PythonProperties in properties as a JSON object: sparkProperties and pythonProperties do not count";
    let object =
        "SparkProperties and PythonProperties in properties are JSON objects, each in a string that begins with {";
    let url =
        "sfUrl in SparkProperties is the URL of a Snowflake account, such as https://account.snowflakecomputing.com";
    assert_rejected::<GlueConnection>(vec![
        (json!({"connectionType": "SNOWFLAKE"}), settings),
        (json!({"connectionType": "SNOWFLAKE", "sparkProperties": {"secretId": "s"}}), settings),
        (json!({"connectionType": "SNOWFLAKE", "pythonProperties": {"account": "a"}}), settings),
        (with(json!({"SECRET_ID": "s"})), settings),
        (
            with(json!({"HOST": "a", "SparkProperties": "{}"})),
            "a SNOWFLAKE connection without authentication has no HOST: name the account by sfUrl in SparkProperties",
        ),
        (
            with(json!({"AthenaProperties": "{}", "SparkProperties": "{}"})),
            "a SNOWFLAKE connection has no AthenaProperties in properties: use athenaProperties",
        ),
        (spark("secretId=s"), object),
        (with(json!({"PythonProperties": "[]"})), object),
        (spark(r#"{"sfUrl": "https://a.snowflakecomputing.example.com"}"#), url),
        (spark(r#"{"sfUrl":"a"}"#), url),
    ])
    .await;
}
