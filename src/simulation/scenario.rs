//! What happens in a world: its tenants, jobs and objects, what users do, and what Glue refuses. All of it follows from
//! the seed and the number of objects, before anything happens.

use std::collections::{BTreeMap, BTreeSet};

use super::Name;
use super::glue::ClientId;
use super::glue::episode::{DeniedCalls, Episode, Refusal};
use super::glue::job::Course;
use super::time::{MINUTE, Ms, Random, SECOND};
use crate::api::run::{DeletionPolicy, Retry, RunPolicy};

/// When users and faults stop.
pub const FAULTS_UNTIL: Ms = 40 * MINUTE;
/// How long a stuck run stays in STOPPING: longer than the deletion timeout.
pub const STUCK_UNTIL: Ms = 70 * MINUTE;
/// The Secret of a tenant's credentials.
pub const CREDENTIALS: &str = "kube-glue-credentials";
/// The Secret of arguments.
pub const ARGUMENTS: &str = "arguments";

/// A namespace with credentials of its own.
#[derive(Clone, Debug)]
pub struct Tenant {
    pub namespace: String,
    pub client: ClientId,
    pub account: usize,
}

/// A job to be.
#[derive(Clone, Debug)]
pub struct JobPlan {
    pub name: String,
    pub account: usize,
    pub places: usize,
    pub frees_late: Ms,
    pub course: Course,
}

/// An object to be.
#[derive(Clone, Debug)]
pub struct ObjectPlan {
    pub name: Name,
    pub tenant: usize,
    pub target: String,
    pub policy: RunPolicy,
    pub argument_secret: Option<String>,
}

/// What a user does, or an accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Create(usize),
    Delete(usize),
    /// Delete, and create under the same name once it is gone.
    Recreate(usize),
    Suspend(usize, bool),
    Stop(usize),
    /// The status is lost, as after a restore.
    WipeStatus(usize),
    Secret(Name, bool),
    /// Another replica takes over, or the process restarts.
    Restart,
}

impl Action {
    /// The object that it is about.
    pub fn plan(&self) -> Option<usize> {
        match self {
            Self::Create(plan)
            | Self::Delete(plan)
            | Self::Recreate(plan)
            | Self::Suspend(plan, _)
            | Self::Stop(plan)
            | Self::WipeStatus(plan) => Some(*plan),
            Self::Secret(..) | Self::Restart => None,
        }
    }
}

/// Everything that is decided beforehand.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub seed: u64,
    /// Calls per second of each account.
    pub accounts: Vec<f64>,
    pub tenants: Vec<Tenant>,
    pub jobs: Vec<JobPlan>,
    pub plans: Vec<ObjectPlan>,
    pub actions: Vec<(Ms, Action)>,
    pub episodes: Vec<Episode>,
    /// How likely a call or a write is lost, until [`FAULTS_UNTIL`].
    pub faults: f64,
}

/// Which kinds of trouble a world has.
struct Themes(Random);

impl Themes {
    fn has(&mut self) -> bool {
        self.0.chance(0.4)
    }
}

impl Scenario {
    /// The world of `seed`.
    pub fn new(seed: u64, objects: usize) -> Self {
        let mut themes = Themes(Random::new(seed, "themes", 0));
        let mut random = Random::new(seed, "scenario", 0);
        let accounts = accounts(&mut random, themes.has());
        // Few jobs and tenants make long queues.
        let crowded = themes.has();
        let tenants = tenants(&mut random, accounts.len(), if crowded { 3 } else { objects / 8 });
        let (lies, sticks) = (themes.has(), themes.has());
        let jobs = if crowded { accounts.len() * 2 } else { (objects / 6).clamp(2, 24) };
        let jobs: Vec<_> = (0..jobs).map(|n| job(&mut random, n, accounts.len(), lies, sticks)).collect();
        let tenants: Vec<_> = tenants
            .into_iter()
            .filter(|tenant: &Tenant| jobs.iter().any(|job| job.account == tenant.account))
            .collect();
        let mut scenario = Self {
            seed,
            accounts,
            tenants,
            jobs,
            plans: Vec::new(),
            actions: Vec::new(),
            episodes: Vec::new(),
            faults: if themes.has() { 0.04 } else { 0.0 },
        };
        let (keys, secrets, edits) = (themes.has(), themes.has(), themes.has());
        for number in 0..objects {
            scenario.add_object(number, keys, edits);
        }
        if secrets {
            scenario.add_secrets();
        }
        scenario.add_episodes(&mut themes);
        if themes.has() {
            scenario.add_restarts();
        }
        scenario.actions.sort_by_key(|(at, _)| *at);
        scenario
    }

