//! Connections, by the operations and with a held clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ConnectionScript, Failure};
use crate::glue::fixture::{ACCOUNT, CALLER, Fixture};

fn jdbc(name: &str) -> Value {
    json!({ "Name": name, "ConnectionType": "JDBC", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "USERNAME": "me", "PASSWORD": "hush",
    } })
}

fn create(fixture: &Fixture, input: &Value) -> Value {
    fixture.call("CreateConnection", &json!({ "ConnectionInput": input })).unwrap()["CreateConnectionStatus"].clone()
}

fn get(fixture: &Fixture, name: &str) -> Value {
    fixture.call("GetConnection", &json!({ "Name": name, "HidePassword": true })).unwrap()["Connection"].clone()
}

#[test]
fn an_update_replaces_the_whole_input_with_its_secrets() {
    let fixture = Fixture::new();
    let mut input = jdbc("db");
    input["Description"] = json!("old");
    input["ConnectionProperties"]["JDBC_ENFORCE_SSL"] = json!("true");
    assert_eq!(create(&fixture, &input), "READY");
    fixture.step(60);
    let changed = json!({ "Name": "db", "ConnectionType": "JDBC", "ConnectionProperties": {
        "JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "SECRET_ID": "there",
    } });
    fixture.call("UpdateConnection", &json!({ "Name": "db", "ConnectionInput": changed })).unwrap();
    let seen = get(&fixture, "db");
    assert!(seen.get("Description").is_none());
    assert_eq!(seen["ConnectionProperties"], changed["ConnectionProperties"]);
    assert_eq!(seen["LastUpdatedBy"], CALLER);
    assert!(seen["LastUpdatedTime"].as_f64() > seen["CreationTime"].as_f64());
    let kept = fixture.with(|region| region.connection_input(ACCOUNT, "db")).unwrap();
    assert_eq!(kept, changed, "no password is left behind");
}

#[test]
fn both_reads_hide_passwords_and_never_show_credentials() {
    let fixture = Fixture::new();
    create(&fixture, &jdbc("db"));
    let input = json!({ "Name": "basic", "ConnectionType": "SALESFORCE", "ConnectionProperties": {},
        "AuthenticationConfiguration": { "AuthenticationType": "BASIC",
            "BasicAuthenticationCredentials": { "Username": "me", "Password": "hush" } } });
    create(&fixture, &input);
    let open = fixture.call("GetConnection", &json!({ "Name": "db" })).unwrap();
    assert_eq!(open["Connection"]["ConnectionProperties"]["PASSWORD"], "hush");
    let hidden = get(&fixture, "db");
    assert_eq!(hidden["ConnectionProperties"].get("PASSWORD"), None);
    assert_eq!(hidden["ConnectionProperties"]["USERNAME"], "me");
    let all = fixture.call("GetConnections", &json!({ "HidePassword": true })).unwrap();
    assert!(!all.to_string().contains("hush"), "{all}");
    let shown = get(&fixture, "basic")["AuthenticationConfiguration"].clone();
    let members: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["AuthenticationType", "SecretArn"], "Glue stores the credentials in a secret");
    assert_eq!(get(&fixture, "basic")["ConnectionSchemaVersion"], 2);
}

#[test]
fn the_status_follows_the_script() {
    let fixture = Fixture::new();
    fixture.with(|region| {
        let script = ConnectionScript::default().in_progress(Duration::from_secs(30));
        region.script_connection("db", script.change_fails("no route to host").change_succeeds());
    });
    assert_eq!(create(&fixture, &jdbc("db")), "IN_PROGRESS");
    fixture.step(30);
    let failed = get(&fixture, "db");
    assert_eq!((&failed["Status"], &failed["StatusReason"]), (&json!("FAILED"), &json!("no route to host")));
    fixture.call("UpdateConnection", &json!({ "Name": "db", "ConnectionInput": jdbc("db") })).unwrap();
    assert_eq!(get(&fixture, "db")["Status"], "IN_PROGRESS");
    fixture.step(29);
    fixture.call("UpdateConnection", &json!({ "Name": "db", "ConnectionInput": jdbc("db") })).unwrap();
    fixture.step(1);
    assert_eq!(get(&fixture, "db")["Status"], "IN_PROGRESS", "the later change counts");
    fixture.step(29);
    let ready = get(&fixture, "db");
    assert_eq!((&ready["Status"], ready.get("StatusReason")), (&json!("READY"), None));
}

