//! How a run lives, as the [`shell`](crate::controllers::shell) asks for it: facts in, steps out.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::facts::{Answer, Facts, Known, Learnt, Look, Observed, Sight, Stir, Survey};
use super::kind::{RunKind, Surveyed};
use super::memory::Memory;
use super::plan::plan;
use super::step::{Act, Trace};
use super::{step, story, turn};
use crate::api::run::{Newest, Phase, RunStatus};
use crate::controllers::context::{Place, name_of};
use crate::controllers::kind::Item;
use crate::controllers::life::Life;
use crate::controllers::pass::Pass;
use crate::controllers::step::Plan;
use crate::controllers::times;
use crate::controllers::writes;
use crate::glue::Class;
use crate::glue::poller::{self, Report};

/// The longest pause of the one that is first in line for a place. Glue frees a place some seconds after a
/// run's end and tells nobody.
const ASK_FOR_A_PLACE: Duration = Duration::from_secs(15);

/// The life of a run.
pub struct RunLife;

impl<K: RunKind> Life<K> for RunLife {
    type Act = Act;

    fn begin(object: &K, memory: &mut Memory) -> Known<K> {
        // Takes note of the intent first: an answer belongs to one intent only.
        memory.open_for(&run_status(object));
        let lived_before = writes::has_finalizer(object.meta()) || memory.attempted();
        Known { learnt: Learnt { lived_before, answer: memory.answer(), ..Learnt::default() }, item: None }
    }

