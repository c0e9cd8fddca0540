use serde_json::json;

use super::*;

fn refused(operation: &str, body: &Value) -> String {
    validate(operation, body).unwrap_err().to_string()
}

#[test]
fn the_model_loads_and_a_good_request_passes() {
    validate("StartJobRun", &json!({"JobName": "etl", "Arguments": {"--a": "b"}, "Timeout": 5})).unwrap();
    validate("StartJobRun", &json!({"JobName": "name with ünïcode 🎉", "Timeout": null})).unwrap();
}

#[test]
fn what_is_missing_too_long_or_out_of_range_is_named() {
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
fn wrong_types_cannot_be_read() {
    assert_eq!(
        refused("StartJobRun", &json!({"JobName": 5})),
        "SerializationException: NUMBER_VALUE can not be converted to a String"
    );
}

#[test]
fn line_breaks_are_no_part_of_a_name() {
    assert!(refused("GetJob", &json!({"JobName": "a\nb"})).contains("regular expression pattern"));
}