    /// The same world with these objects only.
    pub fn only(mut self, kept: &BTreeSet<usize>) -> Self {
        self.actions.retain(|(_, action)| action.plan().is_none_or(|plan| kept.contains(&plan)));
        self
    }

    /// The plan of this name, and its number.
    pub fn plan(&self, name: &Name) -> Option<(usize, &ObjectPlan)> {
        self.plans.iter().enumerate().find(|(_, plan)| plan.name == *name)
    }

    /// The number of plans for each target.
    pub fn load(&self) -> BTreeMap<&str, usize> {
        let mut load = BTreeMap::new();
        for plan in &self.plans {
            *load.entry(plan.target.as_str()).or_default() += 1;
        }
        load
    }

    fn add_object(&mut self, number: usize, keys: bool, edits: bool) {
        let mut random = Random::new(self.seed, "object", number as u64);
        // The first tenant is the noisy one.
        let tenant = if random.chance(0.3) { 0 } else { random.between(0, self.tenants.len() as u64 - 1) };
        let tenant = usize::try_from(tenant).unwrap_or_default();
        let Tenant { namespace, account, .. } = self.tenants[tenant].clone();
        let jobs: Vec<_> = self.jobs.iter().filter(|job| job.account == account).map(|job| job.name.clone()).collect();
        let mut policy = RunPolicy::default();
        if random.chance(0.25) {
            let limit = u32::try_from(random.between(1, 3)).unwrap_or(1);
            policy.retry = Some(Retry { limit, max_backoff_seconds: Some(60), ..Retry::default() });
        }
        if random.chance(0.1) {
            policy.deletion_policy = Some(random.one_of(&[DeletionPolicy::Stop, DeletionPolicy::Orphan]));
        }
        let target = random.one_of(&jobs);
        let keyed = keys && random.chance(0.6);
        if keyed {
            // Objects of one key share a run.
            let own = format!("{namespace}-{number}");
            let key = if random.chance(0.5) { format!("{namespace}-{target}") } else { own };
            policy.idempotency_key = Some(key);
        }
        self.plans.push(ObjectPlan {
            name: (namespace, format!("run-{number}")),
            tenant,
            target,
            policy,
            argument_secret: random.chance(0.3).then(|| ARGUMENTS.to_owned()),
        });
        // Bursts, and a trickle.
        let created = if random.chance(0.6) {
            random.between(0, 2) * 4 * MINUTE + random.between(0, 20 * SECOND)
        } else {
            random.between(0, 20 * MINUTE)
        };
        self.actions.push((created, Action::Create(number)));
        if !edits {
            return;
        }
        let later = created + random.between(SECOND, 15 * MINUTE);
        match random.between(0, 14) {
            0 | 1 => self.actions.push((later, Action::Delete(number))),
            2 | 3 if keyed => self.actions.push((later, Action::Recreate(number))),
            4 => {
                self.actions.push((later, Action::Suspend(number, true)));
                self.actions.push((later + random.between(SECOND, 5 * MINUTE), Action::Suspend(number, false)));
            }
            5 => self.actions.push((later, Action::Stop(number))),
            6 => self.actions.push((created.max(later) + 3 * MINUTE, Action::WipeStatus(number))),
            _ => {}
        }
    }

