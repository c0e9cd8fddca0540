//! One pass over one object, as [`Pass::run`](crate::controllers::runtime::pass::Pass) makes it: plan, write the status,
//! take one step, plan again. Where the product waits for an answer, the pass is put aside until the answer's event.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Name;
use super::calls::{CallTo, GlueCall, Reader};
use super::checks::Property;
use super::cluster::Object;
use super::glue::ClientId;
use super::kind::Simulated;
use super::time::Ms;
use super::tokens::Waiter;
use super::world::{Event, World};
use crate::api::run::{Phase, RunStatus};
use crate::controllers::run::calls::{Call, Plan, Step};
use crate::controllers::run::facts::PassState;
use crate::controllers::run::lifecycle::intent;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::local_state::{LocalState, Stale};
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::reconciler::{MAX_STEPS, WRITE_AGAIN, until_next_pass};
use crate::controllers::runtime::start_once::{Lookup, StartState, records_intent};
use crate::glue::rate_limiter::Priority;
use crate::glue::rate_limiter::budget::Ticket;

/// `--start-settle` and `--aws-timeout` leave this long between the intent and the call.
const SEND_WITHIN: Duration = Duration::from_secs(20);

/// A pass.
pub struct Pass {
    pub number: u64,
    pub object: Arc<Object>,
    pub client: Option<Result<ClientId, Problem>>,
    pub inputs: Result<(), Problem>,
    pub state: PassState,
    pub fresh_intent: bool,
    pub intended: Option<Instant>,
    steps: usize,
    /// What it waits for.
    pub waits: Waits,
    /// How many places the job has, while the pass looks for a free one.
    pub places: Option<usize>,
}

/// What a pass waits for.
#[derive(Clone, Debug, Default)]
pub enum Waits {
    #[default]
    Nothing,
    /// This status is written; with an intent, on a token of the rate limit.
    Status(RunStatus, Option<(ClientId, Ticket)>),
    Finalizer {
        add: bool,
    },
    /// The rate limit, before this call.
    Token(GlueCall),
    /// The answer to this call.
    Answer,
    /// What a search finds.
    Search,
}

/// How a pass goes on.
enum Next {
    Again,
    Waits,
    /// It waits until the rate limit allows a start, and the object is reconciled then.
    Parked,
    Ends(Option<Duration>),
}

impl Pass {
    pub fn client(&self) -> Option<ClientId> {
        self.client.as_ref().and_then(|client| client.as_ref().ok()).copied()
    }

    pub fn credentials_problem(&self) -> Option<&Problem> {
        self.client.as_ref().and_then(|client| client.as_ref().err())
    }
}

/// For how long the process has known of the object's intent.
pub fn observe_intent(object: &Object, local: &mut LocalState<RunLocalState>) -> Duration {
    local.intent.observe(intent(&object.status).as_ref(), Instant::now())
}

impl<K: Simulated> World<K> {
    /// Begins a pass on what the cache shows.
    pub fn begin_pass(&mut self, name: &Name) {
        let Some(object) = self.process.cache.get(name).cloned() else { return };
        self.process.slots.entry(name.clone()).or_default().is_running = true;
        self.figures.passes += 1;
        match self.process.local.stale(object.uid(), Some(object.version)) {
            None => {}
            Some(Stale::Written) => return self.end_pass(name, Some(WRITE_AGAIN)),
            Some(Stale::Forgotten) => return self.end_pass(name, None),
        }
        let state = self.process.local.with(object.uid(), |local| {
            observe_intent(&object, local);
            let now = Instant::now();
            local.kind_state.observe(&object.status, now);
            let trace = object.has_finalizer() && !local.finalizer_is_own;
            let had_earlier_attempt = trace || local.kind_state.had_attempt();
            let lost_for = local.kind_state.lost_for(now);
            let start = StartState::resume(local.intent.outcome());
            PassState { had_earlier_attempt, lost_for, start, ..PassState::default() }
        });
        self.numbers += 1;
        let pass = Pass {
            number: self.numbers,
            object,
            client: None,
            inputs: Ok(()),
            state,
            fresh_intent: false,
            intended: None,
            steps: 0,
            waits: Waits::Nothing,
            places: None,
        };
        self.process.passes.insert(name.clone(), pass);
        self.go_on(name);
    }

