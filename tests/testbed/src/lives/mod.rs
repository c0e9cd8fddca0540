//! Lives of objects: what users and Glue do to one object of a kind, step by step, and what it must come to.
//!
//! `cargo chaos` and `cargo sieve` disturb the controller while objects live them. Every kind of `crds` has lives, in a
//! file of its own; a test compares them with the folder.
//!
//! | module | subject |
//! |---|---|
//! | [`objects`] | a watch over all objects, on which lives wait |
//! | [`site`] | the place of one life: a namespace, and a region of Glue |
//! | [`outcome`] | what a life ended with, comparable with another run of it |
//! | [`settle`] | waits for what a life comes to |

mod connection;
mod crawler_run;
mod inventory;
mod job_run;
pub mod objects;
pub mod outcome;
pub mod settle;
pub mod site;
mod trigger;
mod workflow_run;

use std::time::Duration;

use serde_json::{Value, json};

use self::site::Glue;
pub use self::{job_run::JOB, workflow_run::WORKFLOW};

/// How long each state of what lives start in Glue lasts, on the double's clock.
pub const MINUTE: Duration = Duration::from_mins(1);
/// The name of the object.
pub const OBJECT: &str = "one";
/// The Secret of the namespace with the credentials, and the one with a password.
pub const CREDENTIALS: &str = "kube-glue-credentials";
/// The Secret that connections take a password from.
pub const DATABASE: &str = "database";

/// A kind of custom resources.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// `GlueJobRun`.
    pub kind: &'static str,
    /// `gluejobruns`.
    pub plural: &'static str,
    /// All lives of the kind.
    pub lives: fn() -> Vec<Life>,
}

/// All kinds.
pub const KINDS: &[Kind] = &[
    Kind { kind: "GlueJobRun", plural: "gluejobruns", lives: job_run::lives },
    Kind { kind: "GlueCrawlerRun", plural: "gluecrawlerruns", lives: crawler_run::lives },
    Kind { kind: "GlueWorkflowRun", plural: "glueworkflowruns", lives: workflow_run::lives },
    Kind { kind: "GlueTrigger", plural: "gluetriggers", lives: trigger::lives },
    Kind { kind: "GlueConnection", plural: "glueconnections", lives: connection::lives },
    Kind { kind: "GlueInventory", plural: "glueinventories", lives: inventory::lives },
];

/// A life.
#[derive(Debug, Clone)]
pub struct Life {
    /// What it is about, unique among the lives of its kind.
    pub name: &'static str,
    /// Defines in Glue what the object is about.
    pub prepare: fn(&Glue),
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// A step of a life.
#[derive(Debug, Clone)]
pub enum Step {
    /// A user creates the object with this spec.
    Create(Value),
    /// A user merges this into its spec.
    Patch(Value),
    /// A user deletes it.
    Delete,
    /// A user changes the password in the Secret [`DATABASE`].
    Rotate(&'static str),
    /// Somebody else calls Glue.
    Call(&'static str, Value),
    /// [`MINUTE`] passes in Glue, where the clock is held.
    Pass,
    /// Waits for the object.
    Wait(Until),
}

/// What a life waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Until {
    /// The object is gone.
    Gone,
    /// The object is in this phase.
    Phase(&'static str),
    /// The object is in this phase for good: it has no finalizer any more.
    Finished(&'static str),
    /// The attempt of this number has a run in Glue, or has ended.
    Run(usize),
    /// The Ready condition is true for the current generation.
    Ready,
    /// The Ready condition has this reason for the current generation.
    Reason(&'static str),
    /// The status has this value at this JSON pointer.
    Status(&'static str, Value),
    /// The state of Glue ([`outcome::in_glue`]) has this value at this JSON pointer.
    InGlue(&'static str, Value),
}

impl Until {
    /// Whether it is so. Null stands for an object that does not exist.
    #[must_use]
    pub fn holds(&self, object: &Value) -> bool {
        let status = &object["status"];
        let ready = || {
            let conditions = status["conditions"].as_array()?;
            conditions.iter().find(|condition| condition["type"] == "Ready")
        };
        let is_current = || status["observedGeneration"] == object["metadata"]["generation"];
        match self {
            Self::Gone => object.is_null(),
            Self::Phase(phase) => status["phase"] == *phase,
            Self::Finished(phase) => status["phase"] == *phase && object["metadata"]["finalizers"].is_null(),
            Self::Run(number) => {
                let attempt = &status["attempts"][*number];
                attempt["id"].is_string() || attempt["endedAt"].is_string()
            }
            Self::Ready => is_current() && ready().is_some_and(|ready| ready["status"] == "True"),
            Self::Reason(reason) => is_current() && ready().is_some_and(|ready| ready["reason"] == *reason),
            Self::Status(pointer, value) => status.pointer(pointer) == Some(value),
            // It is not about the object.
            Self::InGlue(..) => false,
        }
    }
}

/// Short forms for the lists of steps.
fn create(spec: Value) -> Step {
    Step::Create(spec)
}

fn patch(spec: Value) -> Step {
    Step::Patch(spec)
}

fn wait(until: Until) -> Step {
    Step::Wait(until)
}

fn stop() -> Step {
    Step::Patch(json!({ "stop": true }))
}

/// From the creation of an object whose run has just been created to RUNNING.
fn to_running(attempt: usize) -> [Step; 3] {
    [wait(Until::Run(attempt)), Step::Pass, wait(Until::Phase("Running"))]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_lives() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crds");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let manifests = files.filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        let defined: BTreeSet<_> =
            manifests.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let ours: BTreeSet<_> = KINDS.iter().map(|kind| kind.plural.to_owned()).collect();
        assert_eq!(defined, ours, "each kind of crds/ needs lives in tests/testbed/src/lives");
        for kind in KINDS {
            let lives = (kind.lives)();
            let names: BTreeSet<_> = lives.iter().map(|life| life.name).collect();
            assert!(names.len() == lives.len() && names.len() > 2, "{}: {names:?}", kind.kind);
            for Life { name, steps, .. } in lives {
                assert!(matches!(steps.first(), Some(Step::Create(_))), "{name} begins with its creation");
                assert!(matches!(steps.last(), Some(Step::Wait(_))), "{name} ends with what it comes to");
            }
        }
    }

    #[test]
    fn a_condition_counts_for_the_current_generation_only() {
        let object = |generation: i64| {
            json!({
                "metadata": { "generation": generation },
                "status": { "observedGeneration": 2, "conditions": [{ "type": "Ready", "status": "True", "reason": "Synced" }] },
            })
        };
        assert!(Until::Ready.holds(&object(2)) && !Until::Ready.holds(&object(3)));
        assert!(Until::Reason("Synced").holds(&object(2)) && !Until::Reason("Testing").holds(&object(2)));
        assert!(Until::Gone.holds(&Value::Null) && !Until::Gone.holds(&object(1)));
    }
}