    fn add_secrets(&mut self) {
        let mut random = Random::new(self.seed, "secrets", 0);
        for tenant in &self.tenants {
            for name in [CREDENTIALS, ARGUMENTS] {
                if random.chance(0.3) {
                    let secret = (tenant.namespace.clone(), name.to_owned());
                    let from = random.between(MINUTE, 20 * MINUTE);
                    self.actions.push((from, Action::Secret(secret.clone(), false)));
                    self.actions.push((from + random.between(MINUTE, 15 * MINUTE), Action::Secret(secret, true)));
                }
            }
        }
    }

    fn add_episodes(&mut self, themes: &mut Themes) {
        let mut random = Random::new(self.seed, "episodes", 0);
        let span = |random: &mut Random| {
            let from = random.between(MINUTE, 15 * MINUTE);
            (from, (from + random.between(2 * MINUTE, 20 * MINUTE)).min(FAULTS_UNTIL))
        };
        let mut add = |random: &mut Random, refusal, account, client, target, plan| {
            let (from, until) = span(random);
            self.episodes.push(Episode { refusal, account, client, target, plan, from, until });
        };
        if themes.has() {
            let account = self.tenants[0].account;
            add(&mut random, Refusal::Quota, account, None, None, None);
        }
        for denied in [DeniedCalls::Starts, DeniedCalls::Reads, DeniedCalls::Stops] {
            if themes.has() {
                let tenant = random.one_of(&self.tenants);
                add(&mut random, Refusal::Denied(denied), tenant.account, Some(tenant.client), None, None);
            }
        }
        if themes.has() {
            let job = random.one_of(&self.jobs);
            add(&mut random, Refusal::TargetGone, job.account, None, Some(job.name), None);
        }
        if themes.has() {
            for _ in 0..self.plans.len().div_ceil(20) {
                let plan = usize::try_from(random.between(0, self.plans.len() as u64 - 1)).unwrap_or_default();
                let account = self.tenants[self.plans[plan].tenant].account;
                add(&mut random, Refusal::Invalid, account, None, None, Some(plan));
            }
        }
        if themes.has() {
            let account = random.one_of(&self.tenants).account;
            add(&mut random, Refusal::Unreadable, account, None, None, None);
        }
    }

    fn add_restarts(&mut self) {
        let mut random = Random::new(self.seed, "restarts", 0);
        for _ in 0..random.between(1, 4) {
            self.actions.push((random.between(MINUTE, 30 * MINUTE), Action::Restart));
        }
    }
}

fn accounts(random: &mut Random, throttles: bool) -> Vec<f64> {
    let number = random.between(1, 3);
    (0..number).map(|_| if throttles { random.one_of(&[3.0, 8.0, 20.0]) } else { 1000.0 }).collect()
}

fn tenants(random: &mut Random, accounts: usize, number: usize) -> Vec<Tenant> {
    let number = number.clamp(2, 12);
    let account = |client: usize, random: &mut Random| {
        if client < accounts { client } else { usize::try_from(random.between(0, accounts as u64 - 1)).unwrap_or(0) }
    };
    (0..number)
        .map(|client| Tenant { namespace: format!("team-{client}"), client, account: account(client, random) })
        .collect()
}

fn job(random: &mut Random, number: usize, accounts: usize, lies: bool, sticks: bool) -> JobPlan {
    let shortest = random.between(5, 40) * SECOND;
    JobPlan {
        name: format!("etl-{number}"),
        // Each account has one at least.
        account: number % accounts,
        places: usize::try_from(random.one_of(&[1, 2, 5, 1000])).unwrap_or(1),
        frees_late: random.between(1, 10) * SECOND,
        course: Course {
            lasts: (shortest, shortest + random.between(1, 120) * SECOND),
            fails: random.one_of(&[0.0, 0.2]),
            lies: if lies { 0.5 } else { 0.0 },
            sticks: if sticks { 0.3 } else { 0.0 },
            stuck_until: STUCK_UNTIL,
            shown_late: random.one_of(&[0, 0, 3, 10]) * SECOND,
        },
    }
}
