//! How a declared thing lives, as the [`shell`](crate::controllers::runtime::reconciler) asks for it.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tracing::info;

use super::events;
use super::facts::Facts;
use super::kind::DeclaredKind;
use crate::controllers::runtime::context::{Context, Name, created, name_of};
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lifecycle::Lifecycle;
use crate::controllers::runtime::ownership::{AwsLocation, ClaimLocation, Ownership};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::poller::{Observation, Report};

/// The life of a declared thing.
pub struct DeclaredLifecycle;

impl<K: DeclaredKind> Lifecycle<K> for DeclaredLifecycle {
    type Call = K::Call;

    fn begin(object: &K, memory: &mut K::LocalState) -> K::PassState {
        object.begin(memory)
    }

    fn is_finished(_: &K) -> bool {
        false
    }

    fn on_applied(context: &Context<K>, object: &K, listed: bool) {
        context.owners.stand(&object.glue_name(), created(object), &name_of(&ObjectRef::from_obj(object)));
        let uid = object.uid().unwrap_or_default();
        context.local_states.with(&uid, |local| object.on_applied(&mut local.kind_state, listed));
    }

    fn on_deleted(context: &Context<K>, object: &K) {
        for other in context.owners.leave(&object.glue_name(), &name_of(&ObjectRef::from_obj(object))) {
            context.wake(&other);
        }
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, K::Call> {
        if pass.blocked().is_some() {
            // Others need not wait for one who cannot act.
            pass.context.leave_turn(&pass.reference);
        }
        let ownership = ownership(pass);
        let (report, related) = report(pass, &ownership);
        let settings = &pass.context.shared.settings;
        K::plan(&Facts {
            now: time::now(),
            object: &pass.object,
            inputs: pass.inputs(),
            leading: pass.context.shared.leadership.holds(),
            blocked: pass.blocked().cloned(),
            unprepared: pass.unprepared().cloned(),
            ownership,
            observation: report.observation,
            related,
            poll_problem: report.error.as_deref().map(|error| pass.explain(error)),
            problem: pass.problem.clone(),
            state: &pass.state,
            fresh_intent: pass.fresh_intent,
            behind: pass.behind,
            rest: pass.with_local(|local| local.backoff.remaining()),
            settle: settings.start_settle,
            deletion_timeout: settings.deletion_timeout,
        })
    }

    fn records_intent(before: Option<&K::Status>, after: &K::Status) -> bool {
        K::records_intent(before, after)
    }

    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let Some(after) = pass.object.status() else { return };
        let event = events::of_transition(before.map(K::declared), K::declared(after), K::NEUTRAL, K::BAD);
        let Some(event) = event else { return };
        info!(
            kind = K::KIND,
            namespace = pass.reference.namespace,
            name = pass.reference.name,
            reason = event.reason,
            "{}",
            event.note.as_deref().unwrap_or_default()
        );
        pass.tell(event);
    }

    fn is_non_idempotent(act: &K::Call) -> bool {
        K::is_non_idempotent(act)
    }

    async fn act(pass: &mut Pass<'_, K>, act: K::Call) {
        let Some(client) = pass.client().cloned() else { return };
        if let Some(place) = pass.object.takes_turns(&act).and_then(|target| pass.place(&target)) {
            pass.behind = !pass.context.turns.take(&place, pass.created(), &name_of(&pass.reference));
            if pass.behind {
                return;
            }
        }
        pass.fresh_intent = false;
        // It is lent to the call, which may not borrow the pass beside it.
        let mut own = std::mem::take(&mut pass.state);
        let answer = pass.object.act(&client, pass.inputs(), &act, &mut own).await;
        pass.with_local(|local| {
            K::remember(&mut local.kind_state, &own, &act, &answer);
            match &answer {
                // That Glue can be asked says nothing about what it refused to do.
                Ok(()) if K::changes(&act) || K::is_non_idempotent(&act) => local.backoff.reset(),
                Ok(()) => {}
                Err(error) if error.kind == ErrorKind::Ambiguous => {}
                Err(error) => local.backoff.delay(longest_pause(error.kind)),
            }
        });
        if answer.as_ref().is_err_and(|error| !matches!(error.kind, ErrorKind::Conflict | ErrorKind::Ambiguous)) {
            pass.context.leave_turn(&pass.reference);
        }
        pass.state = own;
        if K::changes(&act) && answer.as_ref().err().is_none_or(|error| error.kind == ErrorKind::Ambiguous) {
            pass.context.poller.refresh(&pass.object.source(&client), pass.object.id());
        }
        pass.problem = answer.as_ref().err().map(|error| pass.explain(error));
    }

    fn on_idle(pass: &Pass<'_, K>) {
        if !pass.behind && !pass.object.keeps_turn() {
            pass.context.leave_turn(&pass.reference);
        }
    }

    fn left_behind(thing: &str) -> String {
        format!("{} {thing} could not be reached in Glue: see to it by hand", K::NOUN)
    }
}

/// What the object may do about its thing. Says on the way where that is, and wakes whom it concerns.
fn ownership<K: DeclaredKind>(pass: &Pass<'_, K>) -> Ownership<Name> {
    let (thing, created, who) = (pass.object.glue_name(), pass.created(), name_of(&pass.reference));
    let owners = &pass.context.owners;
    let place = pass
        .client()
        .map(|client| AwsLocation { client: client.clone(), account: client.caller().map(|caller| caller.account_id) });
    let whereabouts = place.clone().map_or(ClaimLocation::Unavailable, ClaimLocation::At);
    for other in owners.settle(&thing, created, &who, whereabouts) {
        pass.context.wake(&other);
    }
    // Without a place there is nothing it could do anyway.
    place.map_or(Ownership::Owned, |place| owners.of(&thing, created, &who, &place))
}

/// The longest pause after Glue refused something. What others hold is free again soon, and nobody tells.
fn longest_pause(kind: ErrorKind) -> Duration {
    match kind {
        ErrorKind::Conflict => Duration::from_secs(5),
        ErrorKind::Busy => Duration::from_secs(15),
        _ => Duration::MAX,
    }
}

/// What else an object waits for, by id, as far as it was seen.
type Related<K> = Vec<(String, Observation<Item<K>>)>;

/// What the poller knows of the thing, and of what else the object waits for; asking makes the poller watch it.
fn report<K: DeclaredKind>(pass: &Pass<'_, K>, ownership: &Ownership<Name>) -> (Report<Item<K>>, Related<K>) {
    let Some(client) = pass.client().filter(|_| *ownership == Ownership::Owned) else {
        return (Report { observation: None, error: None }, Vec::new());
    };
    let source = pass.object.source(client);
    let mut wanted = vec![(source.clone(), pass.object.id().to_owned())];
    wanted.extend(pass.object.related(client));
    let mut reports = pass.context.poller.watch_all(&wanted, &pass.reference).into_iter();
    let report = reports.next().unwrap_or(Report { observation: None, error: None });
    let ids = wanted.into_iter().skip(1).map(|(_, id)| id);
    let also = ids.zip(reports).filter_map(|(id, report)| Some((id, report.observation?))).collect();
    if report.observation.is_none() && report.error.is_none() {
        // Nothing is decided before the first observation.
        pass.context.poller.poll_soon(&source);
    }
    (report, also)
}
