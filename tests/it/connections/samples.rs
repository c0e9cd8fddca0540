//! A sample for each type of connection of the Connection API page, from `kubectl apply` to Glue and back.

use std::collections::BTreeSet;
use std::path::Path;

use kube::api::ListParams;
use kube_glue::api::GlueConnection;
use serde_json::{Value, json};

use crate::harness::{World, condition, status};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crds/samples");

/// The types of the page, without the one that Glue does not support.
const TYPES: [&str; 9] = [
    "JDBC",
    "KAFKA",
    "MONGODB",
    "NETWORK",
    "MARKETPLACE",
    "CUSTOM",
    "SALESFORCE",
    "VIEW_VALIDATION_REDSHIFT",
    "VIEW_VALIDATION_ATHENA",
];

#[tokio::test]
async fn every_type_has_a_sample_that_works_from_end_to_end() {
    let mut world = World::without_controller("conn-samples").await;
    world.secrets.push("correct horse battery staple".to_owned());
    world.put_credentials("aws").await;
    let theirs = json!({"Name": "legacy-warehouse", "ConnectionType": "JDBC", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:redshift://old.example.com:5439/dev", "SECRET_ID": "old",
    }});
    world.elsewhere("CreateConnection", &json!({"ConnectionInput": theirs}));
    world.double.clock().hold();
    world.start_controller();
    for entry in Path::new(FOLDER).read_dir().expect("the samples") {
        let file = entry.expect("an entry").path();
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("connection-")) {
            let file = file.to_str().expect("a path");
            // The other way kubectl would keep the whole Secret in an annotation, which lists of metadata show.
            let apply = ["apply", "--server-side", "-n", &world.namespace, "-f", file];
            world.plane.kubectl(apply).await.expect("it is admitted");
        }
    }
    let connections = world.connections();
    let all = connections.api.list(&ListParams::default()).await.expect("the objects").items;
    let mut seen = BTreeSet::new();
    for object in &all {
        let name = object.metadata.name.as_deref().expect("a name");
        // Glue takes a while to exchange OAuth credentials for a token.
        if object.spec.connection_type == "SALESFORCE" {
            assert!(connections.reason(name, "InProgress").await.contains("still at work"));
            world.double.clock().step(std::time::Duration::from_secs(10));
        }
        world.has_arn(name).await;
        let ready = connections.ready(name).await;
        seen.insert(ready.spec.connection_type.clone());
        let in_glue = ready.spec.connection_name.as_deref().unwrap_or(name);
        let input = world.stored(in_glue).expect("it is in Glue");
        assert_eq!(input["ConnectionType"], ready.spec.connection_type, "{name}");
        let said = status(&ready);
        assert_eq!(said["connectionName"], in_glue);
        assert_eq!(said["arn"], format!("arn:aws:glue:eu-west-1:123456789012:connection/{in_glue}"), "{said}");
        assert_eq!(said["state"], "READY");
        assert!(said["lastUpdatedBy"].is_string() && said["createdAt"].is_string(), "{said}");
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<BTreeSet<_>>(), BTreeSet::from(TYPES));

    // What stands in Glue is what was written, the secrets from their Secrets.
    let jdbc = world.stored("orders-db").expect("it is in Glue");
    assert_eq!(
        jdbc["ConnectionProperties"],
        json!({
            "JDBC_CONNECTION_URL": "jdbc:postgresql://orders.example.com:5432/orders", "JDBC_ENFORCE_SSL": "true",
            "USERNAME": "etl", "PASSWORD": "correct horse battery staple",
        })
    );
    assert_eq!(jdbc["PhysicalConnectionRequirements"]["SecurityGroupIdList"], json!(["sg-0a1b2c3d"]));
    assert_eq!((&jdbc["MatchCriteria"], &jdbc["ValidateCredentials"]), (&json!(["orders"]), &json!(true)));
    let oauth2 = &world.stored("salesforce").expect("it is in Glue")["AuthenticationConfiguration"]["OAuth2Properties"];
    assert_eq!(oauth2["OAuth2Credentials"]["UserManagedClientApplicationClientSecret"], "correct horse battery staple");
    let jdbc = connections.ready("orders-db").await;
    assert_eq!(status(&jdbc)["lastTest"]["result"], "Succeeded");
    assert_eq!(condition::<GlueConnection>(&jdbc, "Tested").map(|tested| tested.status).as_deref(), Some("True"));
    let tags = world.elsewhere("GetTags", &json!({"ResourceArn": status(&jdbc)["arn"]}));
    assert_eq!(tags["Tags"], json!({"team": "orders"}));

    for object in &all {
        connections.delete(object.metadata.name.as_deref().expect("a name")).await;
    }
    for object in &all {
        connections.gone(object).await;
    }
    let left: Value = world.elsewhere("GetConnections", &json!({"HidePassword": true}));
    let mut names: Vec<_> = left["ConnectionList"].as_array().expect("a list").iter().map(|one| &one["Name"]).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["legacy-warehouse", "private-network"], "those whose policy is Retain");
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn what_is_said_of_credentials_gets_to_glue_even_where_the_sdk_would_leave_it_out() {
    let mut world = World::new("conn-validate").await;
    world.put_password("tr0ub4dor-and-three").await;
    let connections = world.connections();
    connections.put("db", super::jdbc(json!({"validateCredentials": false}))).await;
    connections.ready("db").await;
    assert_eq!(world.stored("db").expect("it is in Glue")["ValidateCredentials"], false);
    connections.edit("db", json!({"description": "new", "validateForComputeEnvironments": ["SPARK"]})).await;
    connections.ready("db").await;
    let update = &world.double.requests().of("UpdateConnection")[0];
    assert_eq!(update.field("ConnectionInput/ValidateCredentials"), Some(json!(false)));
    assert_eq!(update.field("ConnectionInput/ValidateForComputeEnvironments"), Some(json!(["SPARK"])));
    assert_eq!(update.field("ConnectionInput/ConnectionProperties/PASSWORD"), Some(json!("tr0ub4dor-and-three")));
}