    /// Goes on with a pass until it waits, or ends.
    pub fn go_on(&mut self, name: &Name) {
        loop {
            let Some(mut pass) = self.process.passes.remove(name) else { return };
            pass.steps += 1;
            let next = if pass.steps > MAX_STEPS {
                self.checks.flag(Property::PassesEnd, std::slice::from_ref(name), "it took more than 32 steps");
                Next::Ends(Some(Duration::from_mins(1)))
            } else {
                self.resolve(&mut pass);
                let plan = self.decide(&mut pass);
                self.advance(&mut pass, plan)
            };
            match next {
                Next::Parked => {
                    self.on_pass_end(&pass, true);
                    return self.end_pass(name, None);
                }
                Next::Ends(after) => {
                    self.leave_place(pass.object.uid());
                    self.on_pass_end(&pass, true);
                    return self.end_pass(name, after);
                }
                Next::Waits => {
                    self.process.passes.insert(name.clone(), pass);
                    return;
                }
                Next::Again => {
                    self.process.passes.insert(name.clone(), pass);
                }
            }
        }
    }

    pub fn end_pass(&mut self, name: &Name, again: Option<Duration>) {
        self.process.passes.remove(name);
        let slot = self.process.slots.entry(name.clone()).or_default();
        slot.is_running = false;
        let waiting = slot.next;
        if let Some(again) = again {
            self.requeue_after(name, again);
        } else if let Some(next) = waiting {
            self.at(next.max(self.now), Event::Run(self.process.number, name.clone()));
        }
    }

    /// The status first, when it differs; then the step.
    fn advance(&mut self, pass: &mut Pass, plan: Plan) -> Next {
        let Plan { status, step } = plan;
        if status != pass.object.status {
            let intends = records_intent(intent(&pass.object.status).as_ref(), intent(&status).as_ref());
            let place = pass.client().filter(|_| intends).map(|client| self.place_for_start(pass.object.uid(), client));
            if let Some((client, ticket)) = place
                && !self.is_granted(client, ticket)
            {
                self.on_granted(client, ticket, &pass.object.name);
                self.process.places.insert(pass.object.uid().to_owned(), (client, ticket));
                return Next::Parked;
            }
            pass.intended = place.map(|_| Instant::now()).or(pass.intended);
            let latency = self.api_latency();
            self.wait_until(pass, self.now + latency, Waits::Status(status, place));
            return Next::Waits;
        }
        self.take(pass, step)
    }

    fn take(&mut self, pass: &mut Pass, step: Step) -> Next {
        let again = |duration| Next::Ends(Some(duration));
        match step {
            Step::AddFinalizer | Step::RemoveFinalizer { .. } => {
                let add = step == Step::AddFinalizer;
                if let Step::RemoveFinalizer { left_behind: Some(run) } = &step {
                    self.log(Some(&pass.object.name), || format!("Warning: {run} is left behind"));
                    self.checks.left_behind(run);
                }
                let latency = self.api_latency();
                self.wait_until(pass, self.now + latency, Waits::Finalizer { add });
                Next::Waits
            }
            Step::Call(call) => self.call(pass, call),
            Step::Annotate(_) | Step::Delete => {
                let name = pass.object.name.clone();
                self.cluster.delete(&name, self.now);
                Next::Ends(None)
            }
            Step::Backoff => {
                let pause = self.process.local.with(pass.object.uid(), |local| {
                    local.backoff.remaining().unwrap_or_else(|| local.backoff.next_pause())
                });
                again(until_next_pass(pause, pass.object.is_deleting()))
            }
            Step::AwaitChange => {
                self.on_idle(pass);
                Next::Ends(None)
            }
            Step::RequeueAfter(pause) => {
                self.on_idle(pass);
                again(pause)
            }
        }
    }

