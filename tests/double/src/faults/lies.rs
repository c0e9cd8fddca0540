//! Answers of operations that were not run, as if they had been.

use serde_json::{Map, Value, json};

use crate::wire::random_hex;

/// The answer of a successful call with this body; none for an operation that changes nothing.
#[must_use]
pub fn pretended(operation: &str, body: &Value) -> Option<Value> {
    let name = || json!({ "Name": body["Name"] });
    let list = |member: &str| body[member].as_array().cloned().unwrap_or_default();
    Some(match operation {
        "StartJobRun" => json!({ "JobRunId": format!("jr_{}", random_hex(64)) }),
        "BatchStopJobRun" => {
            let stopped = |id: Value| json!({ "JobName": body["JobName"], "JobRunId": id });
            let stopped: Vec<_> = list("JobRunIds").into_iter().map(stopped).collect();
            json!({ "SuccessfulSubmissions": stopped, "Errors": [] })
        }
        "StartWorkflowRun" => json!({ "RunId": format!("wr_{}", random_hex(64)) }),
        "ResumeWorkflowRun" => json!({ "RunId": format!("wr_{}", random_hex(64)), "NodeIds": body["NodeIds"] }),
        "StartTrigger" | "StopTrigger" => name(),
        "CreateConnection" => json!({ "CreateConnectionStatus": "READY" }),
        "BatchDeleteConnection" => json!({ "Succeeded": list("ConnectionNameList"), "Errors": {} }),
        "StartCrawler" | "StopCrawler" | "StopWorkflowRun" | "UpdateConnection" | "TestConnection" | "TagResource"
        | "UntagResource" => Value::Object(Map::new()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_of_a_batch_has_succeeded_and_reads_are_not_answered() {
        let body = json!({ "JobName": "etl", "JobRunIds": ["a", "b"] });
        let answer = pretended("BatchStopJobRun", &body).unwrap();
        assert_eq!(answer["SuccessfulSubmissions"][1], json!({ "JobName": "etl", "JobRunId": "b" }));
        assert_eq!(answer["Errors"], json!([]));
        assert_eq!(pretended("GetJobRun", &json!({})), None);
    }
}
