//! `spec.credentials`, which all kinds share: tested with job runs.

use kube_glue::api::GlueJobRun;
use serde_json::{Map, Value, json};

use super::job_run::{assert_rejected, spec};
use super::{assert_accepted, long};

const ROLE: &str = "arn:aws:iam::123456789012:role/etl";

/// `count` session tags.
fn tags(count: usize) -> Value {
    (0..count).map(|n| (format!("tag {n}"), json!("x"))).collect::<Map<_, _>>().into()
}

#[tokio::test]
async fn credentials_that_sts_accepts_are_accepted() {
    let credentials = [
        json!({"profile": "team-a"}),
        json!({"secretName": "keys.team-a"}),
        json!({"profile": long(128), "assumeRole": {"roleArn": ROLE}}),
        json!({"secretName": "keys", "profile": null, "assumeRole": {"externalId": "tenant-7"}}),
        json!({"assumeRole": {"roleArn": "arn:aws-us-gov:iam::123456789012:role/team/a/etl"}}),
        json!({"assumeRole": {"roleArn": ROLE, "externalId": "a:b/c=d,e.f@g+h", "sessionName": long(64), "sourceIdentity": "me"}}),
        json!({"assumeRole": {"sessionTags": tags(48)}}),
        json!({"assumeRole": {"sessionTags": {"Kostenstelle Süd": "7", "a_b.c:d/e=f+g-h@i": ""}}}),
        json!({"assumeRole": {"sessionTags": {long(128): long(256)}}}),
        json!({"assumeRole": {"durationSeconds": 900}}),
        json!({"assumeRole": {"durationSeconds": 43200}}),
    ];
    let specs = credentials.map(|credentials| spec(json!({"credentials": credentials})));
    assert_accepted::<GlueJobRun>(specs).await;
}

#[tokio::test]
async fn credentials_that_sts_would_reject_are_rejected() {
    let role = |field: &str, value: Value| json!({"assumeRole": {field: value}});
    let tag = |key: &str, value: &str| json!({"assumeRole": {"sessionTags": {key: value}}});
    let own_tags = "keys that begin with kube-glue- are reserved for the controller, those with aws: for AWS";
    let keys = "keys are up to 128 letters, digits, spaces and any of _.:/=+-@, as STS admits them";
    let cases = [
        (
            json!({"secretName": "keys", "profile": "team-a"}),
            "profile names credentials of the controller, secretName those of the namespace: keep one of them",
        ),
        // A Secret of another namespace, or another API path.
        (json!({"secretName": "other/keys"}), "spec.credentials.secretName: Invalid value"),
        (json!({"secretName": "../../other/secrets/keys"}), "spec.credentials.secretName: Invalid value"),
        (json!({"secretName": "keys?watch=true"}), "spec.credentials.secretName: Invalid value"),
        (json!({"secretName": "keys/"}), "spec.credentials.secretName: Invalid value"),
        (json!({"secretName": "Keys"}), "spec.credentials.secretName: Invalid value"),
        (json!({"secretName": ".."}), "spec.credentials.secretName: Invalid value"),
        (json!({"profile": ""}), "spec.credentials.profile"),
        (json!({"profile": long(129)}), "spec.credentials.profile: Too long"),
        (role("roleArn", json!("etl")), "spec.credentials.assumeRole.roleArn"),
        (
            role("roleArn", json!("arn:aws:iam::123456789012:user/etl")),
            "spec.credentials.assumeRole.roleArn: Invalid value",
        ),
        (
            role("roleArn", json!("arn:aws:iam::12345:role/etl-of-orders")),
            "spec.credentials.assumeRole.roleArn: Invalid value",
        ),
        (role("roleArn", json!(format!("{ROLE}\n"))), "spec.credentials.assumeRole.roleArn: Invalid value"),
        (role("externalId", json!("x")), "spec.credentials.assumeRole.externalId"),
        (role("externalId", json!(long(1225))), "spec.credentials.assumeRole.externalId: Too long"),
        (role("externalId", json!("a b")), "spec.credentials.assumeRole.externalId: Invalid value"),
        (role("sessionName", json!("x")), "spec.credentials.assumeRole.sessionName"),
        (role("sessionName", json!(long(65))), "spec.credentials.assumeRole.sessionName: Too long"),
        (role("sessionName", json!("a/b")), "spec.credentials.assumeRole.sessionName: Invalid value"),
        (role("sourceIdentity", json!("x")), "spec.credentials.assumeRole.sourceIdentity"),
        (role("sourceIdentity", json!(long(65))), "spec.credentials.assumeRole.sourceIdentity: Too long"),
        (role("sourceIdentity", json!("a:b")), "spec.credentials.assumeRole.sourceIdentity: Invalid value"),
        (role("durationSeconds", json!(899)), "spec.credentials.assumeRole.durationSeconds"),
        (role("durationSeconds", json!(43201)), "spec.credentials.assumeRole.durationSeconds"),
        (role("sessionTags", tags(49)), "spec.credentials.assumeRole.sessionTags: Too many"),
        (tag("kube-glue-namespace", "other"), own_tags),
        (tag("Kube-Glue-Kind", "other"), own_tags),
        (tag("aws:x", "y"), own_tags),
        (tag("", "y"), keys),
        (tag("a;b", "y"), keys),
        (tag(&long(129), "y"), keys),
        (tag("a", &long(257)), "spec.credentials.assumeRole.sessionTags.a: Too long"),
        (tag("a", "b;c"), "spec.credentials.assumeRole.sessionTags.a: Invalid value"),
    ];
    assert_rejected(cases.into_iter().map(|(credentials, text)| (json!({"credentials": credentials}), text))).await;
}

#[tokio::test]
async fn each_invalid_field_of_assume_role_is_named() {
    let cases = [
        (json!({"roleArn": "etl"}), "roleArn"),
        (json!({"sessionTags": {"kube-glue-namespace": "owner"}}), "reserved for the controller"),
        (json!({"sessionTags": {"Kube-Glue-Kind": "x"}}), "reserved for the controller"),
        (json!({"sessionTags": {"a!": "x"}}), "as STS admits them"),
        (json!({"sessionTags": {"a": "x!"}}), "sessionTags"),
        (json!({"externalId": "x"}), "externalId"),
        (json!({"sessionName": "a b"}), "sessionName"),
        (json!({"sourceIdentity": "x"}), "sourceIdentity"),
        (json!({"durationSeconds": 60}), "durationSeconds"),
    ];
    let both = (json!({"credentials": {"profile": "a", "secretName": "b"}}), "keep one of them");
    let cases = cases.map(|(assume, text)| (json!({"credentials": {"assumeRole": assume}}), text));
    assert_rejected(cases.into_iter().chain([both])).await;
}
