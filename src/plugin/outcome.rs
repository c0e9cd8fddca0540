//! What an object says about itself. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::core::DynamicObject;
use serde_json::Value;

use super::exit::Exit;
use super::kind::Kind;
use crate::api::run::Phase;

/// What a status says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// The phase of a run, or of another object the reason of its condition `Ready`; `Pending` before the first pass.
    pub(super) state: String,
    /// The reason of `Ready`.
    pub(super) reason: String,
    /// The message of `Ready`: Glue's words where a run failed.
    pub(super) message: String,
    /// How a wait for the object ends; none while it goes on.
    pub(super) end: Option<Exit>,
}

impl Outcome {
    /// Reads a status.
    pub(super) fn of(kind: &Kind, object: &DynamicObject) -> Self {
        let status = &object.data["status"];
        let ready = condition(status, "Ready");
        let reason = ready.as_ref().map(|ready| ready.reason.clone()).unwrap_or_default();
        let message = ready.as_ref().map(|ready| ready.message.clone()).unwrap_or_default();
        let phase = status["phase"].as_str();
        let known: Option<Phase> = serde_json::from_value(status["phase"].clone()).ok();
        let observed = status["observedGeneration"].as_i64() >= object.metadata.generation;
        let is = |type_: &str| condition(status, type_).is_some_and(|condition| condition.status == "True");
        let end = match known.and_then(of_phase) {
            Some(exit) => Some(exit),
            // Of a run that goes on, Ready may be true, too: `readyWhen: Started`.
            None if !observed => None,
            None if is("Stalled") => Some(Exit::Failed),
            None => (!kind.is_run && is("Ready")).then_some(Exit::Succeeded),
        };
        let state = match phase {
            Some(phase) => phase.to_owned(),
            None if reason.is_empty() => "Pending".to_owned(),
            None => reason.clone(),
        };
        Self { state, reason, message, end }
    }

    /// One line: the state, and why.
    pub(super) fn describe(&self) -> String {
        let Self { state, message, .. } = self;
        if message.is_empty() { state.clone() } else { format!("{state}: {message}") }
    }
}

/// The end that a phase is; none while the run goes on.
fn of_phase(phase: Phase) -> Option<Exit> {
    match phase {
        Phase::Succeeded => Some(Exit::Succeeded),
        Phase::Failed | Phase::TimedOut | Phase::Error => Some(Exit::Failed),
        Phase::Stopped | Phase::Expired => Some(Exit::Stopped),
        Phase::Pending
        | Phase::Suspended
        | Phase::Waiting
        | Phase::Starting
        | Phase::Running
        | Phase::Stopping
        | Phase::Unknown => None,
    }
}

/// A condition of a status.
pub(super) fn condition(status: &Value, type_: &str) -> Option<Condition> {
    let conditions: Vec<Condition> = serde_json::from_value(status["conditions"].clone()).ok()?;
    conditions.into_iter().find(|condition| condition.type_ == type_)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(generation: i64, status: &Value) -> DynamicObject {
        let mut object = DynamicObject::new("one", &Kind::job_run().resource);
        object.metadata.generation = Some(generation);
        object.data = json!({ "status": status });
        object
    }

    fn conditions(conditions: &[(&str, &str)]) -> Value {
        let one = |(type_, status): &(&str, &str)| {
            let at = "2026-01-01T00:00:00Z";
            json!({ "type": type_, "status": status, "reason": "Why", "message": "why", "lastTransitionTime": at })
        };
        conditions.iter().map(one).collect()
    }

    #[test]
    fn a_run_ends_with_its_final_phase_and_no_other() {
        for phase in Phase::ALL {
            // `readyWhen: Started` makes a running run ready.
            let ready = conditions(&[("Ready", "True")]);
            let status = json!({ "phase": phase, "observedGeneration": 1, "conditions": ready });
            let outcome = Outcome::of(&Kind::job_run(), &object(1, &status));
            assert_eq!(outcome.end.is_some(), phase.is_final(), "{phase:?}");
            assert_eq!(outcome.describe(), format!("{}: why", phase.as_str()));
        }
    }

    #[test]
    fn what_is_declared_ends_when_it_is_ready_or_stalled_as_it_is_now() {
        let trigger = Kind::parse("gtr").unwrap();
        for (observed, condition, end) in [
            (-1, None, None),
            (1, Some(("Ready", "True")), None),
            (2, Some(("Ready", "True")), Some(Exit::Succeeded)),
            (2, Some(("Ready", "False")), None),
            (2, Some(("Stalled", "True")), Some(Exit::Failed)),
        ] {
            let conditions = conditions(condition.as_slice());
            let status = json!({ "observedGeneration": observed, "conditions": conditions });
            assert_eq!(Outcome::of(&trigger, &object(2, &status)).end, end, "{observed} {condition:?}");
        }
    }

    #[test]
    fn an_object_that_nobody_has_seen_is_pending() {
        let outcome = Outcome::of(&Kind::job_run(), &object(1, &Value::Null));
        assert_eq!((outcome.describe().as_str(), outcome.end), ("Pending", None));
    }
}
