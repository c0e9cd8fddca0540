//! What holds for any two specs: applying the second after the first gives in Glue what applying the second alone
//! gives, and applying one twice changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Fate, Fixture};
use crate::controllers::connection::calls::Call;
use crate::glue::ErrorKind;
use crate::glue::identity::Sensitive;

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

/// Something that happens to a connection or its object.
#[derive(Clone, Debug)]
enum Turn {
    /// The next call of this kind goes so.
    Fate(Call, Fate),
    /// The spec is changed.
    Edit(Value),
    /// The Secret is written.
    Secret(String),
    /// Somebody else changes the connection.
    ByHand(String),
    /// Somebody else deletes it.
    NotFound,
    /// The controller begins anew.
    Restart,
    /// A pass.
    Pass,
}

fn turns() -> impl Strategy<Value = Turn> {
    let act = prop_oneof![Just(Call::Create), Just(Call::Update), Just(Call::Delete), Just(Call::Test)];
    let fate = prop_oneof![
        Just(Fate::Refused(ErrorKind::Throttled)),
        Just(Fate::Lost),
        Just(Fate::DiesBefore),
        Just(Fate::DiesAfter),
    ];
    prop_oneof![
        3 => (act, fate).prop_map(|(act, fate)| Turn::Fate(act, fate)),
        2 => specs().prop_map(Turn::Edit),
        1 => "[a-z]{5}".prop_map(Turn::Secret),
        1 => "[a-z]{5}".prop_map(Turn::ByHand),
        1 => Just(Turn::NotFound),
        1 => Just(Turn::Restart),
        4 => Just(Turn::Pass),
    ]
}

fn take(bench: &mut Fixture, turn: Turn) {
    match turn {
        Turn::Fate(act, fate) => bench.fates.push((act, fate)),
        Turn::Edit(spec) => bench.edit(spec),
        Turn::Secret(password) => bench.write_secret(&password),
        Turn::ByHand(value) if bench.glue.is_some() => bench.by_hand(|input| {
            input.properties.insert("PASSWORD".to_owned(), Sensitive::new(value.clone()));
            input.description = Some(value);
        }),
        Turn::ByHand(_) => {}
        Turn::NotFound => bench.glue = None,
        Turn::Restart => bench.restart(),
        Turn::Pass => {
            bench.pass();
            bench.pass_time(2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_last_spec_is_all_that_counts(first in specs(), second in specs(), again in any::<bool>()) {
        let mut after = Fixture::new(first);
        after.settle();
        after.edit(second.clone());
        after.settle();
        let mut alone = Fixture::new(second.clone());
        alone.settle();
        let content = |bench: &Fixture| bench.glue.as_ref().map(|stored| (stored.input.clone(), stored.tags.clone()));
        prop_assert_eq!(content(&after), content(&alone));

        let (calls, status) = (after.calls.len(), after.object.status.clone());
        if again {
            after.restart();
        }
        after.edit(second);
        after.settle();
        let tests_only = after.calls[calls..].iter().all(|act| matches!(act, crate::controllers::connection::calls::Call::Test));
        prop_assert!(tests_only, "{:?}", &after.calls[calls..]);
        let applied = |status: &Option<crate::api::GlueConnectionStatus>| {
            status.as_ref().and_then(|status| status.applied.clone())
        };
        prop_assert_eq!(applied(&status), applied(&after.object.status));
    }

    #[test]
    fn whatever_goes_wrong_the_spec_stands_in_the_end_and_nothing_is_left_behind(
        first in specs(),
        turns in prop::collection::vec(turns(), 0..20),
        last in specs(),
    ) {
        let mut bench = Fixture::new(first);
        for turn in turns {
            take(&mut bench, turn);
        }
        // What somebody changed before the creation was known for ours has to be taken over.
        let mut last = last;
        last["adoptionPolicy"] = json!("Adopt");
        last["deletionPolicy"] = json!("Delete");
        bench.edit(last);
        bench.settle();
        let input = bench.inputs().unwrap().input;
        prop_assert_eq!(bench.glue.as_ref().map(|stored| &stored.input), Some(&input));
        let ready = bench.object.status.as_ref().and_then(|status| status.declared.condition("Ready").cloned());
        prop_assert_eq!(ready.map(|ready| ready.reason), Some("InSync".to_owned()));
        bench.delete();
        bench.settle();
        prop_assert_eq!((bench.glue.as_ref(), bench.released.as_slice()), (None, [None].as_slice()));
    }
}
