//! The lookups of runs: the searches of the product, with a reader whose calls go to the model.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Name;
use super::calls::{Answer, CallTo, GlueCall};
use super::glue::ClientId;
use super::kind::{Simulated, Wanted};
use super::mailbox::Mailbox;
use super::mutations::Mutation;
use super::shell::{Pass, Waits, observe_intent};
use super::time::millis;
use super::tokens::Waiter;
use super::world::{Event, World};
use crate::api::run::Phase;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::run::sharing;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};
use crate::glue::Error;
use crate::glue::job_runs::search::KEPT_FOR;
use crate::glue::rate_limiter::Priority;
use crate::glue::rate_limiter::budget::Ticket;

/// A search under way.
pub struct Search<F> {
    number: u64,
    query: RunQuery,
    /// For how long the process had known of the intent when the search began.
    intent_age: Duration,
    /// The call that it waits for, without what is called.
    call: GlueCall,
    urgency: Priority,
    mailbox: Mailbox,
    /// Whether a call is on its way; it waits for another search of the job otherwise.
    is_calling: bool,
    /// What its call waits for.
    ticket: Option<Ticket>,
    future: Pin<Box<dyn Future<Output = Result<F, Error>>>>,
}

impl<K: Simulated> World<K> {
    /// Begins the lookup of a pass, as `look_up` of the kind.
    pub fn look_up(&mut self, pass: &mut Pass, client: ClientId, query: RunQuery) {
        let object = Arc::clone(&pass.object);
        self.checks.looks_up(self.now, &object);
        let intent_age = self.process.local.with(object.uid(), |local| observe_intent(&object, local));
        let urgency = if object.is_deleting() { Priority::Stop } else { Priority::Search };
        let mailbox = Mailbox::default();
        let is_urgent = urgency == Priority::Stop;
        let wanted = Wanted { client, object: &object, query: &query, is_urgent, mutation: self.mutation };
        let search = K::search(&mut self.process, mailbox.clone(), &wanted);
        if self.process.histories.get(&client).is_some_and(|histories| histories.begin_forgetting()) {
            self.at(self.now + millis(KEPT_FOR), Event::Forget(self.process.number, client));
        }
        self.numbers += 1;
        let search = Search {
            number: self.numbers,
            query,
            intent_age,
            call: GlueCall { client, plan: Some(object.plan), target: object.target.clone(), call: CallTo::GetTarget },
            urgency,
            mailbox,
            is_calling: false,
            ticket: None,
            // The events of one instant are one poll to tokio, which would make a task yield.
            future: Box::pin(tokio::task::unconstrained(search)),
        };
        pass.waits = Waits::Search;
        let ends = Event::SearchEnds(self.process.number, object.name.clone(), search.number);
        self.at(self.now + millis(K::LONGEST_SEARCH), ends);
        self.process.searches.insert(object.name.clone(), search);
        self.at(self.now, Event::Search(self.process.number, object.name.clone()));
    }

    /// Goes on with a search until it waits for an answer or for another search, or ends.
    pub fn go_on_searching(&mut self, name: &Name) {
        let Some(search) = self.process.searches.get_mut(name) else { return };
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(found) = search.future.as_mut().poll(&mut context) {
            return self.searched(name, found);
        }
        let Some(call) = search.mailbox.take_call() else { return };
        search.is_calling = true;
        let call = GlueCall { call, ..search.call.clone() };
        let (client, urgency, number) = (call.client, search.urgency, search.number);
        let ticket = self.queue(client, urgency, Some(Waiter::Search(name.clone(), number, call)));
        if let Some(search) = self.process.searches.get_mut(name) {
            search.ticket = Some(ticket);
        }
    }

    /// Whether this search still waits.
    pub fn is_searching(&self, name: &Name, number: u64) -> bool {
        self.process.searches.get(name).is_some_and(|search| search.number == number)
    }

    pub fn search_answered(&mut self, name: &Name, number: u64, answer: Result<Answer, Error>) {
        let Some(search) = self.process.searches.get_mut(name).filter(|search| search.number == number) else { return };
        search.is_calling = false;
        search.mailbox.answer(answer);
        self.go_on_searching(name);
    }

