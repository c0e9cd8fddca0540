//! Accepted specs.

use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use super::{from, jdbc};
use crate::harness::merged;
use crate::validation::{assert_accepted, long};

/// A reference to this key of the Secret `db`.
fn secret_key(name: &str) -> Value {
    json!({"name": "db", "key": name})
}

#[tokio::test]
async fn valid_specs_are_accepted() {
    let many: serde_json::Map<_, _> = (0..100).map(|n| (format!("P{n}"), json!("x"))).collect();
    let criteria: Vec<_> = (0..10).map(|n| format!("c{n}")).collect();
    let groups: Vec<_> = (0..50).map(|n| format!("sg-{n}")).collect();
    let tags: serde_json::Map<_, _> = (0..50).map(|n| (format!("tag {n}"), json!(""))).collect();
    let kafka = json!({"KAFKA_BOOTSTRAP_SERVERS": "b-1.example.com:9094, b-2.example.com:9094"});
    let connector =
        json!({"CONNECTOR_TYPE": "Spark", "CONNECTOR_URL": "s3://jars/x.jar", "CONNECTOR_CLASS_NAME": "x.Y"});
    let salesforce = |authentication: Value| json!({"connectionType": "SALESFORCE", "authentication": authentication});
    let specs = [
        jdbc(&json!({})),
        // All required properties may come from Secrets.
        json!({"connectionType": "JDBC", "propertiesFrom": from(&["HOST", "PORT", "JDBC_ENGINE", "USERNAME", "PASSWORD"])}),
        json!({"connectionType": "JDBC", "propertiesFrom": from(&["JDBC_CONNECTION_URL", "SECRET_ID"])}),
        json!({"connectionType": "JDBC", "properties": {"HOST": "db", "PORT": "1024", "JDBC_ENGINE": "postgresql", "SECRET_ID": "db"}}),
        json!({"connectionType": "JDBC", "properties": {"HOST": "db", "PORT": "65535", "JDBC_ENGINE": "postgresql", "USERNAME": "x"}, "propertiesFrom": from(&["PASSWORD"])}),
        // With authentication, it is a connection of version 2.
        json!({"connectionType": "JDBC", "properties": {"HOST": "db", "PORT": "443", "JDBC_ENGINE": "postgresql"}, "authentication": {"type": "IAM"}}),
        json!({"connectionType": "POSTGRESQL", "properties": {"PORT": "1"}}),
        json!({"connectionType": "JDBC", "properties": {"JDBC_CONNECTION_URL": "jdbc:sqlserver://db:1433;databaseName=x"}, "authentication": {"type": "BASIC", "secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:x"}}),
        jdbc(
            &json!({"properties": {"JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "x", "JDBC_ENFORCE_SSL": "True", "SKIP_CUSTOM_JDBC_CERT_VALIDATION": "false", "CUSTOM_JDBC_CERT": "s3://certs/ca.pem", "CUSTOM_JDBC_CERT_STRING": "db.example.com", "JDBC_DRIVER_JAR_URI": "s3://jars/x.jar", "JDBC_DRIVER_CLASS_NAME": "x.Y", "JDBC_ENGINE_VERSION": "16", "INSTANCE_ID": "db-1", "CONFIG_FILES": "x"}}),
        ),
        json!({"connectionType": "KAFKA", "properties": kafka}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka.clone(), json!({"KAFKA_SSL_ENABLED": "true", "KAFKA_CUSTOM_CERT": "s3://certs/ca.pem", "KAFKA_SKIP_CUSTOM_CERT_VALIDATION": "false", "KAFKA_CLIENT_KEYSTORE": "s3://keys/x.jks"})), "propertiesFrom": from(&["KAFKA_CLIENT_KEYSTORE_PASSWORD", "KAFKA_CLIENT_KEY_PASSWORD"])}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka.clone(), json!({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_SCRAM_USERNAME": "x"})), "propertiesFrom": from(&["KAFKA_SASL_SCRAM_PASSWORD"])}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka.clone(), json!({"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_SCRAM_SECRETS_ARN": "arn:aws:secretsmanager:x"}))}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka.clone(), json!({"KAFKA_SASL_MECHANISM": "GSSAPI", "KAFKA_SASL_GSSAPI_KEYTAB": "s3://k/keytab", "KAFKA_SASL_GSSAPI_KRB5_CONF": "s3://k/krb5.conf", "KAFKA_SASL_GSSAPI_SERVICE": "kafka", "KAFKA_SASL_GSSAPI_PRINCIPAL": "glue@EXAMPLE.COM"}))}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka.clone(), json!({"KAFKA_SASL_MECHANISM": "PLAIN", "KAFKA_SASL_PLAIN_USERNAME": "x"})), "propertiesFrom": from(&["KAFKA_SASL_PLAIN_PASSWORD"])}),
        json!({"connectionType": "KAFKA", "properties": merged(kafka, json!({"KAFKA_SASL_MECHANISM": "AWS_MSK_IAM"}))}),
        json!({"connectionType": "MONGODB", "properties": {"CONNECTION_URL": "mongodb://db.example.com:27017/x", "SECRET_ID": "db"}}),
        json!({"connectionType": "MONGODB", "propertiesFrom": from(&["CONNECTION_URL", "USERNAME", "PASSWORD"])}),
        json!({"connectionType": "NETWORK", "physicalRequirements": {"subnetId": "subnet-1", "securityGroupIds": ["sg-1"], "availabilityZone": "eu-west-1a"}}),
        json!({"connectionType": "MARKETPLACE", "properties": connector}),
        json!({"connectionType": "MARKETPLACE", "properties": merged(connector.clone(), json!({"CONNECTOR_TYPE": "Jdbc"}))}),
        json!({"connectionType": "CUSTOM", "properties": connector}),
        json!({"connectionType": "CUSTOM", "propertiesFrom": from(&["CONNECTOR_TYPE", "CONNECTOR_URL", "CONNECTOR_CLASS_NAME", "JDBC_CONNECTION_URL"])}),
        // Published examples have CONNECTION_TYPE in place of CONNECTOR_TYPE.
        json!({"connectionType": "CUSTOM", "properties": {"CONNECTION_TYPE": "Jdbc", "CONNECTOR_URL": "s3://jars/x.jar", "CONNECTOR_CLASS_NAME": "x.Y"}}),
        json!({"connectionType": "CUSTOM", "properties": {"CONNECTION_TYPE": "Salesforce"}, "propertiesFrom": from(&["CLIENT_SECRET", "REFRESH_TOKEN"])}),
        // Properties that are not documented may be read all the same.
        jdbc(
            &json!({"properties": {"JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "x", "VPC": "vpc-1", "JDBC_URL": "x"}}),
        ),
        jdbc(&json!({"propertiesFrom": from(&["PASSWORD", "JDBC_ENGIN"])})),
        json!({"connectionType": "VIEW_VALIDATION_REDSHIFT", "properties": {"CLUSTER_IDENTIFIER": "x", "DATABASE": "dev", "ROLE_ARN": "arn:aws:iam::123456789012:role/x", "REGION": "eu-west-1"}}),
        json!({"connectionType": "VIEW_VALIDATION_ATHENA", "properties": {"WORKGROUP_NAME": "primary"}}),
        salesforce(
            json!({"type": "OAUTH2", "oauth2": {"grantType": "AUTHORIZATION_CODE", "clientApplication": {"awsManagedReference": "x"}, "tokenUrl": "https://login.salesforce.com/services/oauth2/token", "tokenUrlParameters": {"audience": "x"}, "authorizationCode": {"codeSecretRef": secret_key("code"), "redirectUri": "https://example.com/callback"}}}),
        ),
        salesforce(
            json!({"type": "OAUTH2", "secretArn": "arn:aws:secretsmanager:x", "oauth2": {"grantType": "AUTHORIZATION_CODE"}}),
        ),
        salesforce(
            json!({"type": "OAUTH2", "kmsKeyArn": "arn:aws:kms:x", "oauth2": {"grantType": "CLIENT_CREDENTIALS", "clientApplication": {"userManagedClientId": "x"}, "clientSecretSecretRef": secret_key("secret")}}),
        ),
        salesforce(
            json!({"type": "OAUTH2", "oauth2": {"grantType": "JWT_BEARER", "jwtTokenSecretRef": secret_key("jwt")}}),
        ),
        salesforce(json!({"type": "BASIC", "basic": {"username": "x", "passwordSecretRef": secret_key("password")}})),
        salesforce(
            json!({"type": "BASIC", "basic": {"usernameSecretRef": secret_key("user"), "passwordSecretRef": secret_key("password")}}),
        ),
        salesforce(json!({"type": "CUSTOM", "custom": [{"name": "api key", "secretKeyRef": secret_key("key")}]})),
        salesforce(json!({"type": "IAM"})),
        // Types newer than the page: Glue itself checks their requirements.
        json!({"connectionType": "POSTGRESQL", "properties": many, "sparkProperties": {"a": long(2048)}, "athenaProperties": {long(128): "x"}, "pythonProperties": {"secret_id": "x"}}),
        json!({"connectionType": "SNOWFLAKE_2030", "properties": {"SECRET_ID": "x", "TOKEN_URL": "https://example.com", "sfWarehouse": "x"}, "test": {}}),
        jdbc(
            &json!({"connectionName": "Bestellungen (neu)", "description": "one\ntwo", "matchCriteria": criteria, "physicalRequirements": {"securityGroupIds": groups}, "tags": tags}),
        ),
        jdbc(
            &json!({"connectionName": long(255), "catalogId": "123456789012", "description": long(2048), "tags": {long(128): long(256)}}),
        ),
        jdbc(&json!({"validateCredentials": false, "validateForComputeEnvironments": ["SPARK", "ATHENA", "PYTHON"]})),
        jdbc(
            &json!({"test": {"enabled": false, "everyMinutes": 1, "beforeCreate": true}, "driftPolicy": "Report", "adoptionPolicy": "Adopt", "deletionPolicy": "Retain"}),
        ),
        jdbc(&json!({"test": {"everyMinutes": 10080}, "region": "eu-west-1", "credentials": {"secretName": "keys"}})),
        // A null, as templates may produce it, counts as absent.
        jdbc(
            &json!({"authentication": null, "test": null, "tags": null, "physicalRequirements": null, "description": null}),
        ),
    ];
    assert_accepted::<GlueConnection>(specs).await;
}

#[tokio::test]
async fn urls_without_a_password_and_connections_of_newer_types_are_accepted() {
    let url = |url: &str| jdbc(&json!({"properties": {"JDBC_CONNECTION_URL": url, "USERNAME": "x"}}));
    let snowflake = |properties: Value| json!({"connectionType": "SNOWFLAKE", "properties": properties});
    let specs = [
        // Placeholders, an empty password, users and addresses with an @.
        url("jdbc:snowflake://a.snowflakecomputing.com/?user=${user}&password=${password}&warehouse=w"),
        url(r#"[["default=jdbc:mysql://db:3306/x?user=${user}&password=${password}"],"&"]"#),
        url("jdbc:postgresql://${user}:${password}@db:5432/x"),
        url("jdbc:oracle:thin:${user}/${password}@//db:1521/x"),
        url("jdbc:mysql://db/x?user=u&password=&ssl=true"),
        url("jdbc:sqlserver://s.database.windows.net:1433;database=d;user=me@s;encrypt=true"),
        url("jdbc:oracle:thin:@//db:1521/x"),
        url("jdbc:oracle:thin://@db:1521/x"),
        url("jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=db)(PORT=1521))(CONNECT_DATA=(SID=x)))"),
        json!({"connectionType": "MONGODB", "properties": {"CONNECTION_URL": "mongodb://a:27017,b:27017,c:27017/db?replicaSet=rs0", "SECRET_ID": "x"}}),
        // Without authentication, SNOWFLAKE is of version 1.
        snowflake(
            json!({"SparkProperties": r#"{"secretId": "s", "sfUrl": "https://a.snowflakecomputing.com:443/x"}"#}),
        ),
        snowflake(json!({"SparkProperties": r#"{"sfUrl":"a.snowflakecomputing.cn"}"#})),
        snowflake(json!({"PythonProperties": r#"{"account": "a"}"#})),
        snowflake(json!({"SparkProperties": r#"{"sfPassword": "${password}"}"#})),
        json!({"connectionType": "SNOWFLAKE", "propertiesFrom": from(&["SparkProperties"])}),
        json!({"connectionType": "SNOWFLAKE", "properties": {"HOST": "a.snowflakecomputing.com", "PORT": "443"}, "authentication": {"type": "IAM"}}),
        json!({"connectionType": "REST-Orders v2", "properties": {"INSTANCE_URL": "https://orders.example.com"}}),
        json!({"connectionType": format!("REST-{}", long(250))}),
    ];
    assert_accepted::<GlueConnection>(specs).await;
}
