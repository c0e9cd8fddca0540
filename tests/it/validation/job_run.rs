//! GlueJobRun. The rules that all runs share are tested here.

mod accepted;
mod rejected;
mod updates;

use kube_glue::api::GlueJobRun;
use serde_json::{Value, json};

use crate::harness::merged;

/// A spec with `extra` in it.
pub fn spec(extra: Value) -> Value {
    merged(json!({"jobName": "etl"}), extra)
}

/// Asserts that the API server rejects job runs with these fields, each with this text in its message.
pub async fn assert_rejected(cases: impl IntoIterator<Item = (Value, &str)>) {
    let cases = cases.into_iter().map(|(extra, text)| (spec(extra), text));
    super::assert_rejected::<GlueJobRun>(cases).await;
}
