//! Properties of any two specs: Glue holds the same connection whether the second spec is applied after the first or
//! alone, and a spec applied twice sends no call but a test.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixture::{Fault, Fixture};
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

/// Specs that the API server admits, of types for which AWS documents no required properties.
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
                    "propertiesFrom": secret.then_some(from.clone()), "sparkProperties": spark,
                    "sparkPropertiesFrom": secret.then_some(from), "athenaProperties": athena,
                    "physicalRequirements": physical, "authentication": authentication, "matchCriteria": criteria,
                    "tags": tags, "validateCredentials": validate,
                    "adoptionPolicy": adoption, "deletionPolicy": deletion, "test": test,
                })
            },
        )
}

/// An event that affects a connection or its object.
#[derive(Clone, Debug)]
enum Event {
    /// The next call of this kind has this fault.
    Fault(Call, Fault),
    /// The user changes the spec.
    Edit(Value),
    /// The user writes the Secret.
    Secret(String),
    /// Another caller changes the connection.
    ByHand(String),
    /// Another caller deletes the connection.
    Deleted,
    /// The controller restarts.
    Restart,
    /// A pass.
    Pass,
}

fn event() -> impl Strategy<Value = Event> {
    let call = prop_oneof![Just(Call::Create), Just(Call::Update), Just(Call::Delete), Just(Call::Test)];
    let fault = prop_oneof![
        Just(Fault::Rejected(ErrorKind::Throttled)),
        Just(Fault::ResponseLost),
        Just(Fault::CrashBefore),
        Just(Fault::CrashAfter),
    ];
    prop_oneof![
        3 => (call, fault).prop_map(|(call, fault)| Event::Fault(call, fault)),
        2 => specs().prop_map(Event::Edit),
        1 => "[a-z]{5}".prop_map(Event::Secret),
        1 => "[a-z]{5}".prop_map(Event::ByHand),
        1 => Just(Event::Deleted),
        1 => Just(Event::Restart),
        4 => Just(Event::Pass),
    ]
}

fn apply(fixture: &mut Fixture, event: Event) {
    match event {
        Event::Fault(call, fault) => fixture.faults.push((call, fault)),
        Event::Edit(spec) => fixture.edit(spec),
        Event::Secret(password) => fixture.write_secret(&password),
        Event::ByHand(value) if fixture.glue.is_some() => fixture.by_hand(|input| {
            input.properties.insert("PASSWORD".to_owned(), Sensitive::new(value.clone()));
            input.description = Some(value);
        }),
        Event::ByHand(_) => {}
        Event::Deleted => fixture.glue = None,
        Event::Restart => fixture.restart(),
        Event::Pass => {
            fixture.pass();
            fixture.pass_time(2);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn glue_holds_the_last_spec_only(first in specs(), second in specs(), restart in any::<bool>()) {
        let mut after = Fixture::new(first);
        after.settle();
        after.edit(second.clone());
        after.settle();
        let mut alone = Fixture::new(second.clone());
        alone.settle();
        let content = |of: &Fixture| of.glue.as_ref().map(|stored| (stored.input.clone(), stored.tags.clone()));
        prop_assert_eq!(content(&after), content(&alone));

        let (calls, status) = (after.calls.len(), after.object.status.clone());
        if restart {
            after.restart();
        }
        after.edit(second);
        after.settle();
        let tests_only = after.calls[calls..].iter().all(|call| matches!(call, Call::Test));
        prop_assert!(tests_only, "{:?}", &after.calls[calls..]);
        let applied = |status: &Option<crate::api::GlueConnectionStatus>| {
            status.as_ref().and_then(|status| status.applied.clone())
        };
        prop_assert_eq!(applied(&status), applied(&after.object.status));
    }

    #[test]
    fn after_any_events_the_last_spec_is_applied_and_deletion_leaves_nothing_behind(
        first in specs(),
        events in prop::collection::vec(event(), 0..20),
        last in specs(),
    ) {
        let mut fixture = Fixture::new(first);
        for event in events {
            apply(&mut fixture, event);
        }
        // A connection that another caller changed before ownership was confirmed has to be adopted.
        let mut last = last;
        last["adoptionPolicy"] = json!("Adopt");
        last["deletionPolicy"] = json!("Delete");
        fixture.edit(last);
        fixture.settle();
        let input = fixture.inputs().unwrap().input;
        prop_assert_eq!(fixture.glue.as_ref().map(|stored| &stored.input), Some(&input));
        let ready = fixture.object.status.as_ref().and_then(|status| status.declared.condition("Ready").cloned());
        prop_assert_eq!(ready.map(|ready| ready.reason), Some("InSync".to_owned()));
        fixture.delete();
        fixture.settle();
        prop_assert_eq!((fixture.glue.as_ref(), fixture.released.as_slice()), (None, [None].as_slice()));
    }
}
