//! The events of a world, in the order of virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Name;
use super::calls::Flight;
use super::checks::Checks;
use super::cluster::{Change, Cluster, Object};
use super::figures::Figures;
use super::glue::episode::Episode;
use super::glue::job::Job;
use super::glue::{Account, ClientId, Glue};
use super::kind::Simulated;
use super::mutations::Mutation;
use super::polls::Source;
use super::process::Process;
use super::scenario::{ARGUMENTS, Action, CREDENTIALS, FAULTS_UNTIL, Scenario};
use super::story::Story;
use super::time::{Ms, Random, SECOND, clock, millis};
use crate::glue::Error;

/// How often the checks inspect the whole world.
const INSPECT_EVERY: Ms = 5 * SECOND;

/// Something that happens.
#[derive(Debug)]
pub enum Event {
    Action(Action),
    /// Users and faults have stopped: what was taken away comes back.
    FaultsEnd,
    /// The watch of this process delivers a change.
    Watch(u32, Change),
    /// The process lists all objects.
    Boot(u32),
    /// An object is due.
    Run(u32, Name),
    /// What a pass waited for has come.
    Resume(u32, Name, u64),
    /// A call reaches Glue.
    Arrive(u64),
    /// The caller gets the answer.
    Answered(u64),
    /// A search goes on.
    Search(u32, Name),
    /// The longest time of a search has passed.
    SearchEnds(u32, Name, u64),
    /// What a client's searches have listed may be forgotten.
    Forget(u32, ClientId),
    /// It is a group's turn to poll.
    Poll(u32, Source),
    /// The pace of a group that has waited for this turn for some time is computed again.
    Pace(u32, Source, u64),
    /// Turns to poll this account may be given.
    Turns(u32, usize),
    /// Tokens of this account may be given out.
    Tokens(u32, usize),
    /// The checks inspect the world.
    Inspect,
}

/// A world.
pub struct World<K: Simulated> {
    pub scenario: Scenario,
    pub mutation: Option<Mutation>,
    pub now: Ms,
    pub cluster: Cluster,
    pub glue: Glue,
    pub process: Process<K>,
    /// Whether the process has listed the objects.
    pub is_up: bool,
    pub flights: BTreeMap<u64, Flight>,
    /// The groups whose last poll failed, and why, for a mutation.
    pub failed_polls: BTreeMap<Source, Arc<Error>>,
    pub checks: Checks,
    pub figures: Figures,
    pub story: Story,
    /// Counts passes and calls.
    pub numbers: u64,
    pub network: Random,
    pub writes: Random,
    watches: Random,
    /// When the watch delivers the last change that it knows of.
    delivered: Ms,
    events: BTreeMap<(Ms, u64), Event>,
    sequence: u64,
}

impl<K: Simulated> World<K> {
    /// A world at its beginning.
    pub fn new(scenario: Scenario, mutation: Option<Mutation>, story: Story) -> Self {
        let seed = scenario.seed;
        // The product's jitter.
        fastrand::seed(seed);
        let jobs = scenario.jobs.iter().enumerate().map(|(number, plan)| {
            let job = Job {
                places: plan.places,
                frees_late: plan.frees_late,
                course: plan.course.clone(),
                runs: Vec::new(),
                random: Random::new(seed, "job", number as u64),
                tried: BTreeMap::new(),
            };
            (plan.name.clone(), job)
        });
        let mut clients = vec![0; scenario.tenants.iter().map(|tenant| tenant.client + 1).max().unwrap_or_default()];
        for tenant in &scenario.tenants {
            clients[tenant.client] = tenant.account;
        }
        let glue = Glue {
            accounts: scenario.accounts.iter().map(|rate| Account::new(*rate)).collect(),
            clients,
            jobs: jobs.collect(),
            episodes: scenario.episodes.clone(),
            ..Glue::default()
        };
        let mut world = Self {
            mutation,
            now: 0,
            cluster: Cluster::default(),
            glue,
            process: Process::new(0),
            is_up: false,
            flights: BTreeMap::new(),
            failed_polls: BTreeMap::new(),
            checks: Checks::new(&scenario),
            figures: Figures::default(),
            story,
            numbers: 0,
            network: Random::new(seed, "network", 0),
            writes: Random::new(seed, "writes", 0),
            watches: Random::new(seed, "watches", 0),
            delivered: 0,
            events: BTreeMap::new(),
            sequence: 0,
            scenario,
        };
        for tenant in world.scenario.tenants.clone() {
            for secret in [CREDENTIALS, ARGUMENTS] {
                world.cluster.set_secret(&(tenant.namespace.clone(), secret.to_owned()), true);
            }
        }
        for (at, action) in world.scenario.actions.clone() {
            world.at(at, Event::Action(action));
        }
        world.at(FAULTS_UNTIL, Event::FaultsEnd);
        world.at(INSPECT_EVERY, Event::Inspect);
        world.at(0, Event::Boot(0));
        world
    }