#[test]
fn tests_follow_the_script_and_do_not_change_the_status() {
    let fixture = Fixture::new();
    create(&fixture, &jdbc("db"));
    fixture.with(|region| {
        let failure = Failure::new("InvalidInputException", "authentication failed");
        region.script_connection("db", ConnectionScript::default().test_fails(failure.clone()).test_succeeds());
        region.script_connection("*", ConnectionScript::default().test_fails(failure));
    });
    fixture.expect_error("TestConnection", &json!({ "ConnectionName": "db" }), "InvalidInputException");
    assert_eq!(get(&fixture, "db")["Status"], "READY");
    assert!(get(&fixture, "db").get("LastConnectionValidationTime").is_some());
    fixture.call("TestConnection", &json!({ "ConnectionName": "db" })).unwrap();
    let mut input = jdbc("unused");
    input.as_object_mut().unwrap().remove("Name");
    fixture.expect_error("TestConnection", &json!({ "TestConnectionInput": input }), "InvalidInputException");
    fixture.call("TestConnection", &json!({ "TestConnectionInput": input })).unwrap();
    let both = json!({ "ConnectionName": "db", "TestConnectionInput": input });
    fixture.expect_error("TestConnection", &both, "InvalidInputException");
    fixture.expect_error("TestConnection", &json!({}), "InvalidInputException");
    fixture.expect_error("TestConnection", &json!({ "ConnectionName": "none" }), "EntityNotFoundException");
}

#[test]
fn a_batch_delete_reports_errors_by_name() {
    let fixture = Fixture::new();
    create(&fixture, &jdbc("a"));
    create(&fixture, &jdbc("b"));
    let answer = fixture.call("BatchDeleteConnection", &json!({ "ConnectionNameList": ["a", "none", "b"] })).unwrap();
    assert_eq!(answer["Succeeded"], json!(["a", "b"]));
    assert_eq!(answer["Errors"]["none"]["ErrorCode"], "EntityNotFoundException");
    fixture.expect_error("DeleteConnection", &json!({ "ConnectionName": "a" }), "EntityNotFoundException");
    let many: Vec<String> = (0..26).map(|n| format!("c{n}")).collect();
    fixture.expect_error("BatchDeleteConnection", &json!({ "ConnectionNameList": many }), "ValidationException");
}

#[test]
fn missing_requirements_of_a_type_are_refused() {
    let fixture = Fixture::new();
    let refuse = |kind: &str, properties: &Value| {
        let input = json!({ "Name": "x", "ConnectionType": kind, "ConnectionProperties": properties });
        fixture.expect_error("CreateConnection", &json!({ "ConnectionInput": input }), "InvalidInputException");
    };
    refuse("SFTP", &json!({}));
    refuse("JDBC", &json!({ "JDBC_CONNECTION_URL": "jdbc:x" }));
    refuse("JDBC", &json!({ "HOST": "h", "PORT": "5432", "SECRET_ID": "s" }));
    refuse("JDBC", &json!({ "HOST": "h", "PORT": "80", "JDBC_ENGINE": "x", "SECRET_ID": "s" }));
    refuse("KAFKA", &json!({}));
    refuse("MONGODB", &json!({ "CONNECTION_URL": "mongodb://x" }));
    refuse("NETWORK", &json!({}));
    refuse("MARKETPLACE", &json!({ "CONNECTOR_TYPE": "SPARK" }));
    refuse("CUSTOM", &json!({ "CONNECTOR_TYPE": "Jdbc", "CONNECTOR_CLASS_NAME": "x.Y" }));
    refuse("JDBC", &json!({ "JDBC_CONNECTION_URL": "jdbc:x", "USERNAME": "me", "ENCRYPTED_PASSWORD": "x" }));
    refuse("SNOWFLAKE", &json!({}));
    refuse("SNOWFLAKE", &json!({ "AthenaProperties": "{}" }));
    refuse("SNOWFLAKE", &json!({ "HOST": "h", "SparkProperties": "{}" }));
    refuse("SNOWFLAKE", &json!({ "SparkProperties": "secretId=s" }));
    refuse("SNOWFLAKE", &json!({ "SparkProperties": "{\"sfUrl\": \"a.snowflakecomputing.example.com\"}" }));
    refuse("SALESFORCE", &json!({}));
    let network = json!({ "Name": "net", "ConnectionType": "NETWORK", "ConnectionProperties": {},
        "PhysicalConnectionRequirements": { "SubnetId": "subnet-1" } });
    assert_eq!(create(&fixture, &network), "READY");
    fixture.expect_error("CreateConnection", &json!({ "ConnectionInput": network }), "AlreadyExistsException");
}

