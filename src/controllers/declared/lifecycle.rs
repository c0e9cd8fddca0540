//! The lifecycle of a declared resource, as the [`reconciler`](crate::controllers::runtime::reconciler) uses it: gathers
//! the facts, and makes the calls that the plan asks for.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;
use tracing::info;

use super::facts::Facts;
use super::kind::{DeclaredKind, Target};
use super::{conditions, events, plan};
use crate::controllers::runtime::context::{Context, Name, created, name_of};
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lifecycle::{Earlier, Lifecycle};
use crate::controllers::runtime::local_state::LocalState;
use crate::controllers::runtime::ownership::{AwsLocation, Ownership, Terms};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Intent, StartOutcome, records_intent};
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::time;
use crate::glue::identity::Acceptance;
use crate::glue::poller::{Observation, Report};
use crate::glue::{Error, ErrorKind};
use crate::lineage::run::RunSight;

/// The lifecycle of a declared resource.
pub struct DeclaredLifecycle;

impl<K: DeclaredKind<Status: Default>> Lifecycle<K> for DeclaredLifecycle {
    type Call = K::Call;

    fn on_applied(context: &Context<K>, object: &K, listed: bool) {
        let (uid, name) = (object.uid().unwrap_or_default(), name_of(&ObjectRef::from_obj(object)));
        for other in context.owners.register(object.id(), &name, &uid, created(object), time::now()) {
            context.requeue(&other);
        }
        context.local_states.with(&uid, |local| object.on_applied(&mut local.kind_state, listed));
    }

    fn on_deleted(context: &Context<K>, object: &K) {
        let uid = object.uid().unwrap_or_default();
        for other in context.owners.remove(&name_of(&ObjectRef::from_obj(object)), &uid) {
            context.requeue(&other);
        }
    }

