//! How a declared thing lives, as the [`shell`](crate::controllers::shell) asks for it.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use tracing::info;

use super::facts::Facts;
use super::kind::DeclaredKind;
use super::story;
use crate::controllers::claims::{AwsPlace, Claim, Whereabouts};
use crate::controllers::context::{Context, Name, created, name_of};
use crate::controllers::kind::Item;
use crate::controllers::life::Life;
use crate::controllers::pass::Pass;
use crate::controllers::step::Plan;
use crate::controllers::times;
use crate::glue::Class;
use crate::glue::poller::{Report, Sight};

/// The life of a declared thing.
pub struct DeclaredLife;

impl<K: DeclaredKind> Life<K> for DeclaredLife {
    type Act = K::Act;

    fn begin(object: &K, memory: &mut K::Memory) -> K::Learnt {
        object.begin(memory)
    }

    fn is_over(_: &K) -> bool {
        false
    }

    fn appears(context: &Context<K>, object: &K, listed: bool) {
        context.claims.stand(&object.thing(), created(object), &name_of(&ObjectRef::from_obj(object)));
        let uid = object.uid().unwrap_or_default();
        context.memories.with(&uid, |memory| object.appears(&mut memory.own, listed));
    }

    fn leaves(context: &Context<K>, object: &K) {
        for other in context.claims.leave(&object.thing(), &name_of(&ObjectRef::from_obj(object))) {
            context.wake(&other);
        }
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, K::Act> {
        if pass.blocked().is_some() {
            // Others need not wait for one who cannot act.
            pass.context.leave_turn(&pass.reference);
        }
        let claim = claim(pass);
        let (report, also) = report(pass, &claim);
        let settings = &pass.context.shared.settings;
        K::plan(&Facts {
            now: times::now(),
            object: &pass.object,
            inputs: pass.inputs(),
            leading: pass.context.shared.leadership.holds(),
            blocked: pass.blocked().cloned(),
            unprepared: pass.unprepared().cloned(),
            claim,
            sight: report.sight,
            also,
            poll_problem: report.error.as_deref().map(|error| pass.explain(error)),
            problem: pass.problem.clone(),
            learnt: &pass.learnt,
            fresh_intent: pass.fresh_intent,
            behind: pass.behind,
            rest: pass.remember(|memory| memory.patience.rest()),
            settle: settings.start_settle,
            deletion_timeout: settings.deletion_timeout,
        })
    }

    fn intends(before: Option<&K::Status>, after: &K::Status) -> bool {
        K::intends(before, after)
    }

    fn wrote(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let Some(after) = pass.object.status() else { return };
        let event = story::of_transition(before.map(K::declared), K::declared(after), K::NEUTRAL, K::BAD);
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

    fn is_once(act: &K::Act) -> bool {
        K::is_once(act)
    }

    async fn act(pass: &mut Pass<'_, K>, act: K::Act) {
        let Some(client) = pass.client().cloned() else { return };
        if let Some(place) = pass.object.takes_turns(&act).and_then(|target| pass.place(&target)) {
            pass.behind = !pass.context.turns.take(&place, pass.created(), &name_of(&pass.reference));
            if pass.behind {
                return;
            }
        }
        pass.fresh_intent = false;
        // It is lent to the call, which may not borrow the pass beside it.
        let mut own = std::mem::take(&mut pass.learnt);
        let answer = pass.object.act(&client, pass.inputs(), &act, &mut own).await;
        pass.remember(|memory| {
            K::remember(&mut memory.own, &own, &act, &answer);
            match &answer {
                // That Glue can be asked says nothing about what it refused to do.
                Ok(()) if K::changes(&act) || K::is_once(&act) => memory.patience.healed(),
                Ok(()) => {}
                Err(error) if error.class == Class::Ambiguous => {}
                Err(error) => memory.patience.refused(longest_pause(error.class)),
            }
        });
        if answer.as_ref().is_err_and(|error| !matches!(error.class, Class::Conflict | Class::Ambiguous)) {
            pass.context.leave_turn(&pass.reference);
        }
        pass.learnt = own;
        if K::changes(&act) && answer.as_ref().err().is_none_or(|error| error.class == Class::Ambiguous) {
            pass.context.poller.refresh(&pass.object.source(&client), pass.object.id());
        }
        pass.problem = answer.as_ref().err().map(|error| pass.explain(error));
    }

    fn rests(pass: &Pass<'_, K>) {
        if !pass.behind && !pass.object.keeps_turn() {
            pass.context.leave_turn(&pass.reference);
        }
    }

    fn left_behind(thing: &str) -> String {
        format!("{} {thing} could not be reached in Glue: see to it by hand", K::THING)
    }
}

/// What the object may do about its thing. Says on the way where that is, and wakes whom it concerns.
fn claim<K: DeclaredKind>(pass: &Pass<'_, K>) -> Claim<Name> {
    let (thing, created, who) = (pass.object.thing(), pass.created(), name_of(&pass.reference));
    let claims = &pass.context.claims;
    let place = pass
        .client()
        .map(|client| AwsPlace { client: client.clone(), account: client.caller().map(|caller| caller.account_id) });
    let whereabouts = place.clone().map_or(Whereabouts::Nowhere, Whereabouts::At);
    for other in claims.settle(&thing, created, &who, whereabouts) {
        pass.context.wake(&other);
    }
    // Without a place there is nothing it could do anyway.
    place.map_or(Claim::Ours, |place| claims.of(&thing, created, &who, &place))
}

/// The longest pause after Glue refused something. What others hold is free again soon, and nobody tells.
fn longest_pause(class: Class) -> Duration {
    match class {
        Class::Conflict => Duration::from_secs(5),
        Class::Busy => Duration::from_secs(15),
        _ => Duration::MAX,
    }
}

/// What else an object waits for, by id, as far as it was seen.
type Also<K> = Vec<(String, Sight<Item<K>>)>;

/// What the poller knows of the thing, and of what else the object waits for; asking makes the poller watch it.
fn report<K: DeclaredKind>(pass: &Pass<'_, K>, claim: &Claim<Name>) -> (Report<Item<K>>, Also<K>) {
    let Some(client) = pass.client().filter(|_| *claim == Claim::Ours) else {
        return (Report { sight: None, error: None }, Vec::new());
    };
    let source = pass.object.source(client);
    let mut wanted = vec![(source.clone(), pass.object.id().to_owned())];
    wanted.extend(pass.object.also(client));
    let mut reports = pass.context.poller.watch_all(&wanted, &pass.reference).into_iter();
    let report = reports.next().unwrap_or(Report { sight: None, error: None });
    let ids = wanted.into_iter().skip(1).map(|(_, id)| id);
    let also = ids.zip(reports).filter_map(|(id, report)| Some((id, report.sight?))).collect();
    if report.sight.is_none() && report.error.is_none() {
        // Nothing is decided before the first sight.
        pass.context.poller.hurry(&source);
    }
    (report, also)
}