#[test]
fn what_was_seen_to_be_accepted_is_accepted() {
    let fixture = Fixture::new();
    let connector = json!({ "CONNECTOR_TYPE": "Jdbc", "CONNECTOR_URL": "s3://b/c.jar", "CONNECTOR_CLASS_NAME": "x.Y" });
    let spark =
        json!({ "SparkProperties": "{\"secretId\": \"s\", \"sfUrl\": \"https://a.snowflakecomputing.com/x\"}" });
    for (name, kind, properties) in [
        ("marketplace", "MARKETPLACE", connector.clone()),
        ("custom", "CUSTOM", connector),
        ("published", "CUSTOM", json!({ "CONNECTION_TYPE": "Jdbc", "CONNECTOR_URL": "s3://b/c.jar" })),
        ("spark", "SNOWFLAKE", spark),
        ("python", "SNOWFLAKE", json!({ "PythonProperties": "{\"account\": \"a\"}" })),
        ("registered", "REST-ORDERS", json!({ "PORT": "443" })),
    ] {
        create(&fixture, &json!({ "Name": name, "ConnectionType": kind, "ConnectionProperties": properties }));
    }
    let newer = json!({ "Name": "newer", "ConnectionType": "SNOWFLAKE",
        "ConnectionProperties": { "HOST": "a.snowflakecomputing.com", "PORT": "443" },
        "AuthenticationConfiguration": { "AuthenticationType": "BASIC" } });
    create(&fixture, &newer);
}

#[test]
fn a_connection_without_the_zone_of_its_subnet_is_created_and_fails_every_test() {
    let fixture = Fixture::new();
    let mut input = jdbc("db");
    input["PhysicalConnectionRequirements"] = json!({ "SubnetId": "subnet-1", "SecurityGroupIdList": ["sg-1"] });
    create(&fixture, &input);
    fixture.expect_error("TestConnection", &json!({ "ConnectionName": "db" }), "InvalidInputException");
    fixture.expect_error("TestConnection", &json!({ "TestConnectionInput": input }), "InvalidInputException");
    input["PhysicalConnectionRequirements"]["AvailabilityZone"] = json!("eu-west-1a");
    fixture.call("UpdateConnection", &json!({ "Name": "db", "ConnectionInput": input })).unwrap();
    fixture.call("TestConnection", &json!({ "ConnectionName": "db" })).unwrap();
}

#[test]
fn connections_are_listed_by_catalog_filter_and_page() {
    let fixture = Fixture::new();
    for n in 0..5 {
        let mut input = jdbc(&format!("db{n}"));
        input["MatchCriteria"] = json!(["team", format!("n{n}")]);
        create(&fixture, &input);
    }
    fixture.call("CreateConnection", &json!({ "CatalogId": "other", "ConnectionInput": jdbc("db0") })).unwrap();
    let names = |body: Value| -> Vec<String> {
        let list = fixture.call("GetConnections", &body).unwrap()["ConnectionList"].clone();
        list.as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(json!({})).len(), 5);
    assert_eq!(names(json!({ "CatalogId": "other" })), ["db0"]);
    assert_eq!(names(json!({ "Filter": { "MatchCriteria": ["team", "n3"] } })), ["db3"]);
    assert_eq!(names(json!({ "Filter": { "ConnectionType": "KAFKA" } })).len(), 0);
    assert_eq!(names(json!({ "MaxResults": 2 })), ["db0", "db1"]);
}

#[test]
fn deleting_a_connection_deletes_its_tags() {
    let fixture = Fixture::new();
    fixture.call("CreateConnection", &json!({ "ConnectionInput": jdbc("db"), "Tags": { "team": "a" } })).unwrap();
    let arn = "arn:aws:glue:eu-west-1:123456789012:connection/db";
    fixture.call("TagResource", &json!({ "ResourceArn": arn, "TagsToAdd": { "more": "b" } })).unwrap();
    fixture.call("UntagResource", &json!({ "ResourceArn": arn, "TagsToRemove": ["team"] })).unwrap();
    assert_eq!(fixture.call("GetTags", &json!({ "ResourceArn": arn })).unwrap()["Tags"], json!({ "more": "b" }));
    fixture.call("DeleteConnection", &json!({ "ConnectionName": "db" })).unwrap();
    fixture.expect_error("GetTags", &json!({ "ResourceArn": arn }), "EntityNotFoundException");
}
