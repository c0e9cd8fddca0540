//! What holds for any two specs: applying the second after the first gives in Glue what applying the second alone
//! gives, and applying one twice changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::bench_tests::Bench;

fn text() -> impl Strategy<Value = String> {
    "[a-c]{1,2}"
}

fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map("[a-c]", text(), 0..3)
}

fn physical() -> impl Strategy<Value = Value> {
    let groups = prop::collection::vec(text(), 0..3);
    (prop::option::of(text()), groups, prop::option::of(text())).prop_map(
        |(subnet, groups, zone)| json!({"subnetId": subnet, "securityGroupIds": groups, "availabilityZone": zone}),
    )
}

fn authentication() -> impl Strategy<Value = Value> {
    let key = || json!({"name": "db", "key": "password"});
    prop_oneof![
        text().prop_map(move |user| json!({"type": "BASIC", "basic": {"username": user, "passwordSecretRef": key()}})),
        text().prop_map(|arn| json!({"type": "BASIC", "secretArn": arn})),
        (prop::option::of(text()), map(), prop::option::of(text())).prop_map(move |(url, parameters, kms)| json!({
            "type": "OAUTH2", "kmsKeyArn": kms, "oauth2": {
                "grantType": "CLIENT_CREDENTIALS", "clientApplication": {"userManagedClientId": "x"},
                "tokenUrl": url, "tokenUrlParameters": parameters, "clientSecretSecretRef": key(),
            },
        })),
        Just(json!({"type": "CUSTOM", "custom": [{"name": "k", "secretKeyRef": {"name": "db", "key": "password"}}]})),
        Just(json!({"type": "IAM"})),
    ]
}

/// Specs that the API server admits, of a type that Glue says nothing about.
fn specs() -> impl Strategy<Value = Value> {
    let known = prop_oneof![Just("JDBC_ENFORCE_SSL"), Just("KAFKA_SSL_ENABLED"), Just("HOST"), Just("USERNAME")];
    let properties = prop::collection::btree_map(known, prop_oneof![Just("true"), Just("false")], 0..4);
    let policies = (
        prop::option::of(prop_oneof![Just("Adopt"), Just("Fail")]),
        prop::option::of(prop_oneof![Just("Delete"), Just("Retain")]),
        prop::option::of(prop_oneof![
            Just(json!({})),
            Just(json!({"beforeCreate": true})),
            Just(json!({"everyMinutes": 5}))
        ]),
    );
    (
        (prop_oneof![Just("POSTGRESQL"), Just("HUBSPOT")], prop::option::of(text()), properties, any::<bool>()),
        (map(), map(), prop::option::of(physical()), prop::option::of(authentication())),
        (prop::collection::vec(text(), 0..3), map(), prop::option::of(any::<bool>())),
        policies,
    )
        .prop_map(
            |(
                (type_, description, properties, secret),
                (spark, athena, physical, authentication),
                (criteria, tags, validate),
                (adoption, deletion, test),
            )| {
                let from = json!([{"name": "PASSWORD", "secretKeyRef": {"name": "db", "key": "password"}}]);
                json!({
                    "connectionType": type_, "description": description, "properties": properties,
                    "propertiesFrom": secret.then_some(from), "sparkProperties": spark, "athenaProperties": athena,
                    "physicalRequirements": physical, "authentication": authentication, "matchCriteria": criteria,
                    "tags": tags, "validateCredentials": validate,
                    "adoptionPolicy": adoption, "deletionPolicy": deletion, "test": test,
                })
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_spec_is_all_that_counts(first in specs(), second in specs(), again in any::<bool>()) {
        let mut after = Bench::new(first);
        after.settle();
        after.edit(second.clone());
        after.settle();
        let mut alone = Bench::new(second.clone());
        alone.settle();
        let content = |bench: &Bench| bench.glue.as_ref().map(|stored| (stored.input.clone(), stored.tags.clone()));
        prop_assert_eq!(content(&after), content(&alone));

        let (calls, status) = (after.calls.len(), after.object.status.clone());
        if again {
            after.restart();
        }
        after.edit(second);
        after.settle();
        let tests_only = after.calls[calls..].iter().all(|act| matches!(act, super::actions::Act::Test));
        prop_assert!(tests_only, "{:?}", &after.calls[calls..]);
        let applied = |status: &Option<crate::api::GlueConnectionStatus>| {
            status.as_ref().and_then(|status| status.applied.clone())
        };
        prop_assert_eq!(applied(&status), applied(&after.object.status));
    }
}
