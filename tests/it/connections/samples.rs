//! The samples in `crds/samples`, one for each connection type of the Connection API page: created and deleted.

use std::collections::BTreeSet;
use std::path::Path;

use kube::api::ListParams;
use kube_glue::api::GlueConnection;
use kube_glue_testbed::sample_resources;
use serde_json::{Value, json};

use super::{PASSWORD, setup_with_ready};
use crate::harness::{REGION, TestEnv, condition, status};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds/samples");

/// The types of the page, without SFTP, which Glue does not support, and two newer ones.
const TYPES: [&str; 11] = [
    "JDBC",
    "KAFKA",
    "MONGODB",
    "NETWORK",
    "MARKETPLACE",
    "CUSTOM",
    "SALESFORCE",
    "SNOWFLAKE",
    "POSTGRESQL",
    "VIEW_VALIDATION_REDSHIFT",
    "VIEW_VALIDATION_ATHENA",
];

#[tokio::test]
async fn every_connection_type_has_a_sample_that_works() {
    let mut env = TestEnv::without_controller("conn-samples").await;
    env.secrets.push("correct horse battery staple".to_owned());
    env.put_credentials("aws").await;
    sample_resources::create_legacy_connection(&env.double, REGION).expect("a connection");
    env.double.clock().hold();
    env.start_controller();
    for entry in Path::new(FOLDER).read_dir().expect("the samples") {
        let file = entry.expect("an entry").path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("connection-")) {
            let file = file.to_str().expect("a path");
            // A client-side apply would keep the whole Secret in an annotation, which lists of metadata contain.
            let apply = ["apply", "--server-side", "-n", &env.namespace, "-f", file];
            env.plane.kubectl(apply).await.expect("an accepted sample");
        }
    }
    let connections = env.connections();
    let all = connections.api.list(&ListParams::default()).await.expect("the objects").items;
    let mut seen = BTreeSet::new();
    for object in &all {
        let name = object.metadata.name.as_deref().expect("a name");
        // The double exchanges OAuth credentials for a token within ten seconds.
        if object.spec.connection_type == "SALESFORCE" {
            assert!(connections.wait_for_reason(name, "InProgress").await.contains("still working"));
            env.double.clock().step(std::time::Duration::from_secs(10));
        }
        env.wait_for_arn(name).await;
        let ready = connections.wait_ready(name).await;
        seen.insert(ready.spec.connection_type.clone());
        let in_glue = ready.spec.connection_name.as_deref().unwrap_or(name);
        let input = env.connection_in_glue(in_glue).expect("the connection");
        assert_eq!(input["ConnectionType"], ready.spec.connection_type, "{name}");
        let status = status(&ready);
        assert_eq!(status["connectionName"], in_glue);
        assert_eq!(status["arn"], format!("arn:aws:glue:eu-west-1:123456789012:connection/{in_glue}"), "{status}");
        assert_eq!(status["state"], "READY");
        assert!(status["lastUpdatedBy"].is_string() && status["createdAt"].is_string(), "{status}");
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(TYPES));

    // Glue has the spec and the values of the Secrets.
    let jdbc = env.connection_in_glue("orders-db").expect("the connection");
    assert_eq!(
        jdbc["ConnectionProperties"],
        json!({
            "JDBC_CONNECTION_URL": "jdbc:postgresql://orders.example.com:5432/orders", "JDBC_ENFORCE_SSL": "true",
            "USERNAME": "etl", "PASSWORD": "correct horse battery staple",
        })
    );
    assert_eq!(jdbc["PhysicalConnectionRequirements"]["SecurityGroupIdList"], json!(["sg-0a1b2c3d"]));
    assert_eq!((&jdbc["MatchCriteria"], &jdbc["ValidateCredentials"]), (&json!(["orders"]), &json!(true)));
    let oauth2 = &env.connection_in_glue("salesforce").expect("the connection")["AuthenticationConfiguration"]["OAuth2Properties"];
    assert_eq!(oauth2["OAuth2Credentials"]["UserManagedClientApplicationClientSecret"], "correct horse battery staple");
    let jdbc = connections.wait_ready("orders-db").await;
    assert_eq!(status(&jdbc)["lastTest"]["result"], "Succeeded");
    assert_eq!(condition::<GlueConnection>(&jdbc, "Tested").map(|tested| tested.status).as_deref(), Some("True"));
    let tags = env.call_glue("GetTags", &json!({"ResourceArn": status(&jdbc)["arn"]}));
    assert_eq!(tags["Tags"], json!({"team": "orders"}));

    for object in &all {
        connections.delete(object.metadata.name.as_deref().expect("a name")).await;
    }
    for object in &all {
        connections.wait_deleted(object).await;
    }
    let left: Value = env.call_glue("GetConnections", &json!({"HidePassword": true}));
    let mut names: Vec<_> = left["ConnectionList"].as_array().expect("a list").iter().map(|one| &one["Name"]).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["legacy-warehouse", "private-network"], "the deletion policy of these is Retain");
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn validation_flags_are_sent_even_where_the_sdk_omits_them() {
    let (env, _) = setup_with_ready("conn-validate", json!({"validateCredentials": false})).await;
    let connections = env.connections();
    assert_eq!(env.connection_in_glue("db").expect("the connection")["ValidateCredentials"], false);
    connections.patch_spec("db", json!({"description": "new", "validateForComputeEnvironments": ["SPARK"]})).await;
    connections.wait_ready("db").await;
    let update = &env.double.requests().of("UpdateConnection")[0];
    assert_eq!(update.field("ConnectionInput/ValidateCredentials"), Some(json!(false)));
    assert_eq!(update.field("ConnectionInput/ValidateForComputeEnvironments"), Some(json!(["SPARK"])));
    assert_eq!(update.field("ConnectionInput/ConnectionProperties/PASSWORD"), Some(json!(PASSWORD)));
}
