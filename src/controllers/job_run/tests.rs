//! No value of a Secret, in whatever form, is in a status or an Event about a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::api::run::Phase;
use crate::controllers::run::events::of_transition;
use crate::controllers::run::tests::fixture::{Fixture, live};
use crate::controllers::runtime::problem::Problem;
use crate::glue::job_runs::JobRunState;
use crate::glue::poller::Observation;
use crate::redaction::tests::{encoded, encodings, part_of, values};
use crate::redaction::{HIDDEN, MIN_LENGTH, Redactor};

fn object(namespace: &str, argument: &Value) -> GlueJobRun {
    serde_json::from_value(json!({
        "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun",
        "metadata": {"namespace": namespace, "name": "one", "uid": "uid"},
        "spec": {"jobName": "etl", "argumentsFrom": [argument]},
    }))
    .expect("an object")
}

fn from_secret(optional: bool) -> Value {
    json!({"name": "--password", "secretKeyRef": {"name": "db", "key": "password", "optional": optional}})
}

/// A failed run with these words, which Glue shows with this argument.
fn failed(words: &str, argument: Option<&str>) -> JobRunItem {
    let arguments = argument.map(|value| ("--password".to_owned(), Sensitive::new(value.to_owned())));
    let run = JobRun {
        error_message: Some(words.to_owned()),
        state_detail: Some(words.to_owned()),
        arguments: Some(Arc::new(arguments.into_iter().collect())),
        ..JobRun::fixture("jr_1", JobRunState::Failed)
    };
    JobRunItem { run, retry_expected: false }
}

/// What a pass keeps of the item, by what it knows.
fn redacted(object: &GlueJobRun, mut item: JobRunItem) -> JobRunItem {
    let redactor = match object.given(&item) {
        Ok(given) => Redactor::new(&given),
        Err(withheld) => Redactor::default().withholding(Some(withheld)),
    };
    for words in GlueJobRun::words(&mut item) {
        *words = redactor.redact(words);
    }
    item
}

/// Everything that is shown of the item: the status with its conditions, and the Event and the log line.
fn shown(object: &GlueJobRun, item: &JobRunItem) -> String {
    let fixture = Fixture { observation: object.observe(item).map(Observation::Present), ..Fixture::new() };
    let fixture = fixture.with(Phase::Running, live());
    let planned = fixture.plan();
    let event = of_transition(&fixture.status, &planned.status);
    let note = event.and_then(|(_, event)| event.note).unwrap_or_default();
    let status = object.render(None, planned.status, Some(item));
    format!("{} {note}", serde_json::to_value(status).expect("a status"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_encoding_of_an_argument_is_shown_of_a_run(
        value in values(),
        which in 0..5_usize,
        chain in encodings(),
        before in "[a-zA-Z0-9 .:,='{]{0,20}",
    ) {
        let part = part_of(&value, which);
        prop_assume!(part.trim().len() >= MIN_LENGTH && !HIDDEN.contains(part.trim()));
        let quoted = encoded(&part, &chain);
        let object = object("a", &from_secret(false));
        let item = redacted(&object, failed(&format!("{before}{quoted} was refused"), Some(&value)));
        let shown = shown(&object, &item);
        prop_assert!(shown.contains(HIDDEN), "{shown}");
        let core = json!(encoded(part.trim(), &chain)).to_string();
        prop_assert!(!shown.contains(core.trim_matches('"')), "{:?} shows {}", quoted, shown);
        // The refusal of a start, as it is shown to everybody who waits for the same cause.
        let error = Error {
            operation: "StartJobRun",
            object: "job etl".to_owned(),
            kind: ErrorKind::Invalid,
            code: quoted.clone(),
            message: format!("{before}{quoted}"),
        };
        let values = [Sensitive::new(value)];
        let redactor = Redactor::new(&values);
        let problem = Problem::of(&error.redacted(&redactor), None);
        prop_assert!(!problem.message.contains(&encoded(part.trim(), &chain)), "{}", problem.message);
    }
}

#[test]
fn the_words_about_a_run_whose_values_are_not_known_are_withheld() {
    let words = "login with hunter2 failed";
    let withheld = |object: &GlueJobRun, item: JobRunItem| {
        let words = redacted(object, item).run.error_message.expect("words");
        assert!(!words.contains("hunter2"), "{words}");
        words.contains("withheld")
    };
    let required = object("a", &from_secret(false));
    assert!(!withheld(&required, failed(words, Some("hunter2"))), "the version that the run was started with");
    assert!(withheld(&required, failed(words, None)), "Glue does not show the argument");
    let hidden = failed(words, None).run;
    let without = JobRunItem { run: JobRun { arguments: None, ..hidden }, retry_expected: false };
    assert!(withheld(&required, without.clone()) && withheld(&object("a", &from_secret(true)), without));
    let none = failed("no password was given", None);
    assert!(!withheld(&object("a", &from_secret(true)), none), "an optional key that did not exist");
    // Another object of the namespace may have had the value from a Secret.
    let mut shared = failed(words, Some("hunter2"));
    shared.run.started_for = Some("a".to_owned());
    for (field, value) in [("runId", "jr_1"), ("idempotencyKey", "orders")] {
        let mut object = object("a", &from_secret(false));
        object.spec.arguments_from = None;
        object.spec.arguments = Some(BTreeMap::from([("--password".to_owned(), "failed".to_owned())]));
        let spec = serde_json::to_value(&object.spec).expect("a spec");
        let mut spec = spec.as_object().expect("an object").clone();
        spec.insert(field.to_owned(), json!(value));
        object.spec = serde_json::from_value(spec.into()).expect("a spec");
        let shown = redacted(&object, shared.clone()).run.error_message;
        assert_eq!(shown.as_deref(), Some("login with [hidden] failed"), "{field}");
        object.spec.arguments = Some(BTreeMap::from([("--password".to_owned(), "hunter2".to_owned())]));
        let shown = redacted(&object, shared.clone()).run.error_message;
        assert_eq!(shown.as_deref(), Some(words), "it stands in the spec");
    }
    // A run of another namespace may quote any of its secrets.
    let mut foreign = failed(words, Some("other"));
    foreign.run.started_for = Some("b".to_owned());
    assert!(withheld(&required, foreign.clone()));
    let config = json!({"name": "--input", "configMapKeyRef": {"name": "paths", "key": "input"}});
    assert!(withheld(&object("a", &config), foreign));
}
