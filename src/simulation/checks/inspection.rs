//! What an inspection of the whole world shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bounds::{self, OBSTACLE_LINGERS, TRIED_AFTER, TRIED_AFTER_LOSSES};
use super::{Checks, Property};
use crate::simulation::Name;
use crate::simulation::cluster::{Cluster, Object};
use crate::simulation::glue::episode::{DeniedCalls, Episode, Refusal};
use crate::simulation::glue::job::Run;
use crate::simulation::glue::{ClientId, Glue};
use crate::simulation::polls::Source;
use crate::simulation::scenario::{CREDENTIALS, FAULTS_UNTIL, Scenario};
use crate::simulation::time::{MINUTE, Ms, SECOND, clock, timestamp};

impl Checks {
    /// Looks at the world.
    pub fn inspect(&mut self, now: Ms, is_up: bool, cluster: &Cluster, glue: &Glue, scenario: &Scenario) {
        self.now = now;
        self.deletions_end(now, cluster);
        self.work_goes_on(now, is_up, cluster, glue, scenario);
        self.ends_are_seen(now, is_up, cluster, glue, scenario);
        self.settle(now, cluster);
    }

    /// A run that has ended, or that Glue does not know any more, is soon over for its object too.
    fn ends_are_seen(&mut self, now: Ms, is_up: bool, cluster: &Cluster, glue: &Glue, scenario: &Scenario) {
        let just_down = !is_up || self.downs.iter().any(|(_, until)| *until + bounds::SEEN_AFTER > now);
        if just_down {
            return;
        }
        for object in cluster.objects() {
            let attempt = object.status.attempt().filter(|attempt| attempt.ended_at.is_none() && !object.is_finished());
            let Some(id) = attempt.and_then(|attempt| attempt.id.as_ref()) else { continue };
            let tenant = &scenario.tenants[scenario.plans[object.plan].tenant];
            let mut since = glue.runs.iter().find(|run| run.id == *id).map_or(Ms::MAX, Run::ended);
            let concerns =
                |episode: &&Episode| episode.concerns(tenant.account, tenant.client, &object.target, object.plan);
            let mut is_hidden = !cluster.has_secret(&object.name.0, CREDENTIALS);
            is_hidden |=
                self.secrets.iter().any(|(at, secret)| secret.0 == object.name.0 && *at + bounds::SEEN_AFTER > now);
            let source = Source { client: tenant.client, target: object.target.clone() };
            is_hidden |= self.lost_polls.get(&(source, id.clone())).is_some_and(|at| at + bounds::SEEN_AFTER > now);
            is_hidden |= glue.throttled.get(&tenant.account).is_some_and(|at| at + bounds::SEEN_AFTER > now);
            for episode in glue.episodes.iter().filter(concerns) {
                match episode.refusal {
                    Refusal::TargetGone if object.is_deleting() && episode.is_on(now) => {
                        since = since.min(episode.from);
                    }
                    Refusal::TargetGone | Refusal::Denied(DeniedCalls::Reads) | Refusal::Unreadable => {
                        is_hidden |= episode.from <= now && now < episode.until + bounds::SEEN_AFTER;
                    }
                    _ => {}
                }
            }
            let known = self.adopted.get(&(object.uid().to_owned(), id.clone())).copied().unwrap_or(now);
            let deleted = object.meta.deletion_timestamp.as_ref().map_or(0, |deleted| ms_of(now, deleted.0));
            let since = since.max(known).max(if since < Ms::MAX { deleted } else { 0 });
            if is_hidden || since >= now {
                continue;
            }
            self.worst_lag = self.worst_lag.max(now - since);
            if now - since > bounds::SEEN_AFTER {
                let what = format!("{id} is over since {}, and the object is {:?}", clock(since), object.status.phase);
                self.flag(Property::EndsAreSeen, std::slice::from_ref(&object.name), what);
                return;
            }
        }
    }

    /// Whether nothing more is to be seen: nothing was written for a while after everybody settled, or somebody never did.
    pub fn is_over(&self, now: Ms) -> bool {
        self.settled.map_or(now > self.bound + MINUTE, |settled| now > settled + bounds::QUIET)
    }

    /// For how long the process was down since then.
    fn down_since(&self, since: Ms, now: Ms) -> Ms {
        let downs = self.downs.iter().map(|(from, until)| (*until).min(now).saturating_sub((*from).max(since)));
        downs.sum::<Ms>()
    }

    fn deletions_end(&mut self, now: Ms, cluster: &Cluster) {
        let overdue = cluster.objects().find(|object| {
            let Some(deleted) = &object.meta.deletion_timestamp else { return false };
            let waited = timestamp(now).duration_since(deleted.0).as_secs();
            let waited = Ms::try_from(waited).unwrap_or_default() * SECOND;
            waited > bounds::gone_within() + self.down_since(now.saturating_sub(waited), now)
        });
        if let Some(object) = overdue.cloned() {
            let what = format!("it was deleted at {:?}, and exists", object.meta.deletion_timestamp);
            self.flag(Property::DeletionsEnd, std::slice::from_ref(&object.name), what);
        }
    }