    fn call(&mut self, pass: &mut Pass, call: Call) -> Next {
        let Some(client) = pass.client() else { return Next::Again };
        let object = Arc::clone(&pass.object);
        let target = object.target.clone();
        let caller = |call| GlueCall { client, plan: Some(object.plan), target: target.clone(), call };
        match call {
            Call::Start => {
                let timely = pass.intended.is_some_and(|at| at.elapsed() < SEND_WITHIN);
                if !pass.fresh_intent || !timely {
                    return Next::Ends(Some(WRITE_AGAIN));
                }
                pass.fresh_intent = false;
                let key = object.status.attempt().map(|attempt| attempt.key.clone()).unwrap_or_default();
                let call = caller(CallTo::Start { key });
                self.send(&call, Reader::Pass(object.name.clone(), pass.number));
                pass.waits = Waits::Answer;
            }
            Call::LookUp(_) if !self.acquire_key(pass) => {
                self.checks.looked_up(self.now, &object, Some(Reason::KeyInUse));
                let message = "another object with the same idempotencyKey is starting its run";
                pass.state.start.lookup = Some(Lookup::Failed(Problem::new(Reason::KeyInUse, message)));
                return Next::Again;
            }
            Call::LookUp(query) => self.look_up(pass, client, query),
            // The place is looked for in two calls: how many the target has, and how many are taken.
            Call::CheckPlace => self.ask(pass, caller(CallTo::GetTarget), Priority::Poll),
            Call::Stop(id) => self.ask(pass, caller(CallTo::Stop { id }), Priority::Stop),
            Call::ReadBaseline { .. } | Call::ReadResumable { .. } => return Next::Ends(Some(WRITE_AGAIN)),
        }
        Next::Waits
    }

    /// The object's place in the queue for starts: that of an earlier pass, if it is one with the client of this pass.
    fn place_for_start(&mut self, uid: &str, client: ClientId) -> (ClientId, Ticket) {
        match self.process.places.remove(uid) {
            Some((earlier, ticket)) if earlier == client => (client, ticket),
            earlier => {
                if let Some((earlier, ticket)) = earlier {
                    self.give_back(earlier, ticket);
                }
                (client, self.queue(client, Priority::Start, None))
            }
        }
    }

    /// Sends a call once the rate limit lets it.
    pub fn ask(&mut self, pass: &mut Pass, call: GlueCall, priority: Priority) {
        let waiter = Waiter::Pass(pass.object.name.clone(), pass.number);
        let client = call.client;
        pass.waits = Waits::Token(call);
        self.queue(client, priority, Some(waiter));
    }

    fn wait_until(&mut self, pass: &mut Pass, at: Ms, waits: Waits) {
        pass.waits = waits;
        self.at(at, Event::Resume(self.process.number, pass.object.name.clone(), pass.number));
    }

    /// What the pass waited for has come.
    pub fn resume(&mut self, name: &Name, number: u64) {
        let Some(mut pass) = self.process.passes.remove(name) else { return };
        if pass.number != number {
            self.process.passes.insert(name.clone(), pass);
            return;
        }
        match std::mem::take(&mut pass.waits) {
            Waits::Token(call) => {
                self.send(&call, Reader::Pass(name.clone(), pass.number));
                pass.waits = Waits::Answer;
            }
            Waits::Status(status, place) => return self.write_status(pass, status, place),
            Waits::Finalizer { add } => return self.write_finalizer(pass, add),
            waits @ (Waits::Nothing | Waits::Answer | Waits::Search) => pass.waits = waits,
        }
        self.process.passes.insert(name.clone(), pass);
    }

    fn on_idle(&mut self, pass: &Pass) {
        let phase = pass.object.status.phase.unwrap_or_default();
        if phase.is_final() {
            self.release(&pass.object.name);
        } else if phase == Phase::Suspended {
            self.process.poller.forget(&pass.object.name);
        }
    }
}