    /// The longest time of a search has passed.
    pub fn end_search(&mut self, name: &Name, number: u64) {
        if self.is_searching(name, number) {
            self.go_on_searching(name);
        }
        if self.is_searching(name, number) {
            // The timer of tokio is a little later.
            self.at(self.now + 1, Event::SearchEnds(self.process.number, name.clone(), number));
        }
    }

    /// What was listed and not searched for some time is forgotten.
    pub fn forget_histories(&mut self, client: ClientId) {
        if self.process.histories.get(&client).is_some_and(|histories| histories.forget_old()) {
            self.at(self.now + millis(KEPT_FOR), Event::Forget(self.process.number, client));
        }
    }

    /// A search has ended. Others of the job may wait for it.
    fn searched(&mut self, name: &Name, found: Result<K::Found, Error>) {
        let Some(search) = self.process.searches.remove(name) else { return };
        if let Some(ticket) = search.ticket
            && !self.is_granted(search.call.client, ticket)
        {
            self.give_back(search.call.client, ticket);
        }
        let waits_for = |other: &Search<K::Found>| {
            !other.is_calling && other.call.client == search.call.client && other.call.target == search.call.target
        };
        let waiting: Vec<_> = self.process.searches.iter().filter(|(_, other)| waits_for(other)).collect();
        let waiting: Vec<_> = waiting.into_iter().map(|(name, _)| name.clone()).collect();
        for other in waiting {
            self.at(self.now, Event::Search(self.process.number, other));
        }
        let Some(mut pass) = self.process.passes.remove(name) else { return };
        pass.waits = Waits::Nothing;
        let base = search.query.base_key.clone();
        let is_refused = matches!(pass.state.start.outcome, Some(StartOutcome::Rejected(_)));
        let is_repeated = pass.object.is_deleting() || self.is(Mutation::FailedLookupsAreRepeatedAtOnce);
        if found.is_err() && !is_refused && !is_repeated {
            self.process.local.with(pass.object.uid(), |local| local.backoff.delay(Duration::MAX));
        }
        let lookup = self.lookup(&pass, search, found);
        let problem = match &lookup {
            Lookup::Failed(problem) => Some(problem.reason),
            Lookup::Found(_) | Lookup::NotFound { .. } => None,
        };
        if !is_refused {
            self.checks.looked_up(self.now, &pass.object, problem);
        }
        self.log(Some(name), || match &lookup {
            Lookup::Found(run) => format!("looks for {base}: {}", run.id),
            Lookup::NotFound { .. } => format!("looks for {base}: nothing"),
            Lookup::Failed(problem) => format!("the lookup failed: {}", problem.message),
        });
        pass.state.start.lookup = Some(lookup);
        self.process.passes.insert(name.clone(), pass);
        self.go_on(name);
    }

    /// As `look_up` of the lifecycle and of the kind.
    fn lookup(&self, pass: &Pass, search: Search<K::Found>, found: Result<K::Found, Error>) -> Lookup<ObservedRun> {
        let found = match found {
            Ok(found) => found,
            Err(_) if self.is(Mutation::FailedLookupsFindNothing) => K::Found::default(),
            Err(error) => return Lookup::Failed(Problem::of(&error, None)),
        };
        let Search { query, intent_age, .. } = search;
        let only_first = self.is(Mutation::OnlyTheFirstAttemptIsFound).then_some(0);
        let attempts = &pass.object.status.attempts;
        let is_recorded = |id: &str| attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id));
        let listed = K::pick(found, query.attempt.or(only_first), is_recorded);
        let listed = listed.map(|mut run| {
            if self.is(Mutation::StoppedRunsAreAdopted) && matches!(run.phase, Phase::Stopping | Phase::Stopped) {
                run.phase = Phase::Starting;
            }
            run
        });
        let of_other = query.attempt.is_none().then(|| self.run_of_other(pass)).flatten();
        sharing::newest(listed, of_other).map_or(Lookup::NotFound { intent_age }, Lookup::Found)
    }
}
