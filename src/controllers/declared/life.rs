//! How a declared thing lives, as the [`shell`](crate::controllers::shell) asks for it.

use std::time::Duration;

use kube::ResourceExt;
use kube::runtime::controller::Action;
use tracing::info;

use super::claims::{Claim, Site, Whereabouts};
use super::facts::Facts;
use super::kind::DeclaredKind;
use super::story;
use crate::controllers::context::{Context, Name, name_of};
use crate::controllers::kind::{Item, Kind, Life};
use crate::controllers::problem::Problem;
use crate::controllers::shell::{Pass, WRITE_AGAIN};
use crate::controllers::step::Plan;
use crate::glue::poller::Report;
use crate::glue::{Class, Glue};

/// The life of a declared thing.
pub struct DeclaredLife;

/// What one pass over a declared thing knows beyond the object.
pub struct Known<L> {
    /// What only the kind learns.
    own: L,
    problem: Option<Problem>,
    fresh_intent: bool,
}

/// Where a declared thing is: an account, once AWS has named it, and a region.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsPlace {
    client: Glue,
    account: Option<String>,
}

impl Site for AwsPlace {
    fn is_same(&self, other: &Self) -> Option<bool> {
        if self.client == other.client {
            return Some(true);
        }
        if self.client.identity().region != other.client.identity().region {
            return Some(false);
        }
        Some(self.account.as_ref()? == other.account.as_ref()?)
    }
}

impl<K: DeclaredKind> Life<K> for DeclaredLife {
    type Learnt = Known<K::Learnt>;
    type Memory = K::Memory;
    type Act = K::Act;

    fn begin(object: &K, memory: &mut K::Memory) -> Known<K::Learnt> {
        Known { own: object.begin(memory), problem: None, fresh_intent: false }
    }

    fn is_over(_: &K) -> bool {
        false
    }

    fn appears(context: &Context<K>, object: &K) {
        context.claims.stand(&object.thing(), created(object), &name(object));
    }

    fn leaves(context: &Context<K>, object: &K) {
        for other in context.claims.leave(&object.thing(), &name(object)) {
            context.wake(&other);
        }
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, K::Act> {
        let claim = claim(pass);
        let report = report(pass, &claim);
        let settings = &pass.context.shared.settings;
        K::plan(&Facts {
            now: Pass::<K>::now(),
            object: &pass.object,
            inputs: pass.inputs(),
            leading: pass.context.shared.leadership.holds(),
            blocked: pass.blocked().cloned(),
            unprepared: pass.unprepared().cloned(),
            claim,
            sight: report.sight,
            poll_problem: report.error.as_deref().map(Problem::from),
            problem: pass.learnt.problem.clone(),
            learnt: &pass.learnt.own,
            fresh_intent: pass.learnt.fresh_intent,
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
        let intends = K::intends(before, after);
        let event = story::of_transition(before.map(K::declared), K::declared(after), K::NEUTRAL);
        pass.learnt.fresh_intent |= intends;
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

    async fn act(pass: &mut Pass<'_, K>, act: K::Act) -> Option<Action> {
        if K::is_once(&act) && !(pass.learnt.fresh_intent && pass.may_send()) {
            return Some(Action::requeue(WRITE_AGAIN));
        }
        let client = pass.client()?.clone();
        pass.learnt.fresh_intent = false;
        // It is lent to the call, which may not borrow the pass beside it.
        let mut own = std::mem::take(&mut pass.learnt.own);
        let answer = pass.object.act(&client, pass.inputs(), &act, &mut own).await;
        pass.remember(|memory| {
            K::remember(&mut memory.own, &own, &act, &answer);
            match &answer {
                Ok(()) => memory.patience.healed(),
                Err(error) if error.class == Class::Ambiguous => {}
                Err(_) => memory.patience.refused(Duration::MAX),
            }
        });
        pass.learnt.own = own;
        if K::changes(&act) && answer.as_ref().err().is_none_or(|error| error.class == Class::Ambiguous) {
            pass.context.poller.refresh(&pass.object.source(&client), pass.object.id());
        }
        pass.learnt.problem = answer.as_ref().err().map(Problem::from);
        None
    }

    fn rests(_: &Pass<'_, K>) {}

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

/// What the poller knows of the thing; asking makes the poller watch it.
fn report<K: DeclaredKind>(pass: &Pass<'_, K>, claim: &Claim<Name>) -> Report<Item<K>> {
    let Some(client) = pass.client().filter(|_| *claim == Claim::Ours) else {
        return Report { sight: None, error: None };
    };
    let source = pass.object.source(client);
    let report = pass.context.poller.watch(&source, pass.object.id(), &pass.reference);
    if report.sight.is_none() && report.error.is_none() {
        // Nothing is decided before the first sight.
        pass.context.poller.hurry(&source);
    }
    report
}

fn name<K: Kind>(object: &K) -> Name {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn created<K: Kind>(object: &K) -> jiff::Timestamp {
    object.creation_timestamp().map_or(jiff::Timestamp::UNIX_EPOCH, |created| created.0)
}
