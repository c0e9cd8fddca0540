//! Specs in which properties are tried: those that the lives of the kind begin with, and some more.

use serde_json::{Value, json};

use crate::lives::{CREDENTIALS, DATABASE, JOB, Kind, Step, WORKFLOW, site::merged};

/// What a change of these does depends on when it is made: `lives` has them.
pub(super) const VERBS: &[&str] = &["fire", "fireOnCreation", "resume", "resumeNodes", "stop", "suspend"];

/// Specs that the API server admits, the simplest first.
#[must_use]
pub(super) fn of(kind: &Kind) -> Vec<Value> {
    let mut all = Vec::new();
    for life in (kind.lives)() {
        for step in life.steps {
            if let Step::Create(spec) = step
                && !all.contains(&spec)
            {
                all.push(spec);
            }
        }
    }
    let Some(base) = all.first().cloned() else { return all };
    all.extend(more(kind.kind).into_iter().map(|extra| merged(base.clone(), extra)));
    all.extend(whole(kind.kind));
    all
}

/// What has a sense only beside something else.
fn more(kind: &str) -> Vec<Value> {
    match kind {
        "GlueJobRun" => vec![
            json!({ "workers": { "type": "G.1X", "count": 2 } }),
            json!({ "executionClass": "FLEX", "retry": { "limit": 1, "executionClass": "STANDARD" } }),
            json!({ "argumentsFrom": [{ "name": "--a", "secretKeyRef": { "name": DATABASE, "key": "password" } }] }),
            json!({ "argumentsFrom": [{ "name": "--a", "configMapKeyRef": { "name": DATABASE, "key": "password" } }] }),
        ],
        "GlueCrawlerRun" => vec![json!({ "crawlId": "one" }), json!({ "coalesce": false })],
        "GlueWorkflowRun" => vec![
            json!({ "resume": "one", "resumeNodes": ["one"] }),
            json!({ "runPropertiesFrom": [{ "name": "a", "secretKeyRef": { "name": DATABASE, "key": "password" } }] }),
            json!({ "runPropertiesFrom": [{ "name": "a", "configMapKeyRef": { "name": DATABASE, "key": "password" } }] }),
        ],
        "GlueInventory" => {
            let receiver = json!({ "url": "http://marquez.lineage:5000" });
            let key = json!({ "apiKeySecretRef": { "name": DATABASE, "key": "password" } });
            [receiver.clone(), merged(receiver, key)].map(|to| json!({ "lineage": { "transport": to } })).into()
        }
        "GlueTrigger" => vec![json!({ "fire": "one" }), json!({ "fire": "one", "fireOnCreation": true })],
        _ => Vec::new(),
    }
}

/// Specs of another shape.
fn whole(kind: &str) -> Vec<Value> {
    match kind {
        "GlueConnection" => connections(),
        "GlueJobRun" => vec![json!({ "jobName": JOB, "runId": "jr_1" })],
        "GlueWorkflowRun" => vec![json!({ "workflowName": WORKFLOW, "runId": "wr_1" })],
        _ => Vec::new(),
    }
}

fn connections() -> Vec<Value> {
    let secret = |key: &str| json!({ "name": CREDENTIALS, "key": key });
    let by_json = json!([{ "name": "A", "jsonKeys": [{ "key": "a", "secretKeyRef": secret("a") }] }]);
    let oauth = |more: Value| {
        merged(json!({ "grantType": "CLIENT_CREDENTIALS", "tokenUrl": "https://example.com/token" }), more)
    };
    let modern = |authentication: Value| {
        json!({ "connectionType": "SNOWFLAKE", "authentication": authentication, "properties": {
            "HOST": "account.snowflakecomputing.com", "PORT": "443", "DATABASE": "d", "SCHEMA": "s", "WAREHOUSE": "w",
            "ROLE_ARN": "arn:aws:iam::123456789012:role/one" } })
    };
    vec![
        json!({ "connectionType": "NETWORK", "physicalRequirements": {
            "subnetId": "subnet-1", "securityGroupIds": ["sg-1"], "availabilityZone": "eu-west-1a" } }),
        json!({ "connectionType": "CUSTOM", "properties": { "CONNECTOR_TYPE": "Spark", "CONNECTOR_URL": "s3://a/b.jar",
            "CONNECTOR_CLASS_NAME": "a.B" }, "propertiesFrom": by_json }),
        json!({ "connectionType": "JDBC", "properties": { "JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/a" },
            "propertiesFrom": by_json }),
        modern(json!({ "type": "BASIC", "basic": { "username": "one", "passwordSecretRef": secret("a") } })),
        modern(
            json!({ "type": "BASIC", "basic": { "usernameSecretRef": secret("b"), "passwordSecretRef": secret("a") } }),
        ),
        modern(json!({ "type": "CUSTOM", "custom": [{ "name": "A", "secretKeyRef": secret("a") }] })),
        modern(json!({ "type": "IAM" })),
        modern(json!({ "type": "BASIC", "secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one" })),
        modern(json!({ "type": "OAUTH2", "secretArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:one",
            "oauth2": oauth(json!({})) })),
        modern(json!({ "type": "OAUTH2", "oauth2": oauth(json!({
            "clientApplication": { "userManagedClientId": "one" }, "clientSecretSecretRef": secret("a") })) })),
        modern(json!({ "type": "OAUTH2", "oauth2": oauth(json!({ "grantType": "AUTHORIZATION_CODE",
            "clientApplication": { "userManagedClientId": "one" }, "clientSecretSecretRef": secret("a"),
            "authorizationCode": { "codeSecretRef": secret("b"), "redirectUri": "https://example.com/" } })) })),
        modern(json!({ "type": "OAUTH2", "oauth2": oauth(json!({ "grantType": "JWT_BEARER",
            "jwtTokenSecretRef": secret("a") })) })),
        modern(json!({ "type": "OAUTH2", "oauth2": oauth(json!({ "grantType": "REFRESH_TOKEN",
            "accessTokenSecretRef": secret("a"), "refreshTokenSecretRef": secret("b"),
            "clientApplication": { "userManagedClientId": "one" } })) })),
        json!({ "connectionType": "SNOWFLAKE", "sparkProperties": { "sfUrl": "a" }, "sparkPropertiesFrom": by_json,
            "authentication": { "type": "IAM" }, "properties": { "HOST": "a" } }),
        json!({ "connectionType": "MYSQL", "athenaProperties": { "a": "b" }, "athenaPropertiesFrom": by_json,
            "pythonProperties": { "a": "b" }, "pythonPropertiesFrom": by_json, "properties": { "HOST": "a" },
            "authentication": { "type": "IAM" }, "validateForComputeEnvironments": ["ATHENA"] }),
    ]
}