    fn is_over(object: &K) -> bool {
        phase(object).is_some_and(Phase::is_final)
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Act> {
        let step::Plan { status, step } = decide(pass);
        Plan { status: pass.object.render(pass.client(), status, pass.learnt.item.as_ref()), step }
    }

    fn intends(before: Option<&K::Status>, after: &K::Status) -> bool {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        Learnt::intends(&before, K::run_status(after))
    }

    fn wrote(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        let after = run_status(&pass.object);
        pass.learnt.learnt.wrote(&before, &after);
        let is_known = |status: &RunStatus| status.attempt().is_some_and(|attempt| attempt.id.is_some());
        if is_known(&after) && !is_known(&before) {
            pass.context.leave_line(&pass.reference);
        }
        tell(pass, &before, &after);
    }

    fn is_once(act: &Act) -> bool {
        *act == Act::Start
    }

    async fn act(pass: &mut Pass<'_, K>, act: Act) {
        match act {
            Act::Look(trace) => look(pass, &trace).await,
            Act::Survey { after } => survey(pass, after.as_ref()).await,
            Act::Start => start(pass).await,
            Act::Stop(id) => stop(pass, &id).await,
        }
    }

    fn rests(pass: &Pass<'_, K>) {
        let phase = phase(&pass.object).unwrap_or_default();
        if phase.is_final() {
            pass.context.let_go(&pass.object);
        } else if phase == Phase::Suspended {
            pass.context.leave_line(&pass.reference);
            pass.context.poller.forget(&pass.reference);
        }
    }

    fn left_behind(run: &str) -> String {
        format!("{} {run} could not be stopped in Glue: stop it by hand", K::NOUN)
    }
}

/// The shared part of the status as the object has it by now.
fn run_status<K: RunKind>(object: &K) -> RunStatus {
    let unobserved = || RunStatus { observed_generation: -1, ..RunStatus::default() };
    object.status().map_or_else(unobserved, |status| K::run_status(status).clone())
}

fn phase<K: RunKind>(object: &K) -> Option<Phase> {
    object.status().and_then(|status| K::run_status(status).phase)
}

fn place<K: RunKind>(pass: &Pass<'_, K>) -> Option<Place> {
    pass.place(pass.object.target())
}

/// Gathers the facts and decides.
fn decide<K: RunKind>(pass: &mut Pass<'_, K>) -> step::Plan {
    let status = run_status(&pass.object);
    let report = report(pass, &status);
    let waiting = status.attempt().filter(|attempt| turn::is_waiting(attempt));
    let stir = waiting.map_or(Stir::Still, |waiting| match &report.sight {
        None => Stir::Still,
        Some(poller::Sight::Here(item)) => K::stir(item, &waiting.after.clone().unwrap_or_default()),
        Some(poller::Sight::Gone) => Stir::Free,
    });
    let sight = report.sight.and_then(|sight| match sight {
        poller::Sight::Here(item) => sees(pass, item).map(Sight::Here),
        poller::Sight::Gone => Some(Sight::Gone),
    });
    let live_id = status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
    let shared = pass.context.poller.companions(&pass.reference) > 0;
    let (open_for, rest, stop_sent) =
        pass.remember(|memory| (memory.own.open_for(&status), memory.patience.rest(), memory.own.stop_sent(&live_id)));
    let (created, name) = (pass.created(), name_of(&pass.reference));
    let behind = place(pass).is_some_and(|place| {
        if waiting.is_some() {
            // A restart has forgotten the lines; the objects have not.
            pass.context.lines.join(&place, created, &name);
        }
        pass.context.lines.is_behind(&place, created, &name)
    });
    let settings = &pass.context.shared.settings;
    plan(&Facts {
        now: times::now(),
        meta: pass.object.meta(),
        policy: pass.object.policy(),
        noun: K::NOUN,
        turns: pass.object.turns(),
        follow: pass.object.follow(),
        status: &status,
        leading: pass.context.shared.leadership.holds(),
        blocked: pass.blocked().cloned(),
        unprepared: pass.unprepared().cloned(),
        learnt: &pass.learnt.learnt,
        fresh_intent: pass.fresh_intent,
        open_for,
        settle: settings.start_settle,
        rest,
        behind,
        stir,
        shared,
        sight,
        poll_problem: report.error.as_deref().map(|error| pass.explain(error)),
        stop_sent,
        deletion_timeout: settings.deletion_timeout,
    })
}

/// Takes in a run as Glue shows it, without the secrets that it may show.
fn sees<K: RunKind>(pass: &mut Pass<'_, K>, item: Item<K>) -> Option<Observed> {
    let item = pass.object.redact(item, pass.inputs());
    let observed = K::observe(&item)?;
    pass.learnt.item = Some(item);
    Some(observed)
}

/// What the poller knows of the live run, or of what is waited for; asking makes the poller watch it.
fn report<K: RunKind>(pass: &Pass<'_, K>, status: &RunStatus) -> Report<Item<K>> {
    let nothing = Report { sight: None, error: None };
    let over = status.phase.is_some_and(Phase::is_final);
    let Some(attempt) = status.attempt().filter(|attempt| !over && attempt.ended_at.is_none()) else {
        return nothing;
    };
    match (pass.client(), pass.object.poll_id(attempt)) {
        (Some(client), Some(id)) => pass.context.poller.watch(&pass.object.source(client), &id, &pass.reference),
        _ => nothing,
    }
}

/// Events, logs and metrics of a transition: all in one place, around the decision.
fn tell<K: RunKind>(pass: &Pass<'_, K>, before: &RunStatus, after: &RunStatus) {
    let Some(event) = story::of_transition(before, after) else {
        return;
    };
    info!(
        kind = K::KIND,
        namespace = pass.reference.namespace,
        name = pass.reference.name,
        phase = ?after.phase.unwrap_or_default(),
        reason = event.reason,
        run = after.attempt().and_then(|attempt| attempt.id.as_deref()),
        "{}",
        event.note.as_deref().unwrap_or_default()
    );
    let metrics = &pass.context.shared.metrics;
    match event.reason.as_str() {
        "Started" => {
            metrics.run_started(K::KIND, times::since(Timestamp::now(), pass.created()));
        }
        "Adopted" => metrics.run_adopted(K::KIND),
        _ => {}
    }
    let over = after.phase.is_some_and(Phase::is_final);
    if let Some(ended_on) = pass.learnt.item.as_ref().filter(|_| over).and_then(K::ended_on) {
        metrics.status_caught_up(K::KIND, times::since(Timestamp::now(), ended_on));
    }
    pass.tell(event);
    metrics.live_runs(K::KIND, pass.context.poller.live());
}

/// Sees what is there before a start; who asks stands in line from then on.
async fn survey<K: RunKind>(pass: &mut Pass<'_, K>, after: Option<&Newest>) {
    let Some(client) = pass.client().cloned() else { return };
    if let Some(place) = place(pass) {
        pass.context.join_line(&place, pass.created(), &pass.reference);
    }
    pass.learnt.learnt.survey = Some(match pass.object.survey(&client, after).await {
        Ok(Surveyed { busy, newest, live, next }) => {
            let live = live.and_then(|item| sees(pass, item));
            let next = next.and_then(|item| sees(pass, item));
            Survey::Seen { busy, newest, live, next }
        }
        Err(error) => Survey::Failed(pass.explain(&error)),
    });
}

async fn look<K: RunKind>(pass: &mut Pass<'_, K>, trace: &Trace) {
    let Some(client) = pass.client().cloned() else { return };
    let status = run_status(&pass.object);
    let known_for = pass.remember(|memory| memory.own.open_for(&status));
    pass.learnt.learnt.look = Some(match pass.object.look(&client, trace, pass.inputs()).await {
        Ok(found) => found.and_then(|item| sees(pass, item)).map_or(Look::Nothing { known_for }, Look::Found),
        Err(error) => Look::Failed(pass.explain(&error)),
    });
}

async fn start<K: RunKind>(pass: &mut Pass<'_, K>) {
    let status = run_status(&pass.object);
    let (Some(client), Some(inputs), Some(attempt)) = (pass.client().cloned(), pass.inputs(), status.attempt()) else {
        return;
    };
    let answer = match pass.object.start(&client, &attempt.key, inputs).await {
        Ok(Some(id)) => Answer::Started(id),
        Ok(None) => Answer::Accepted,
        Err(error) if error.class.is_clear_no() => Answer::Refused(pass.explain(&error)),
        Err(error) => Answer::Unclear(pass.explain(&error)),
    };
    pass.fresh_intent = false;
    let takes_turns = pass.object.turns().is_some();
    pass.remember(|memory| {
        memory.own.answered(&answer);
        match &answer {
            Answer::Started(_) | Answer::Accepted => memory.patience.healed(),
            // Who takes turns is woken when it is free.
            Answer::Refused(problem) if problem.class == Some(Class::Busy) && takes_turns => {}
            Answer::Refused(problem) if problem.class == Some(Class::Busy) => {
                memory.patience.refused(ASK_FOR_A_PLACE);
            }
            Answer::Refused(_) => memory.patience.refused(Duration::MAX),
            Answer::Unclear(_) => {}
        }
    });
    match &answer {
        Answer::Refused(problem) if problem.class == Some(Class::Busy) => {
            if let Some(place) = place(pass) {
                pass.context.join_line(&place, pass.created(), &pass.reference);
            }
        }
        Answer::Started(_) => pass.context.leave_line(&pass.reference),
        Answer::Refused(_) | Answer::Unclear(_) | Answer::Accepted => {}
    }
    pass.learnt.learnt.answered(answer);
}

async fn stop<K: RunKind>(pass: &mut Pass<'_, K>, id: &str) {
    let Some(client) = pass.client().cloned() else { return };
    match pass.object.stop(&client, id).await {
        Ok(()) => pass.remember(|memory| memory.own.stop_accepted(id)),
        Err(error) => pass.learnt.learnt.stop_problem = Some(pass.explain(&error)),
    }
}