    fn settle(&mut self, now: Ms, cluster: &Cluster) {
        if self.settled.is_some() || now < FAULTS_UNTIL + MINUTE {
            return;
        }
        let open =
            cluster.objects().find(|object| object.is_deleting() || !object.is_finished() || object.has_finalizer());
        match open.cloned() {
            None => {
                self.settled = Some(now);
                self.settled_after = now - FAULTS_UNTIL;
            }
            Some(object) if now > self.bound => {
                let what = format!("it is {:?} at {}", object.status.phase, clock(now));
                self.flag(Property::Settles, std::slice::from_ref(&object.name), what);
            }
            Some(_) => {}
        }
    }

    fn work_goes_on(&mut self, now: Ms, is_up: bool, cluster: &Cluster, glue: &Glue, scenario: &Scenario) {
        let just_down = !is_up || self.downs.iter().any(|(_, until)| *until + MINUTE > now);
        let mut ready: BTreeMap<(ClientId, String), Name> = BTreeMap::new();
        if !just_down {
            for object in cluster.objects().filter(|object| self.is_ready(object, now, cluster, glue, scenario)) {
                let client = scenario.tenants[scenario.plans[object.plan].tenant].client;
                ready.entry((client, object.target.clone())).or_insert_with(|| object.name.clone());
            }
        }
        self.passed.retain(|key, _| ready.contains_key(key));
        self.idle.retain(|key, _| ready.contains_key(key));
        let losses = scenario.faults > 0.0;
        let bound = if losses { TRIED_AFTER_LOSSES } else { TRIED_AFTER };
        for (key, name) in ready {
            let Some(job) = glue.jobs.get(&key.1) else { continue };
            self.passed.entry(key.clone()).or_insert_with(|| (0, name.clone()));
            if glue.free_places(job, now) == 0 {
                self.idle.remove(&key);
                continue;
            }
            let tried = job.tried.get(&key.0).copied().unwrap_or_default();
            let since = self.idle.entry(key.clone()).or_insert((now, name.clone()));
            since.0 = since.0.max(tried);
            let waited = now - since.0;
            self.worst_idle = self.worst_idle.max(waited);
            if waited > bound {
                let others = cluster.objects().filter(|object| object.target == key.1 && object.name.0 == name.0);
                let mut about = vec![name.clone()];
                about.extend(others.map(|object| object.name.clone()).filter(|other| *other != name).take(6));
                let what = format!(
                    "client {} has it ready, {} has a free place, and no start is tried for {}s",
                    key.0,
                    key.1,
                    waited / SECOND
                );
                self.flag(Property::WorkGoesOn, &about, what);
            }
        }
    }

    /// Whether nothing keeps the object from being started, and nothing did a short time ago.
    pub(super) fn is_ready(
        &self,
        object: &Arc<Object>,
        now: Ms,
        cluster: &Cluster,
        glue: &Glue,
        scenario: &Scenario,
    ) -> bool {
        let tenant = &scenario.tenants[scenario.plans[object.plan].tenant];
        let (namespace, _) = &object.name;
        let policy = &object.policy;
        let idle = match object.status.attempt() {
            None => true,
            Some(attempt) if attempt.ended_at.is_some() => false,
            Some(attempt) => attempt.id.is_none() && attempt.rejected_reason.is_some(),
        };
        let secrets = cluster.has_secret(namespace, CREDENTIALS)
            && object.argument_secret.as_ref().is_none_or(|secret| cluster.has_secret(namespace, secret));
        let secret_changed = self.secrets.iter().any(|(at, secret)| secret.0 == *namespace && *at + MINUTE > now);
        let throttled = glue.throttled.get(&tenant.account).is_some_and(|at| at + OBSTACLE_LINGERS > now);
        let refused = glue.episodes.iter().any(|episode| {
            episode.from <= now
                && now < episode.until + OBSTACLE_LINGERS
                && !matches!(episode.refusal, Refusal::Invalid if episode.plan != Some(object.plan))
                && episode.concerns(tenant.account, tenant.client, &object.target, object.plan)
        });
        let lost = self.accounts.get(object.uid()).and_then(|account| account.lost_at);
        let just_lost = lost.is_some_and(|at| at + OBSTACLE_LINGERS > now);
        idle && !just_lost
            && !object.is_deleting()
            && !object.is_finished()
            && policy.suspend != Some(true)
            && policy.stop != Some(true)
            && secrets
            && !secret_changed
            && !throttled
            && !refused
    }
}

/// When a time of a status was.
fn ms_of(now: Ms, time: jiff::Timestamp) -> Ms {
    let ago = timestamp(now).duration_since(time).as_secs();
    now.saturating_sub(Ms::try_from(ago).unwrap_or_default() * SECOND)
}
