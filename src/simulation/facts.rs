//! The facts of a pass, as [`lifecycle`](crate::controllers::run::lifecycle) gathers them.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::kind::Simulated;
use super::mutations::Mutation;
use super::polls::Source;
use super::scenario::CREDENTIALS;
use super::shell::{Pass, observe_intent};
use super::time::timestamp;
use super::world::World;
use crate::api::run::{Phase, RunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::Plan;
use crate::controllers::run::facts::{CrawlerActivity, Facts, Observation};
use crate::controllers::run::plan::plan;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::glue::poller::{self, Report};

/// `--start-settle`.
pub const SETTLE: Duration = Duration::from_mins(1);
/// `--deletion-timeout`.
pub const DELETION_TIMEOUT: Duration = Duration::from_mins(10);

impl<K: Simulated> World<K> {
    /// The client and the inputs, once in a pass.
    pub fn resolve(&mut self, pass: &mut Pass) {
        let object = &pass.object;
        let deleting = object.is_deleting();
        if pass.client.is_some() || object.is_finished() || (deleting && !object.has_finalizer()) {
            return;
        }
        let (namespace, name) = &object.name;
        let client = self.scenario.tenants[self.scenario.plans[object.plan].tenant].client;
        // While an object is being deleted, the last good client goes on working.
        let known = deleting && self.process.clients.contains(&client);
        pass.client = Some(if known || self.cluster.has_secret(namespace, CREDENTIALS) {
            self.process.clients.insert(client);
            Ok(client)
        } else {
            Err(Problem::new(Reason::SecretNotFound, format!("there is no Secret {namespace}/{CREDENTIALS}")))
        });
        pass.inputs = match &object.argument_secret {
            Some(secret) if !self.cluster.has_secret(namespace, secret) => Err(Problem::new(
                Reason::ArgumentNotFound,
                format!("there is no Secret {namespace}/{secret} of {name}"),
            )),
            _ => Ok(()),
        };
    }

    /// Gathers the facts and decides.
    pub fn decide(&mut self, pass: &mut Pass) -> Plan {
        let object = Arc::clone(&pass.object);
        let report = self.report(pass, &object.status);
        let observation = report.observation.and_then(|observation| match observation {
            poller::Observation::Present(item) => K::observed(&item).map(Observation::Present),
            poller::Observation::NotFound => Some(Observation::NotFound),
        });
        let source = pass.client().map(|client| Source { client, target: object.target.clone() });
        let reported_at_once = source.and_then(|source| self.failed_polls.get(&source)).map(|error| &**error);
        let turn = self.turn(pass);
        let live_id = object.status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
        let shared = self.process.shared_runs.is_needed_by_others(&live_id, &object.name);
        let is_refused = pass.credentials_problem().is_some() || pass.state.stop_problem.is_some();
        let waits_on = self.is(Mutation::StuckStopsNeverTimeOut) && !is_refused;
        let deletion_timeout = if waits_on { Duration::MAX } else { DELETION_TIMEOUT };
        let settle = if self.is(Mutation::LostAnswersSettleAtOnce) { Duration::ZERO } else { SETTLE };
        let (intent_age, id_age, backoff, stop_sent) = self.process.local.with(object.uid(), |local| {
            local.kind_state.observe(&object.status, Instant::now());
            let stop_sent = local.kind_state.stop_sent(&live_id);
            let id_age = local.kind_state.id_age();
            (observe_intent(&object, local), id_age, local.backoff.remaining(), stop_sent)
        });
        plan(&Facts {
            common: CommonFacts {
                now: timestamp(self.now),
                meta: &object.meta,
                leading: true,
                credentials_problem: pass.credentials_problem().cloned(),
                inputs_problem: pass.inputs.as_ref().err().cloned(),
                poll_problem: report.error.as_deref().or(reported_at_once).map(|error| Problem::of(error, None)),
                fresh_intent: pass.fresh_intent,
                intent_age,
                backoff,
                settle,
                deletion_timeout,
            },
            policy: &object.policy,
            noun: K::Object::NOUN,
            target: K::Object::TARGET,
            concurrency: None,
            follow: None,
            resume: None,
            status: &object.status,
            state: &pass.state,
            activity: CrawlerActivity::Unchanged,
            carries_key: true,
            turn,
            refusal: self.refusal(pass, turn),
            shared: shared && !self.is(Mutation::SharedRunsHaveOneOwner),
            is_foreign: false,
            id_age,
            observation,
            stop_sent,
        })
    }

    fn report(&mut self, pass: &Pass, status: &RunStatus) -> Report<K::Item> {
        let over = status.phase.is_some_and(Phase::is_final);
        let Some(attempt) = status.attempt().filter(|attempt| !over && attempt.ended_at.is_none()) else {
            return Report::default();
        };
        match (pass.client(), &attempt.id) {
            (Some(client), Some(id)) => {
                let source = Source { client, target: pass.object.target.clone() };
                self.watch(&source, id, &pass.object.name)
            }
            _ => Report::default(),
        }
    }
}
