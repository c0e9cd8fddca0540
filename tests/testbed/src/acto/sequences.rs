//! What the controller makes of a change: an object that was changed must end like one that was created so.

use std::time::Duration;

use serde_json::{Value, json};

use super::{refusals::Change, schema};
use crate::{
    error::Result,
    lives::{
        Kind, Life, Step, Until,
        objects::Objects,
        outcome::Outcome,
        settle::settled,
        site::{Glue, Site, merged},
    },
};

/// How long a wait may take.
const LIMIT: Duration = Duration::from_secs(40);
/// How long an end must stay as it is.
const QUIET: Duration = Duration::from_millis(2500);
/// The field that counts changes.
const GENERATION: &str = "observedGeneration";

/// The reasons of what an object does not stay with.
const PASSING: &[&str] = &[
    "Activating",
    "AnswerUnclear",
    "Creating",
    "Deactivating",
    "Firing",
    "Reading",
    "Starting",
    "Stopping",
    "Testing",
    "Updating",
];

/// What all sequences share.
pub(super) struct Stage {
    pub(super) client: kube::Client,
    pub(super) objects: Objects,
    pub(super) double: kube_glue_double::Double,
}

/// A kind as sequences need it.
#[derive(Clone)]
pub(super) struct Subject {
    pub(super) kind: &'static Kind,
    /// What its objects need of Glue.
    pub(super) prepare: fn(&Glue),
    /// What an object has while it is changed, and what lets it go on then. Both are empty for what never ends.
    pub(super) held: Value,
    pub(super) released: Value,
}

impl Subject {
    /// As the kind's lives have it: the first one that never ends, if there is one.
    pub(super) fn of(kind: &'static Kind) -> Self {
        let lives = (kind.lives)();
        let is_stopped =
            |life: &&Life| life.steps.iter().any(|step| matches!(step, Step::Patch(spec) if spec["stop"] == true));
        let chosen = lives.iter().find(|life| is_stopped(life) && life.name == "is stopped").or(lives.first());
        let ends = lives.iter().any(|life| is_stopped(&life));
        let nothing = || json!({});
        Self {
            kind,
            prepare: chosen.map_or(|_| {}, |life| life.prepare),
            held: if ends { json!({ "suspend": true }) } else { nothing() },
            released: if ends { json!({ "suspend": false }) } else { nothing() },
        }
    }
}

/// One object.
struct Object<'a> {
    site: Site<'a>,
    uids: Vec<String>,
}

/// Whether the controller cannot manage the object as its spec is. What it knew before it keeps then.
fn is_blocked(outcome: &Outcome) -> bool {
    let ready = condition(outcome);
    !ready.is_null() && ready["status"] != "True" && !matches!(ready["reason"].as_str(), Some("Suspended"))
}

/// The Ready condition; null without one.
fn condition(outcome: &Outcome) -> Value {
    let conditions = outcome.object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().find(|condition| condition["type"] == "Ready").cloned().unwrap_or_default()
}

/// Whether an object that was changed is like one that was created so.
fn is_alike(changed: &Outcome, created: &Outcome) -> bool {
    differences("", changed, created).is_empty()
}

/// Whether the controller is about to do something: it is not what the object comes to.
fn is_passing(outcome: &Outcome) -> bool {
    condition(outcome)["reason"].as_str().is_some_and(|reason| PASSING.contains(&reason))
}

/// An end without what two runs of the same change do not share: what counts changes, what was seen earlier (the time of a test, the nodes of a
/// workflow's run, which are asked for when their number changes), and a trigger that was never activated from one that
/// is deactivated.
fn comparable(outcome: Outcome) -> Outcome {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members
                    .retain(|name, _| ![GENERATION, "lastValidatedAt", "lastTest", "nodes"].contains(&name.as_str()));
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::String(text) if text.contains("DEACTIVATED") => *text = text.replace("DEACTIVATED", "CREATED"),
            _ => {}
        }
    }
    let mut outcome = outcome;
    strip(&mut outcome.object);
    strip(&mut outcome.glue);
    outcome
}

