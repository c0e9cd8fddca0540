//! Whatever goes wrong, no secret value gets into what people see: status, events, logs at their most talkative,
//! metrics and probes. Every [`World`] looks through all of them in the end; here it is made to stumble over its
//! secrets in as many ways as there are.

use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Role, RunScript, Then};
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, HASTY, World, endless, places_of};

/// A value that is found wherever it gets to.
const TOKEN: &str = "FwoGZXIvYXdzEHcaDGt1YmUtZ2x1ZS1zZWNyZXQ";
const PASSWORD: &str = "tr0ub4dor-and-three";

#[tokio::test]
async fn no_secret_value_is_shown_whatever_goes_wrong() {
    let mut world = World::without_controller("leak").await;
    world.set(HASTY);
    let (id, secret) = (world.key.id.clone(), world.key.secret.clone());
    let (wrong, newline) = ("nobody-knows-this-secret".to_owned(), format!("{secret}\n"));
    let no_region = format!("{PASSWORD}!");
    world.secrets.extend([wrong.clone(), TOKEN.to_owned(), PASSWORD.to_owned()]);
    world.double.define_role(Role::new("arn:aws:iam::222222222222:role/etl").external_id("x"));
    for (name, data) in [
        (DEFAULT_SECRET, vec![("AWS_ACCESS_KEY_ID", id.as_str()), ("AWS_SECRET_ACCESS_KEY", &secret)]),
        ("wrong", vec![("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &wrong)]),
        ("newline", vec![("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &newline)]),
        ("token", vec![("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &secret), ("AWS_SESSION_TOKEN", TOKEN)]),
        // As it happens: the values in each other's place.
        ("swapped", vec![("AWS_ACCESS_KEY_ID", &secret), ("AWS_SECRET_ACCESS_KEY", &id)]),
        ("region", vec![("AWS_ACCESS_KEY_ID", &id), ("AWS_SECRET_ACCESS_KEY", &secret), ("AWS_REGION", &no_region)]),
        (
            "role",
            vec![
                ("AWS_ACCESS_KEY_ID", &id),
                ("AWS_SECRET_ACCESS_KEY", &secret),
                ("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/etl"),
                ("AWS_EXTERNAL_ID", "not-that-one"),
            ],
        ),
        ("db", vec![("password", PASSWORD)]),
    ] {
        world.put_secret(name, &data).await;
    }
    world.job(JobDefinition::new("endless").script(endless()));
    world.job(JobDefinition::new("leaky").script(RunScript::fails(&format!("cannot log in with {PASSWORD}"))));
    world.double.faults().add(Fault::on("StartJobRun").name("endless").nth(1).then(Then::DropAnswerAfterWork));
    world.double.faults().add(Fault::on("GetJobRun").nth(2).then(Then::Http500));
    world.start_controller();

    for (name, reason) in [
        ("wrong", "CredentialsNotAccepted"),
        ("newline", "SecretInvalid"),
        ("token", "CredentialsNotAccepted"),
        ("swapped", "CredentialsNotAccepted"),
        ("role", "AccessDenied"),
        ("region", "SecretInvalid"),
    ] {
        world.run(name, "etl", json!({"credentials": {"secretName": name}})).await;
        world.reason(name, reason).await;
    }
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    world.run("leaky", "leaky", json!({"argumentsFrom": from})).await;
    world.run("live", "endless", json!({"argumentsFrom": from})).await;
    let live = world.phase("live", Phase::Running).await;
    world.known("leaky").await;
    world.double.clock().step(std::time::Duration::from_mins(10));
    world.over("leaky", Phase::Failed).await;
    world.delete("live").await;
    world.gone(&live).await;
    let start = &world.double.requests().of("StartJobRun").name("leaky")[0];
    assert_eq!(start.field("Arguments/--password"), Some(json!(PASSWORD)), "it did get where it belongs");
    world.assert_nothing_leaked().await;
}

/// What the search cannot find, it finds nowhere.
#[tokio::test]
async fn the_search_sees_all_that_is_emitted() {
    let world = World::new("search").await;
    let run = world.run("seen", "etl", json!({})).await;
    world.over("seen", Phase::Succeeded).await;
    // Events are filed in the background; with the last one the others are on record.
    world.event("Succeeded").await;
    world.delete("seen").await;
    world.gone(&run).await;
    let emitted = world.emitted().await;
    assert_eq!(places_of("GlueJobRun", &emitted), ["it/metrics", "logs", "written"]);
    assert_eq!(places_of("held by this replica", &emitted), ["it/readyz", "logs"]);
    // The list of Secrets has no data; else the search would have found that.
    assert!(emitted["written"].contains("PartialObjectMetadataList"));
    // An event, and a status of an object that is gone.
    assert!(emitted["written"].contains("reportingController") && emitted["written"].contains("executionSeconds"));
    let texts = [("base64", "c2VjcmV0IHZhbHVl"), ("form", "secret%20value"), ("nothing", "secretvalue")];
    let texts = texts.map(|(place, text)| (place.to_owned(), format!("{{\"{text}\"}}"))).into();
    assert_eq!(places_of("secret value", &texts), ["base64", "form"]);
}