    fn begin_pass(object: &K, local: &mut K::LocalState, earlier: Earlier<'_>) -> K::PassState {
        object.begin_pass(local, earlier)
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, K::Call> {
        let ownership = ownership(pass);
        if pass.credentials_problem().is_some() || ownership != Ownership::Owned {
            // An object that cannot make its change does not hold up the others.
            pass.context.leave_exclusive(&pass.reference);
        }
        let (report, related, related_error) = report(pass, &ownership);
        let observation = report.observation.map(|observation| redacted(pass, observation));
        if pass.context.shared.lineage.is_enabled() {
            pass.related = present(&related);
        }
        plan::plan(&Facts {
            common: pass.common_facts(report.error.as_deref()),
            object: &pass.object,
            inputs: pass.inputs(),
            ownership,
            observation,
            related,
            related_problem: related_error.map(|error| pass.explain(&error)),
            deleting_for: deleting_for(pass),
            behind: pass.behind,
            problem: pass.problem.clone(),
            state: &pass.state,
        })
    }

    fn intent(status: &K::Status) -> Option<Intent> {
        K::intent(status)
    }

    fn is_non_idempotent(call: &K::Call) -> bool {
        K::is_non_idempotent(call)
    }

    async fn call(pass: &mut Pass<'_, K>, call: K::Call) {
        let Some(client) = pass.client().cloned() else { return };
        if let Some(key) = pass.object.exclusive_target(&call).and_then(|target| pass.queue_key(&target)) {
            pass.behind = !pass.context.acquire_exclusive(&key, pass.created(), &pass.reference);
            if pass.behind {
                return;
            }
        }
        let intent_age = pass.intent_age();
        // The call borrows the pass, so the state is moved out meanwhile.
        let mut state = std::mem::take(&mut pass.state);
        let redactor = pass.redactor(Ok(Vec::new()));
        let (provenance, inputs) = (pass.provenance(), pass.inputs());
        let target = Target { client: &client, provenance, inputs, redactor: &redactor, intent_age };
        let deletion = K::ends_with_deletion(&call).then(|| pass.with_local(LocalState::deletion));
        let deleted = async {
            match &deletion {
                Some(deletion) => deletion.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let answer = tokio::select! {
            answer = pass.object.call(target, &call, &mut state) => answer,
            () = deleted => Err(not_awaited(pass.object.id())),
        };
        let answer = answer.map_err(|error| error.redacted(&redactor));
        if K::is_non_idempotent(&call) {
            let outcome = StartOutcome::of(answer.clone().map(|()| None), |error| pass.explain(error));
            pass.record_outcome(&outcome);
        }
        pass.with_local(|local| {
            K::remember(&mut local.kind_state, &state);
            match &answer {
                // A successful read says nothing about a change that Glue refuses.
                Ok(()) if K::changes_resource(&call) || K::is_non_idempotent(&call) => local.backoff.reset(),
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::Ambiguous => {}
                Err(error) => local.backoff.delay(longest_pause(error.kind)),
            }
        });
        let error = answer.as_ref().err();
        if error.is_some_and(|error| !matches!(error.kind, ErrorKind::Conflict | ErrorKind::Ambiguous)) {
            pass.context.leave_exclusive(&pass.reference);
        }
        pass.state = state;
        if K::changes_resource(&call) && error.is_none_or(|error| error.kind == ErrorKind::Ambiguous) {
            pass.context.poller.refresh(&pass.object.source(&client), pass.object.id());
        }
        pass.problem = error.map(|error| pass.explain(error));
    }

    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let Some(after) = pass.object.status() else { return };
        if records_intent(before.and_then(K::intent).as_ref(), K::intent(after).as_ref()) {
            K::on_intent_recorded(&mut pass.state);
        }
        let (before, after) = (before.map(K::declared), K::declared(after));
        for event in events::of_warnings(before, after).chain(events::of_transition(before, after)) {
            info!(
                kind = K::KIND,
                namespace = pass.reference.namespace,
                name = pass.reference.name,
                reason = event.reason,
                "{}",
                event.note.as_deref().unwrap_or_default()
            );
            pass.publish(event);
        }
    }

    fn runs(pass: &Pass<'_, K>) -> Vec<RunSight> {
        pass.object.runs(&pass.related)
    }

    fn has_ended(status: &K::Status, run: &str) -> bool {
        K::has_ended(status, run)
    }

    fn report(object: &K, problem: &Problem) -> Option<K::Status> {
        let mut status = object.status().cloned().unwrap_or_default();
        let declared = K::declared_mut(&mut status);
        declared.observed_generation = object.meta().generation.unwrap_or_default();
        declared.conditions = conditions::with_problem(&declared.conditions, problem, time::now());
        Some(status)
    }

    fn on_idle(pass: &Pass<'_, K>) {
        if !pass.behind && !pass.object.is_changing() {
            pass.context.leave_exclusive(&pass.reference);
        }
    }

    fn describe_left_behind(resource: &str) -> String {
        format!("{} {resource} could not be reached in Glue: see to it by hand", K::NOUN)
    }
}

/// The resource as Glue shows it, without the secret values that Glue's words may show.
fn redacted<K: DeclaredKind>(pass: &Pass<'_, K>, observation: Observation<Item<K>>) -> Observation<Item<K>> {
    let Observation::Present(mut item) = observation else {
        pass.with_local(|local| local.seen_secrets.settle());
        return observation;
    };
    let words = K::words(&mut item);
    if words.is_empty() {
        pass.with_local(|local| local.seen_secrets.settle());
    } else {
        let redactor = pass.redactor(Ok(Vec::new()));
        for words in words {
            *words = redactor.redact(words);
        }
    }
    Observation::Present(item)
}

/// Whether the object manages its resource. Reports what is known of it on the way, and requeues the objects for which
/// that is news.
fn ownership<K: DeclaredKind>(pass: &Pass<'_, K>) -> Ownership<Name> {
    let known = pass.client().map(|client| AwsLocation::new(client.clone(), pass.object.catalog().map(str::to_owned)));
    let acceptance = match (&known, pass.credentials_problem()) {
        (Some(location), _) => location.client.acceptance(),
        // The object may have credentials.
        (None, None) => Acceptance::Unknown,
        (None, Some(problem)) if problem.reason == Reason::SecretNotReadable => Acceptance::Unknown,
        (None, Some(_)) => Acceptance::Refused,
    };
    let (name, uid) = (name_of(&pass.reference), pass.object.uid().unwrap_or_default());
    let terms = Terms::of(pass.context.shared.settings.start_settle);
    let owners = &pass.context.owners;
    let verdict = owners.observe((&name, &uid), (known, acceptance), AwsLocation::refreshed, time::now(), terms);
    for other in verdict.wake {
        pass.context.requeue(&other);
    }
    if verdict.is_new_owner {
        // The pauses were those of the wait.
        pass.with_local(|local| local.backoff.reset());
    }
    verdict.ownership
}

/// For how long this process has known that the object is being deleted.
fn deleting_for<K: DeclaredKind>(pass: &Pass<'_, K>) -> Duration {
    if pass.object.meta().deletion_timestamp.is_none() {
        return Duration::ZERO;
    }
    pass.with_local(|local| local.deleting_since.get_or_insert_with(Instant::now).elapsed())
}

/// The error of a call whose answer is not needed any more. The pass ends with it: the object that it has is out of date.
fn not_awaited(id: &str) -> Error {
    Error {
        operation: "call",
        object: id.to_owned(),
        kind: ErrorKind::Ambiguous,
        code: "ObjectDeleted".to_owned(),
        message: "the object is being deleted".to_owned(),
    }
}

/// The longest pause after AWS refused a call. A conflict is over soon, and nobody is notified.
fn longest_pause(kind: ErrorKind) -> Duration {
    match kind {
        ErrorKind::Conflict => Duration::from_secs(5),
        ErrorKind::Busy => Duration::from_secs(15),
        _ => Duration::MAX,
    }
}

/// The related items that were observed, by id.
type Related<K> = Vec<(String, Observation<Item<K>>)>;

/// The related items that Glue has.
fn present<T: Clone>(related: &[(String, Observation<T>)]) -> Vec<T> {
    let items = related.iter().filter_map(|(_, observation)| match observation {
        Observation::Present(item) => Some(item.clone()),
        Observation::NotFound => None,
    });
    items.collect()
}

/// What the poller knows of the resource and of the related items, and why polls of one of these fail. Asking subscribes the object.
fn report<K: DeclaredKind>(
    pass: &Pass<'_, K>,
    ownership: &Ownership<Name>,
) -> (Report<Item<K>>, Related<K>, Option<Arc<Error>>) {
    // An object that lapsed observes, to notice that AWS accepts its credentials again.
    let observes = matches!(ownership, Ownership::Owned | Ownership::Lapsed { .. });
    let Some(client) = pass.client().filter(|_| observes) else {
        return (Report::default(), Vec::new(), None);
    };
    let source = pass.object.source(client);
    let mut wanted = vec![(source.clone(), pass.object.id().to_owned())];
    wanted.extend(pass.object.related(client));
    let mut reports = pass.context.poller.watch_all(&wanted, &pass.reference).into_iter();
    let report = reports.next().unwrap_or_default();
    let ids = wanted.into_iter().skip(1).map(|(_, id)| id);
    let (mut related, mut related_error) = (Vec::new(), None);
    for (id, report) in ids.zip(reports) {
        related.extend(report.observation.map(|observation| (id, observation)));
        related_error = related_error.or(report.error);
    }
    if report.observation.is_none() && report.error.is_none() {
        // Nothing is decided before the first observation.
        pass.context.poller.poll_soon(&source);
    }
    (report, related, related_error)
}