    /// Lets everything happen, until nothing more is to come, or, where that is enough, until the first violation. Needs a
    /// paused tokio clock.
    pub async fn run(mut self, to_the_end: bool) -> Self {
        while let Some(((at, _), event)) = self.events.pop_first() {
            if at > self.now {
                tokio::time::advance(Duration::from_millis(at - self.now)).await;
                self.now = at;
            }
            self.figures.steps += 1;
            self.happen(event);
            self.deliver();
            let is_enough = !to_the_end && !self.checks.violations().is_empty();
            if is_enough || self.checks.is_over(self.now) {
                break;
            }
        }
        self.figures.close(&self.glue, &self.checks, self.now);
        self
    }

    pub fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Something happens at this time.
    pub fn at(&mut self, at: Ms, event: Event) {
        self.sequence += 1;
        self.events.insert((at.max(self.now), self.sequence), event);
    }

    /// Adds a line to the story.
    pub fn log(&mut self, about: Option<&Name>, text: impl FnOnce() -> String) {
        self.story.log(self.now, about, text);
    }

    /// How likely a call is lost now.
    pub fn faults(&self) -> f64 {
        if self.now < FAULTS_UNTIL { self.scenario.faults } else { 0.0 }
    }

    /// How many obstacles the object has met so far.
    pub fn obstacles(&self, object: &Object) -> u64 {
        let tenant = &self.scenario.tenants[self.scenario.plans[object.plan].tenant];
        let concerns = |episode: &&Episode| {
            episode.from <= self.now && episode.concerns(tenant.account, tenant.client, &object.target, object.plan)
        };
        let throttled = u64::from(self.glue.throttled.contains_key(&tenant.account));
        self.glue.episodes.iter().filter(concerns).count() as u64 + throttled
    }

    /// The object is reconciled soon.
    pub fn requeue(&mut self, name: &Name) {
        self.requeue_after(name, Duration::ZERO);
    }

    /// The object is reconciled after this time at the latest.
    pub fn requeue_after(&mut self, name: &Name, after: Duration) {
        let at = self.now.saturating_add(millis(after));
        let slot = self.process.slots.entry(name.clone()).or_default();
        let next = slot.next.map_or(at, |next| next.min(at));
        slot.next = Some(next);
        if !slot.is_running {
            self.at(next, Event::Run(self.process.number, name.clone()));
        }
    }

    fn happen(&mut self, event: Event) {
        let current = self.process.number;
        match event {
            Event::Action(action) => self.act(action),
            Event::FaultsEnd => self.end_faults(),
            Event::Boot(number) if number == current => self.boot(),
            Event::Watch(number, change) if number == current => self.watched(change),
            Event::Run(number, name) if number == current => {
                let slot = self.process.slots.entry(name.clone()).or_default();
                if !slot.is_running && slot.next.is_some_and(|next| next <= self.now) {
                    slot.next = None;
                    self.begin_pass(&name);
                }
            }
            Event::Resume(number, name, pass) if number == current => self.resume(&name, pass),
            Event::Arrive(call) => self.arrive(call),
            Event::Answered(call) => self.answered(call),
            Event::Search(number, name) if number == current => self.go_on_searching(&name),
            Event::SearchEnds(number, name, search) if number == current => self.end_search(&name, search),
            Event::Forget(number, client) if number == current => self.forget_histories(client),
            Event::Poll(number, source) if number == current => self.poll(&source),
            Event::Pace(number, source, turn) if number == current => self.look_at_pace(&source, turn),
            Event::Turns(number, account) if number == current => self.give_poll_turns(account),
            Event::Tokens(number, account) if number == current => self.grant(account),
            Event::Inspect => {
                self.inspect();
                self.at(self.now + INSPECT_EVERY, Event::Inspect);
            }
            _ => {}
        }
    }

    fn inspect(&mut self) {
        let Self { checks, cluster, glue, scenario, now, is_up, .. } = self;
        checks.inspect(*now, *is_up, cluster, glue, scenario);
    }

