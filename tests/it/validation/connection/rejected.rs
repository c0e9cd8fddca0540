//! Rejected specs, each with the field and the remedy. (What each type needs: `types`.)

use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use super::{from, jdbc};
use crate::harness::merged;
use crate::validation::{assert_accepted, assert_rejected, long};

#[tokio::test]
async fn values_that_glue_would_reject_are_rejected() {
    let property = |name: &str, value: &str| {
        jdbc(&json!({"properties": {"JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "x", name: value}}))
    };
    let many: serde_json::Map<_, _> = (0..101).map(|n| (format!("P{n}"), json!("x"))).collect();
    let most: serde_json::Map<_, _> = (0..99).map(|n| (format!("P{n}"), json!("x"))).collect();
    let names = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>();
    let (port, jdbc_port) =
        ("PORT is a number from 1 to 65535", "PORT of a JDBC connection is a number from 1024 to 65535");
    let zone = "subnetId needs availabilityZone, the zone of that subnet: without it Glue creates the connection, and then every test and job that uses it fails";
    let tags = "tag keys must have 1 to 128 characters and not begin with aws:, which AWS reserves";
    assert_rejected::<GlueConnection>(vec![
        (json!({}), "spec.connectionType: Required value"),
        (json!({"connectionType": "jdbc"}), "spec.connectionType: Invalid value"),
        (json!({"connectionType": format!("REST-{}", long(251))}), "spec.connectionType: Too long"),
        (json!({"connectionType": "REST-"}), "spec.connectionType: Invalid value"),
        (json!({"connectionType": "rest-orders"}), "spec.connectionType: Invalid value"),
        (jdbc(&json!({"connectionName": ""})), "spec.connectionName"),
        (jdbc(&json!({"connectionName": long(256)})), "spec.connectionName: Too long"),
        (jdbc(&json!({"connectionName": "a\nb"})), "spec.connectionName: Invalid value"),
        (jdbc(&json!({"catalogId": long(256)})), "spec.catalogId: Too long"),
        (jdbc(&json!({"description": long(2049)})), "spec.description: Too long"),
        (jdbc(&json!({"description": "a\u{b}b"})), "spec.description: Invalid value"),
        (jdbc(&json!({"matchCriteria": names(11)})), "spec.matchCriteria: Too many"),
        (jdbc(&json!({"matchCriteria": [""]})), "spec.matchCriteria[0]"),
        (jdbc(&json!({"matchCriteria": [long(256)]})), "spec.matchCriteria[0]: Too long"),
        (jdbc(&json!({"physicalRequirements": {"securityGroupIds": names(51)}})), "spec.physicalRequirements.securityGroupIds: Too many"),
        (jdbc(&json!({"physicalRequirements": {"subnetId": long(256)}})), "spec.physicalRequirements.subnetId: Too long"),
        (jdbc(&json!({"physicalRequirements": {"availabilityZone": ""}})), "spec.physicalRequirements.availabilityZone"),
        (jdbc(&json!({"physicalRequirements": {"subnetId": "subnet-1", "securityGroupIds": ["sg-1"]}})), zone),
        (json!({"connectionType": "NETWORK", "physicalRequirements": {"subnetId": "subnet-1"}}), zone),
        (jdbc(&json!({"properties": many})), "spec.properties: Too many"),
        (
            json!({"connectionType": "POSTGRESQL", "properties": most, "propertiesFrom": from(&["A", "B"])}),
            "Glue takes 100 properties at most, those of propertiesFrom included",
        ),
        (property("HOST", &long(1025)), "spec.properties.HOST: Too long"),
        (property("HOST", ""), "spec.properties.HOST"),
        (json!({"connectionType": "CUSTOM", "properties": {long(256): "x"}}), "names of properties are 1 to 255 characters"),
        (property("USER_NAME", "x"), "Glue's name for the user is USERNAME"),
        (property("PORT", "1023"), jdbc_port),
        (property("PORT", "65536"), port),
        (property("PORT", "https"), port),
        (json!({"connectionType": "POSTGRESQL", "properties": {"PORT": "0"}}), port),
        (property("ROLE_ARN", "etl"), "ROLE_ARN is the ARN of a role"),
        (
            jdbc(&json!({"propertiesFrom": from(&["PASSWORD", "USERNAME"])})),
            "a property is set in both properties and propertiesFrom: keep one of them",
        ),
        (jdbc(&json!({"propertiesFrom": from(&["PASSWORD", "PASSWORD"])})), "spec.propertiesFrom[1]: Duplicate value"),
        (jdbc(&json!({"propertiesFrom": [{"name": "PASSWORD"}]})), "name exactly one of secretKeyRef and jsonKeys"),
        (json!({"connectionType": "POSTGRESQL", "sparkProperties": {"a": long(2049)}}), "spec.sparkProperties.a: Too long"),
        (json!({"connectionType": "POSTGRESQL", "athenaProperties": {long(129): "x"}}), "names of these properties are 1 to 128 characters"),
        (jdbc(&json!({"validateForComputeEnvironments": ["EMR"]})), "spec.validateForComputeEnvironments[0]: Unsupported value"),
        (jdbc(&json!({"tags": {"": "x"}})), tags),
        (jdbc(&json!({"tags": {long(129): "x"}})), tags),
        (jdbc(&json!({"tags": {"aws:x": "x"}})), tags),
        (jdbc(&json!({"tags": {"x": long(257)}})), "spec.tags.x: Too long"),
        (jdbc(&json!({"tags": names(51).into_iter().map(|name| (name, json!("x"))).collect::<serde_json::Map<_, _>>()})), "spec.tags: Too many"),
        (jdbc(&json!({"test": {"everyMinutes": 0}})), "spec.test.everyMinutes"),
        (
            json!({"connectionType": "KAFKA", "properties": {"KAFKA_BOOTSTRAP_SERVERS": "b:9092"}, "test": {}}),
            "Glue tests connections of type JDBC, SALESFORCE and newer ones only: remove test",
        ),
        (jdbc(&json!({"driftPolicy": "Ignore"})), "spec.driftPolicy: Unsupported value"),
        (jdbc(&json!({"adoptionPolicy": "Replace"})), "spec.adoptionPolicy: Unsupported value"),
        (jdbc(&json!({"deletionPolicy": "Orphan"})), "spec.deletionPolicy: Unsupported value"),
        (jdbc(&json!({"region": "Ireland"})), "spec.region: Invalid value"),
    ])
    .await;
}

#[tokio::test]
async fn values_from_secrets_are_set_once() {
    let key = json!({"name": "db", "key": "k"});
    let of = |spec: Value| merged(json!({"connectionType": "AZURESQL"}), spec);
    let parts = |name: &str| json!([{"name": name, "jsonKeys": [{"key": "password", "secretKeyRef": key}]}]);
    let many: Vec<_> = (0..11).map(|n| json!({"key": format!("k{n}"), "secretKeyRef": key})).collect();
    let twice: Vec<_> = (0..2).map(|_| json!({"key": "k", "secretKeyRef": key})).collect();
    let one = "name exactly one of secretKeyRef and jsonKeys";
    let mut cases = vec![
        (
            of(json!({"propertiesFrom": [{"name": "A", "secretKeyRef": key, "jsonKeys": parts("A")[0]["jsonKeys"]}]})),
            one,
        ),
        (of(json!({"propertiesFrom": [{"name": "A", "jsonKeys": []}]})), "spec.propertiesFrom[0].jsonKeys"),
        (of(json!({"propertiesFrom": [{"name": "A", "jsonKeys": many}]})), "spec.propertiesFrom[0].jsonKeys: Too many"),
        (
            of(json!({"propertiesFrom": [{"name": "A", "jsonKeys": twice}]})),
            "spec.propertiesFrom[0].jsonKeys[1]: Duplicate value",
        ),
    ];
    for (field, both, hundred) in [
        (
            "sparkProperties",
            "a property is set in both sparkProperties and sparkPropertiesFrom: keep one of them",
            "Glue takes 100 properties of one compute environment at most, those of sparkPropertiesFrom included",
        ),
        (
            "athenaProperties",
            "a property is set in both athenaProperties and athenaPropertiesFrom: keep one of them",
            "Glue takes 100 properties of one compute environment at most, those of athenaPropertiesFrom included",
        ),
        (
            "pythonProperties",
            "a property is set in both pythonProperties and pythonPropertiesFrom: keep one of them",
            "Glue takes 100 properties of one compute environment at most, those of pythonPropertiesFrom included",
        ),
    ] {
        let most: serde_json::Map<_, _> = (0..99).map(|n| (format!("P{n}"), json!("x"))).collect();
        cases.push((of(json!({field: {"url": "x"}, format!("{field}From"): from(&["url"])})), both));
        cases.push((of(json!({field: most, format!("{field}From"): from(&["A", "B"])})), hundred));
    }
    assert_rejected::<GlueConnection>(cases).await;
    let literal = json!({"SparkProperties": "{\"url\": \"x\"}"});
    assert_accepted::<GlueConnection>(vec![
        of(json!({"properties": literal, "propertiesFrom": parts("SparkProperties")})),
        of(json!({"propertiesFrom": parts("SparkProperties")})),
        of(json!({"sparkPropertiesFrom": from(&["password"]), "pythonPropertiesFrom": parts("options")})),
        // What the JSON object of a SNOWFLAKE connection needs may come from Secrets.
        json!({"connectionType": "SNOWFLAKE", "propertiesFrom": parts("SparkProperties")}),
    ])
    .await;
}

#[tokio::test]
async fn a_literal_secret_is_rejected_with_an_alternative() {
    let properties = "a password, secret, token or key does not belong in properties, where everybody can read it: put it into a Secret and name that in propertiesFrom";
    let url = "the URL contains a password: set PASSWORD or the whole URL in propertiesFrom";
    let environment = "a password, secret, token or key does not belong here, where everybody can read it: put it into a Secret and name that in the field of the same name with From, such as sparkPropertiesFrom";
    let url_here = "the URL contains a password, where everybody can read it: put it into a Secret and name that in the field of the same name with From, such as sparkPropertiesFrom";
    let inside = "the JSON contains a password, secret, token or key, where everybody can read it: put it into a Secret and name its key in jsonKeys of propertiesFrom, or name a secret in AWS Secrets Manager by secretId";
    let parameters = "parameter names must have 1 to 128 characters and not denote a secret: use clientSecretSecretRef for a client secret, and the token's own field for a token";
    let mut cases = Vec::new();
    for name in [
        "PASSWORD",
        "ENCRYPTED_PASSWORD",
        "KAFKA_CLIENT_KEYSTORE_PASSWORD",
        "KAFKA_CLIENT_KEY_PASSWORD",
        "KAFKA_SASL_PLAIN_PASSWORD",
        "KAFKA_SASL_SCRAM_PASSWORD",
        "sfPassword",
        "clientSecret",
        "ACCESS_TOKEN",
        "api-key",
        "privateKey",
        "credentials",
        "opensearch.net.http.auth.pass",
    ] {
        cases.push((json!({"connectionType": "CUSTOM", "properties": {name: "hunter2"}}), properties));
        cases.push((json!({"connectionType": "CUSTOM", "sparkProperties": {name: "hunter2"}}), environment));
    }
    for value in [
        "jdbc:sqlserver://db:1433;user=x;password=y",
        "jdbc:mysql://db/x?user=u&password=p",
        "jdbc:redshift://db:5439/x;UID=u;PWD=p",
        "jdbc:teradata://db/USER=u,PASSWORD=p",
        "jdbc:databricks://db:443;AuthMech=11;Auth_AccessToken=t",
        "jdbc:mysql://db/x?user=u&password=$ecret",
        "jdbc:postgresql://u:p@db:5432/x",
        "jdbc:oracle:thin:scott/tiger@db:1521:x",
        "jdbc:oracle:thin:scott/tiger@//db:1521/x",
        "JDBC:Oracle:OCI:scott/t@//db:1521/x",
    ] {
        cases.push((jdbc(&json!({"properties": {"USERNAME": "x", "JDBC_CONNECTION_URL": value}})), url));
        cases.push((json!({"connectionType": "AZURESQL", "sparkProperties": {"url": value}}), url_here));
        let spark = json!({"url": value}).to_string();
        cases.push((json!({"connectionType": "AZURESQL", "properties": {"SparkProperties": spark}}), url));
    }
    for (name, value) in [
        ("SparkProperties", r#"{"sfUser": "me", "sfPassword": "hunter2"}"#),
        ("SparkProperties", r#"{"opensearch.net.http.auth.pass":"hunter2"}"#),
        ("SparkProperties", r#"{"spark.cosmos.accountKey" : "x=="}"#),
        ("PythonProperties", r#"{"password": 12345}"#),
        ("PythonProperties", r#"{"private_key": "$x"}"#),
        ("AthenaProperties", r#"{"Token": "x"}"#),
    ] {
        cases.push((json!({"connectionType": "OPENSEARCH", "properties": {name: value}}), inside));
    }
    let mongo = json!({"CONNECTION_URL": "mongodb://me:hunter2@db:27017", "SECRET_ID": "x"});
    cases.push((json!({"connectionType": "MONGODB", "properties": mongo}), url));
    let oauth2 = json!({"grantType": "CLIENT_CREDENTIALS", "clientApplication": {"userManagedClientId": "x"}, "tokenUrlParameters": {"client_secret": "x"}});
    cases.push((
        json!({"connectionType": "SALESFORCE", "authentication": {"type": "OAUTH2", "oauth2": oauth2}}),
        parameters,
    ));
    assert_rejected::<GlueConnection>(cases).await;
}

#[tokio::test]
async fn incomplete_or_mixed_authentication_is_rejected() {
    let key = json!({"name": "s", "key": "k"});
    let basic = json!({"username": "x", "passwordSecretRef": key});
    let code = json!({"codeSecretRef": key});
    let cases = [
        (json!({}), "spec.authentication.type: Required value"),
        (json!({"type": "KERBEROS"}), "spec.authentication.type: Unsupported value"),
        (json!({"type": "BASIC"}), "BASIC needs basic with user and password, or secretArn"),
        (json!({"type": "CUSTOM"}), "CUSTOM needs the credentials in custom, or secretArn"),
        (json!({"type": "CUSTOM", "custom": []}), "spec.authentication.custom"),
        (json!({"type": "OAUTH2"}), "OAUTH2 needs oauth2 with a grantType"),
        (json!({"type": "IAM", "basic": basic}), "basic is for authentication of type BASIC"),
        (json!({"type": "IAM", "oauth2": {"grantType": "JWT_BEARER"}}), "oauth2 is for authentication of type OAUTH2"),
        (
            json!({"type": "IAM", "custom": [{"name": "x", "secretKeyRef": key}]}),
            "custom is for authentication of type CUSTOM",
        ),
        (
            json!({"type": "BASIC", "basic": {"username": "x"}}),
            "spec.authentication.basic.passwordSecretRef: Required value",
        ),
        (
            json!({"type": "BASIC", "basic": {"passwordSecretRef": key}}),
            "name exactly one of username and usernameSecretRef",
        ),
        (
            json!({"type": "BASIC", "basic": {"username": long(513), "passwordSecretRef": key}}),
            "spec.authentication.basic.username: Too long",
        ),
        (json!({"type": "BASIC", "secretArn": "db"}), "spec.authentication.secretArn: Invalid value"),
        (
            json!({"type": "BASIC", "basic": basic, "kmsKeyArn": "alias/x"}),
            "spec.authentication.kmsKeyArn: Invalid value",
        ),
        (json!({"type": "OAUTH2", "oauth2": {}}), "spec.authentication.oauth2.grantType: Required value"),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "PASSWORD"}}),
            "spec.authentication.oauth2.grantType: Unsupported value",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "AUTHORIZATION_CODE"}}),
            "AUTHORIZATION_CODE needs oauth2.authorizationCode, or secretArn",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "JWT_BEARER"}}),
            "JWT_BEARER needs oauth2.jwtTokenSecretRef, or secretArn",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "CLIENT_CREDENTIALS"}}),
            "CLIENT_CREDENTIALS needs oauth2.clientApplication, or secretArn",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "JWT_BEARER", "jwtTokenSecretRef": key, "authorizationCode": code}}),
            "oauth2.authorizationCode is for the grant type AUTHORIZATION_CODE",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "CLIENT_CREDENTIALS", "clientApplication": {}}}),
            "name exactly one of userManagedClientId and awsManagedReference",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "JWT_BEARER", "tokenUrl": "login"}}),
            "spec.authentication.oauth2.tokenUrl: Invalid value",
        ),
        (
            json!({"type": "OAUTH2", "oauth2": {"grantType": "AUTHORIZATION_CODE", "authorizationCode": {"codeSecretRef": key, "redirectUri": "x"}}}),
            "spec.authentication.oauth2.authorizationCode.redirectUri: Invalid value",
        ),
    ];
    let of = |authentication: &Value| json!({"connectionType": "SALESFORCE", "authentication": authentication});
    let mut cases: Vec<_> = cases.iter().map(|(authentication, text)| (of(authentication), *text)).collect();
    let mut tested =
        of(&json!({"type": "OAUTH2", "oauth2": {"grantType": "AUTHORIZATION_CODE", "authorizationCode": code}}));
    tested["test"] = json!({"beforeCreate": true});
    cases.push((
        tested,
        "a test beforeCreate would use up the authorization code, which can be used once: remove one of them",
    ));
    assert_rejected::<GlueConnection>(cases).await;
}
