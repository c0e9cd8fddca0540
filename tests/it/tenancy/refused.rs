//! What a tenant tries to use that is not theirs.

use kube_glue::api::run::Phase;
use kube_glue_double::Double;
use serde_json::json;

use super::{OTHERS, ROLE, two_accounts};
use crate::world::{DEFAULT_SECRET, PATIENCE};

/// Each line: a name, what the Secret of that name holds beside the keys (nothing: there is no such Secret),
/// what the object says, the reason, and words of the message.
#[tokio::test]
async fn what_belongs_to_others_is_refused_without_a_call() {
    let mut world = two_accounts("refused", |role| role).await;
    let elsewhere = Double::start().await.expect("another double");
    // The controller could assume the role itself, and this namespace may use the controller's identity.
    world
        .aws
        .extend([("AWS_ACCESS_KEY_ID", world.key.id.clone()), ("AWS_SECRET_ACCESS_KEY", world.key.secret.clone())]);
    world.set(&[
        ("--controller-identity-namespaces", "refused-*"),
        ("--allowed-roles", "owner=*"),
        ("--allowed-profiles", "owner=*"),
        ("--allowed-endpoints", ".vpce.amazonaws.com"),
    ]);
    world.start_controller();
    let url = elsewhere.url();
    let cases = [
        ("role-in-secret", vec![("AWS_ROLE_ARN", ROLE)], json!({}), "RoleNotAllowed", ROLE),
        ("role-in-spec", vec![], json!({"assumeRole": {"roleArn": ROLE}}), "RoleNotAllowed", "--allowed-roles"),
        ("endpoint", vec![("AWS_ENDPOINT_URL", url.as_str())], json!({}), "EndpointNotAllowed", "--allowed-endpoints"),
        ("sts", vec![("AWS_ENDPOINT_URL_STS", url.as_str())], json!({}), "EndpointNotAllowed", "AWS_ENDPOINT_URL_STS"),
        (
            "china",
            vec![("AWS_ROLE_ARN", "arn:aws-cn:iam::222222222222:role/etl")],
            json!({}),
            "SecretInvalid",
            "partition",
        ),
        ("nameless", vec![], json!({"assumeRole": {"externalId": "xy"}}), "RoleMissing", "roleArn"),
    ];
    for (name, more, credentials, ..) in &cases {
        let keys = [("AWS_ACCESS_KEY_ID", world.key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", world.key.secret.as_str())];
        world.put_secret(name, &[&keys[..], more].concat()).await;
        let credentials = crate::world::merged(json!({"secretName": name}), credentials.clone());
        world.run(name, "theirs", json!({"credentials": credentials})).await;
    }
    // With the controller's identity: its role is no more theirs than with keys.
    world.run("own-role", "theirs", json!({"credentials": {"assumeRole": {"roleArn": ROLE}}})).await;
    world.run("profile", "theirs", json!({"credentials": {"profile": "owner"}})).await;
    world.run("secret", "theirs", json!({"credentials": {"secretName": "secret-of-another-namespace"}})).await;
    for (name, _, _, reason, words) in &cases {
        let message = world.reason(name, reason).await;
        assert!(message.contains(words), "{name}: {message}");
    }
    let message = world.reason("own-role", "RoleNotAllowed").await;
    assert!(message.contains("with the controller's credentials"), "{message}");
    world.reason("profile", "ProfileNotAllowed").await;
    world.reason("secret", "SecretNotFound").await;

    assert_eq!(world.double.requests().total(), 0, "AWS was not asked for anything");
    assert_eq!(elsewhere.requests().total(), 0, "nothing was sent elsewhere");
    assert_eq!(world.double.requests().all().account(OTHERS).count(), 0);

    // What the operator's lists have nothing to say about goes on.
    world.put_credentials(DEFAULT_SECRET).await;
    world.run("good", "etl", json!({})).await;
    world.over("good", Phase::Succeeded).await;
}

#[tokio::test]
async fn the_api_server_refuses_what_sts_would() {
    let world = two_accounts("grammar", |role| role).await;
    for (assume, words) in [
        (json!({"roleArn": "etl"}), "roleArn"),
        (json!({"sessionTags": {"kube-glue-namespace": "owner"}}), "controller's"),
        (json!({"sessionTags": {"Kube-Glue-Kind": "x"}}), "controller's"),
        (json!({"sessionTags": {"a!": "x"}}), "as STS admits them"),
        (json!({"sessionTags": {"a": "x!"}}), "sessionTags"),
        (json!({"externalId": "x"}), "externalId"),
        (json!({"sessionName": "a b"}), "sessionName"),
        (json!({"sourceIdentity": "x"}), "sourceIdentity"),
        (json!({"durationSeconds": 60}), "durationSeconds"),
    ] {
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "one"},
            "spec": {"jobName": "etl", "credentials": {"assumeRole": assume}},
        });
        let refusal = world.create(object).await.expect_err("it is refused").to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let both = json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "one"},
        "spec": {"jobName": "etl", "credentials": {"profile": "a", "secretName": "b"}},
    });
    let refusal = world.create(both).await.expect_err("it is refused").to_string();
    assert!(refusal.contains("keep one of them"), "{refusal}");
}

#[tokio::test]
async fn an_endpoint_that_is_listed_is_used() {
    let mut world = two_accounts("endpoint", |role| role).await;
    let double = Double::start().await.expect("another double");
    let address = double.url();
    world.set(&[("--allowed-endpoints", &address)]);
    world.start_controller();
    let key = double.default_key();
    let secret = [
        ("AWS_ACCESS_KEY_ID", key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.as_str()),
        ("AWS_ENDPOINT_URL", address.as_str()),
    ];
    world.put_secret(DEFAULT_SECRET, &secret).await;
    world.run("one", "etl", json!({})).await;
    let arrived = double.requests().wait_for_count("StartJobRun", 1);
    tokio::time::timeout(PATIENCE, arrived).await.expect("it arrives there");
    assert_eq!(world.double.requests().total(), 0);
}