    fn act(&mut self, action: Action) {
        let name = action.plan().map(|plan| self.scenario.plans[plan].name.clone());
        let is_again =
            matches!(action, Action::Create(_)) && name.as_ref().is_some_and(|name| self.cluster.get(name).is_some());
        if !is_again {
            self.log(name.as_ref(), || format!("{action:?}"));
        }
        self.checks.acted(self.now, &action);
        let name = name.unwrap_or_default();
        match action {
            Action::Create(plan) => {
                let object = self.scenario.plans[plan].clone();
                if self.cluster.create(plan, &object, self.now).is_some() {
                    self.figures.objects += 1;
                } else if self.cluster.get(&name).is_some_and(|object| object.is_deleting()) {
                    self.at(self.now + 2 * SECOND, Event::Action(Action::Create(plan)));
                }
            }
            Action::Delete(_) => self.cluster.delete(&name, self.now),
            Action::Recreate(plan) => {
                self.cluster.delete(&name, self.now);
                self.at(self.now + SECOND, Event::Action(Action::Create(plan)));
            }
            Action::Suspend(_, suspend) => self.cluster.edit_spec(&name, |policy| policy.suspend = Some(suspend)),
            Action::Stop(_) => self.cluster.edit_spec(&name, |policy| policy.stop = Some(true)),
            Action::WipeStatus(_) => self.cluster.edit(&name, |object| {
                if object.has_finalizer() && !object.is_deleting() {
                    object.status = crate::api::run::RunStatus::unobserved();
                }
            }),
            Action::Secret(secret, exists) => self.cluster.set_secret(&secret, exists),
            Action::Restart => {
                self.process = Process::new(self.process.number + 1);
                self.is_up = false;
                let down = self.watches.between(SECOND, 30 * SECOND);
                self.checks.down(self.now, self.now + down);
                self.at(self.now + down, Event::Boot(self.process.number));
            }
        }
    }

    fn end_faults(&mut self) {
        self.log(None, || "users and faults stop; what was taken away is back".to_owned());
        for tenant in self.scenario.tenants.clone() {
            for secret in [CREDENTIALS, ARGUMENTS] {
                self.cluster.set_secret(&(tenant.namespace.clone(), secret.to_owned()), true);
            }
        }
        let suspended = |object: &&std::sync::Arc<super::cluster::Object>| object.policy.suspend == Some(true);
        let held: Vec<_> = self.cluster.objects().filter(suspended).map(|object| object.name.clone()).collect();
        for name in held {
            self.cluster.edit_spec(&name, |policy| policy.suspend = Some(false));
        }
    }

    /// Reports what has changed to the watch of the process.
    fn deliver(&mut self) {
        for change in self.cluster.take_changes() {
            if let Change::Deleted(object) = &change {
                let (now, glue, cluster) = (self.now, &self.glue, &self.cluster);
                self.checks.gone(now, object, glue, cluster);
                self.log(Some(&object.name), || "the object is gone".to_owned());
            }
            if !self.is_up {
                continue;
            }
            let slow = self.faults() > 0.0 && self.watches.chance(0.02);
            let delay = if slow { self.watches.between(SECOND, 8 * SECOND) } else { self.watches.between(2, 50) };
            // A watch keeps the order.
            self.delivered = self.delivered.max(self.now + delay);
            self.at(self.delivered, Event::Watch(self.process.number, change));
        }
    }

    fn boot(&mut self) {
        self.is_up = true;
        self.delivered = self.now;
        let (number, at) = (self.process.number, clock(self.now));
        self.log(None, || format!("process {number} lists all objects at {at}"));
        let mut objects: Vec<_> = self.cluster.objects().cloned().collect();
        self.watches.shuffle(&mut objects);
        for object in objects {
            self.process.cache.insert(object.name.clone(), std::sync::Arc::clone(&object));
            self.on_applied(&object, true);
            self.requeue(&object.name);
        }
    }

    fn watched(&mut self, change: Change) {
        match change {
            Change::Applied(object) => {
                let name = object.name.clone();
                self.on_applied(&object, false);
                self.process.cache.insert(name.clone(), object);
                self.requeue(&name);
            }
            Change::Deleted(object) => {
                self.process.cache.remove(&object.name);
                self.release(&object.name);
                self.leave_place(object.uid());
                self.process.local.forget(object.uid());
            }
            Change::Secret((namespace, secret)) => {
                let depends = |object: &super::cluster::Object| {
                    object.name.0 == namespace
                        && !object.is_finished()
                        && (secret == CREDENTIALS || object.argument_secret.as_ref() == Some(&secret))
                };
                let dependents: Vec<_> =
                    self.process.cache.values().filter(|object| depends(object)).cloned().collect();
                for object in dependents {
                    self.process.local.with(object.uid(), |local| local.backoff.reset());
                    self.requeue(&object.name);
                }
            }
        }
    }
}
