//! As whom an object talks to AWS.

use serde_json::{Map, Value, json};

use super::{are_refused, create, long, runs, with};

const ROLE: &str = "arn:aws:iam::123456789012:role/etl";

/// As many session tags.
fn tags(count: usize) -> Value {
    (0..count).map(|n| (format!("tag {n}"), json!("x"))).collect::<Map<_, _>>().into()
}

#[tokio::test]
async fn what_sts_takes_is_admitted() {
    let runs = runs().await;
    for credentials in [
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
    ] {
        assert_eq!(create(&runs, &with(&json!({"credentials": credentials}))).await, Ok(()), "{credentials}");
    }
}

#[tokio::test]
async fn what_sts_does_not_take_is_refused() {
    let role = |field: &str, value: Value| json!({"assumeRole": {field: value}});
    let tag = |key: &str, value: &str| json!({"assumeRole": {"sessionTags": {key: value}}});
    let ours = "keys that begin with kube-glue- are the controller's, those with aws: are AWS's";
    let keys = "keys are up to 128 letters, digits, spaces and any of _.:/=+-@, as STS admits them";
    let cases = [
        (
            json!({"secretName": "keys", "profile": "team-a"}),
            "profile names credentials of the controller, secretName those of the namespace: keep one of them",
        ),
        // A Secret of another namespace, or whatever else a path could lead to.
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
        (tag("kube-glue-namespace", "other"), ours),
        (tag("Kube-Glue-Kind", "other"), ours),
        (tag("aws:x", "y"), ours),
        (tag("", "y"), keys),
        (tag("a;b", "y"), keys),
        (tag(&long(129), "y"), keys),
        (tag("a", &long(257)), "spec.credentials.assumeRole.sessionTags.a: Too long"),
        (tag("a", "b;c"), "spec.credentials.assumeRole.sessionTags.a: Invalid value"),
    ];
    are_refused(cases.into_iter().map(|(credentials, words)| (json!({"credentials": credentials}), words)).collect())
        .await;
}