impl Stage {
    async fn object(&self, subject: &Subject, place: &str) -> Result<Object<'_>> {
        let site = Site {
            client: self.client.clone(),
            objects: &self.objects,
            kind: subject.kind,
            namespace: place.to_owned(),
            glue: Glue { double: self.double.clone(), region: format!("eu-{place}") },
            clock_is_held: true,
            limit: LIMIT,
        };
        let life = Life { name: "is changed", prepare: subject.prepare, steps: Vec::new() };
        site.prepare(&life).await?;
        Ok(Object { site, uids: Vec::new() })
    }

    /// Changes an object, once for each value, and compares. Returns what is wrong.
    pub(super) async fn run(
        &self,
        subject: &Subject,
        change: &Change,
        after: &Value,
        place: &str,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let lived = self.sequence(subject, change, after, place, &mut found).await?;
        if let Err(stuck) = lived {
            found.push(stuck);
        }
        Ok(found)
    }

    async fn sequence(
        &self,
        subject: &Subject,
        change: &Change,
        after: &Value,
        place: &str,
        found: &mut Vec<String>,
    ) -> Result<Result<(), String>> {
        let before = &change.before;
        let mut references = Vec::new();
        for (nth, spec) in [before, after].into_iter().enumerate() {
            let mut fresh = self.object(subject, &format!("{place}-{nth}")).await?;
            references.push(match fresh.fresh(subject, spec).await {
                Ok(ends) => ends,
                Err(stuck) => return Ok(Err(format!("created with {spec}: {stuck}"))),
            });
        }
        let mut changed = self.object(subject, place).await?;
        let lived = changed.changed(subject, [before, after], &references, found).await;
        Ok(lived)
    }
}

/// What an object came to while it was held, and afterwards.
struct Ends {
    held: Outcome,
    released: Outcome,
}

impl Object<'_> {
    fn spec(&self, spec: &Value) -> Value {
        merged(json!({ "region": self.site.glue.region }), spec.clone())
    }

    /// An object that is created so.
    async fn fresh(&mut self, subject: &Subject, spec: &Value) -> Result<Ends, String> {
        self.take(Step::Create(merged(self.spec(spec), subject.held.clone()))).await?;
        let held = self.rest().await;
        let released = self.release(subject, None).await?;
        self.delete().await?;
        Ok(Ends { held, released })
    }

    /// An object that is created otherwise, changed, changed back, changed again, deleted, and created again.
    async fn changed(
        &mut self,
        subject: &Subject,
        [before, after]: [&Value; 2],
        references: &[Ends],
        found: &mut Vec<String>,
    ) -> Result<(), String> {
        let [first, second] = references else { return Ok(()) };
        self.take(Step::Create(merged(self.spec(before), subject.held.clone()))).await?;
        self.compare("created", &first.held, found).await;
        for (what, from, to, reference) in [
            ("changed", before, after, &second.held),
            ("changed back", after, before, &first.held),
            ("changed again", before, after, &second.held),
        ] {
            self.take(Step::Patch(schema::patch(&self.spec(from), &self.spec(to)))).await?;
            self.compare(what, reference, found).await;
        }
        let released = self.release(subject, Some(&second.released)).await?;
        found.extend(differences("changed", &released, &second.released));
        self.delete().await
    }

    /// Lets it go on.
    async fn release(&mut self, subject: &Subject, reference: Option<&Outcome>) -> Result<Outcome, String> {
        if subject.released.as_object().is_some_and(|patch| !patch.is_empty()) {
            self.take(Step::Patch(subject.released.clone())).await?;
        }
        Ok(match reference {
            Some(reference) => self.reach(reference).await,
            None => self.rest().await,
        })
    }

    async fn delete(&mut self) -> Result<(), String> {
        self.take(Step::Delete).await?;
        self.take(Step::Wait(Until::Gone)).await
    }

    async fn take(&mut self, step: Step) -> Result<(), String> {
        let what = format!("{step:?}");
        let life = Life { name: "is changed", prepare: |_| {}, steps: vec![step] };
        let uids = self
            .site
            .live(&life)
            .await
            .map_err(|stuck| format!("{} after {what}; the object: {}", stuck.at, stuck.object["status"]))?;
        self.uids.extend(uids);
        Ok(())
    }

    async fn compare(&self, what: &str, reference: &Outcome, found: &mut Vec<String>) {
        let reached = self.reach(reference).await;
        found.extend(differences(what, &reached, reference));
    }

    fn outcome(&self) -> Outcome {
        comparable(self.site.outcome(&self.uids))
    }

    /// Whether the controller has said what it makes of the present spec.
    fn is_observed(&self) -> bool {
        let object = self.site.object();
        object["status"][GENERATION] == object["metadata"]["generation"]
    }

    /// Waits until it is like the other one.
    async fn reach(&self, reference: &Outcome) -> Outcome {
        settled(|| self.outcome(), |now, _| self.is_observed() && is_alike(now, reference), LIMIT).await
    }

    /// Waits until nothing changes any more.
    async fn rest(&self) -> Outcome {
        let is_at_rest = |now: &Outcome, same_for| self.is_observed() && !is_passing(now) && same_for > QUIET;
        settled(|| self.outcome(), is_at_rest, LIMIT).await
    }
}

/// Where they differ. Of one that cannot be managed, what it says counts.
fn differences(what: &str, one: &Outcome, other: &Outcome) -> Vec<String> {
    if is_blocked(other) {
        let [says, said] = [one, other].map(condition);
        return if says == said { Vec::new() } else { vec![format!("{what}: Ready is {says} instead of {said}")] };
    }
    one.differences(other).into_iter().map(|difference| format!("{what}: {difference}")).collect()
}
