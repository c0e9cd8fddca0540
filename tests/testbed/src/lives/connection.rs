//! The lives of a GlueConnection.

use serde_json::{Value, json};

use super::{DATABASE, Life, OBJECT, Step, Until, create, patch, site::Glue, wait};

fn nothing(_: &Glue) {}

fn spec(extra: Value) -> Value {
    let password = json!({ "name": "PASSWORD", "secretKeyRef": { "name": DATABASE, "key": "password" } });
    let jdbc = json!({
        "connectionType": "JDBC",
        "properties": { "JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "USERNAME": "etl" },
        "propertiesFrom": [password],
    });
    super::site::merged(jdbc, extra)
}

/// What somebody else makes of it.
fn by_hand() -> Value {
    json!({ "Name": OBJECT, "ConnectionInput": {
        "Name": OBJECT, "ConnectionType": "JDBC", "Description": "by hand",
        "ConnectionProperties": { "JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/other",
            "SECRET_ID": "orders/db" },
    } })
}

pub(super) fn lives() -> Vec<Life> {
    let ready = || wait(Until::Ready);
    let password = |value: &str| wait(Until::InGlue("/connection/ConnectionProperties/PASSWORD", Value::from(value)));
    vec![
        Life {
            name: "is created, updated and deleted",
            prepare: nothing,
            steps: vec![
                create(spec(json!({}))),
                ready(),
                patch(json!({ "description": "new" })),
                ready(),
                patch(json!({ "matchCriteria": ["orders"] })),
                ready(),
                Step::Delete,
                wait(Until::Gone),
            ],
        },
        Life {
            name: "is tagged",
            prepare: nothing,
            steps: vec![
                create(spec(json!({ "tags": { "team": "orders" } }))),
                ready(),
                wait(Until::Status("/applied/tags", json!({ "team": "orders" }))),
                patch(json!({ "tags": { "team": null, "stage": "test" } })),
                wait(Until::Status("/applied/tags", json!({ "stage": "test" }))),
                ready(),
                patch(json!({ "tags": null })),
                wait(Until::InGlue("/tags", json!({}))),
                ready(),
            ],
        },
        Life {
            name: "gets a new password",
            prepare: nothing,
            steps: vec![
                create(spec(json!({}))),
                ready(),
                Step::Rotate("second password"),
                password("second password"),
                ready(),
                Step::Rotate("third password"),
                password("third password"),
                ready(),
            ],
        },
        Life {
            name: "is tested and changed",
            prepare: nothing,
            steps: vec![
                create(spec(json!({ "test": {} }))),
                wait(Until::Status("/lastTest/result", json!("Succeeded"))),
                ready(),
                patch(json!({ "description": "new" })),
                ready(),
            ],
        },
        Life {
            name: "is taken over, corrected and deleted",
            prepare: |glue| {
                glue.call("CreateConnection", &json!({ "ConnectionInput": by_hand()["ConnectionInput"] }));
            },
            steps: vec![
                create(spec(json!({ "adoptionPolicy": "Adopt", "deletionPolicy": "Delete" }))),
                ready(),
                Step::Call("UpdateConnection", by_hand()),
                wait(Until::InGlue("/connection/Description", Value::Null)),
                ready(),
                Step::Delete,
                wait(Until::Gone),
            ],
        },
        Life {
            name: "is deleted and created again",
            prepare: nothing,
            steps: vec![
                create(spec(json!({}))),
                ready(),
                Step::Delete,
                wait(Until::Gone),
                create(spec(json!({ "description": "another" }))),
                ready(),
                patch(json!({ "description": "yet another" })),
                ready(),
            ],
        },
    ]
}
