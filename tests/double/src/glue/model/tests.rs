use serde_json::json;

use super::*;

fn refused(operation: &str, body: &Value) -> String {
    validate(operation, body).unwrap_err().to_string()
}

#[test]
fn the_model_loads_and_a_valid_request_passes() {
    validate("StartJobRun", &json!({"JobName": "etl", "Arguments": {"--a": "b"}, "Timeout": 5})).unwrap();
    validate("StartJobRun", &json!({"JobName": "name with ünïcode 🎉", "Timeout": null})).unwrap();
}

#[test]
fn the_error_names_missing_too_long_and_out_of_range_members() {
    assert_eq!(
        refused("StartJobRun", &json!({})),
        "ValidationException: 1 validation error detected: Value null at 'jobName' failed to satisfy \
         constraint: Member must not be null"
    );
    let both = refused("StartJobRun", &json!({"JobName": "", "Timeout": 0}));
    assert!(both.contains("2 validation errors detected"), "{both}");
    assert!(both.contains("Value '0' at 'timeout' failed to satisfy constraint"), "{both}");
    let ids: Vec<String> = (0..26).map(|n| format!("jr_{n}")).collect();
    let many = refused("BatchStopJobRun", &json!({"JobName": "etl", "JobRunIds": ids}));
    assert!(many.contains("at 'jobRunIds' failed to satisfy constraint: Member must have length less"), "{many}");
    let class = refused("StartJobRun", &json!({"JobName": "etl", "ExecutionClass": "SLOW"}));
    assert!(class.contains("Member must satisfy enum value set: [FLEX, STANDARD]"), "{class}");
}

#[test]
fn types_and_properties_of_connections_are_open() {
    let properties = json!({"SparkProperties": "{}", "VPC": "vpc-1"});
    let input = json!({"Name": "x", "ConnectionType": "SNOWFLAKE", "ConnectionProperties": properties});
    validate("CreateConnection", &json!({"ConnectionInput": input})).unwrap();
}

#[test]
fn a_member_of_the_wrong_type_is_a_serialization_error() {
    assert_eq!(
        refused("StartJobRun", &json!({"JobName": 5})),
        "SerializationException: NUMBER_VALUE can not be converted to a String"
    );
}

#[test]
fn a_name_with_a_line_break_is_refused() {
    assert!(refused("GetJob", &json!({"JobName": "a\nb"})).contains("regular expression pattern"));
}
