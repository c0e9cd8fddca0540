//! Many seeds, and the smallest world with the same violation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::checks::{Property, Violation};
use super::figures::Figures;
use super::glue::episode::Episode;
use super::kind::{JobRuns, Kind, Simulated, WorkflowRuns};
use super::mutations::Mutation;
use super::scenario::Scenario;
use super::story::Story;
use super::time::clock;
use super::world::World;

/// The most worlds that are run to find a smaller one.
const ATTEMPTS: usize = 60;

/// What is left of a world that has ended.
struct Ended {
    scenario: Scenario,
    figures: Figures,
    violations: BTreeMap<Property, Violation>,
    story: Story,
}

/// Worlds of one kind and size.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The kind of all objects.
    pub kind: Kind,
    /// How many objects a world has.
    pub objects: usize,
    pub mutation: Option<Mutation>,
    /// What is checked.
    pub properties: BTreeSet<Property>,
}

impl Campaign {
    /// A campaign that checks everything.
    #[must_use]
    pub fn new(kind: Kind, objects: usize) -> Self {
        Self { kind, objects, mutation: None, properties: Property::ALL.into_iter().collect() }
    }

    /// Lets the world of `seed` happen. The first violation of each property.
    pub fn run(&self, seed: u64) -> (Figures, Vec<Violation>) {
        let ended = self.world(Scenario::new(seed, self.objects), Story::default(), true);
        (ended.figures, ended.violations.into_values().collect())
    }

    fn world(&self, scenario: Scenario, story: Story, to_the_end: bool) -> Ended {
        match self.kind {
            Kind::JobRun => self.world_of::<JobRuns>(scenario, story, to_the_end),
            Kind::WorkflowRun => self.world_of::<WorkflowRuns>(scenario, story, to_the_end),
        }
    }

    fn world_of<K: Simulated>(&self, scenario: Scenario, story: Story, to_the_end: bool) -> Ended {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let Ok(runtime) = runtime else { std::process::abort() };
        let World { scenario, figures, checks, story, .. } = runtime.block_on(async {
            let mut world = World::<K>::new(scenario, self.mutation, story);
            world.checks.on.clone_from(&self.properties);
            world.run(to_the_end).await
        });
        Ended { scenario, figures, violations: checks.violations().clone(), story }
    }

    /// The story of the violation in the world of `seed`, in as small a world as is found.
    #[must_use]
    pub fn explain(&self, seed: u64, violation: &Violation) -> String {
        let mut only = self.clone();
        only.properties = BTreeSet::from([violation.property]);
        let whole = Scenario::new(seed, self.objects);
        let kept = only.smallest(&whole);
        let world = only.world(whole.clone().only(&kept), Story::kept(), false);
        let found = world.violations.get(&violation.property).unwrap_or(violation).clone();
        let mut report = String::new();
        let _ = writeln!(report, "{:?} does not hold: {}", found.property, found.what);
        let _ = writeln!(
            report,
            "at {} of seed {seed} of {:?}s with {} objects, {} of which are needed",
            clock(found.at),
            self.kind,
            self.objects,
            kept.len()
        );
        let plans: Vec<_> = found.about.iter().filter_map(|name| world.scenario.plan(name)).collect();
        let concerns = |episode: &&Episode| {
            plans.iter().any(|(number, plan)| {
                let tenant = &world.scenario.tenants[plan.tenant];
                episode.concerns(tenant.account, tenant.client, &plan.target, *number)
            })
        };
        for episode in world.scenario.episodes.iter().filter(concerns) {
            let _ = writeln!(report, "  {episode}");
        }
        for (_, plan) in &plans {
            let tenant = &world.scenario.tenants[plan.tenant];
            let key = plan.policy.idempotency_key.as_deref().unwrap_or("its uid");
            let _ = writeln!(report, "  {}: client {}, {}, key {key}", plan.name.1, tenant.client, plan.target);
        }
        report.push_str(&world.story.about(&found.about));
        report
    }

    /// The objects that the violation needs, as far as dropping some of them in turn shows.
    fn smallest(&self, whole: &Scenario) -> BTreeSet<usize> {
        let mut kept: Vec<usize> = (0..whole.plans.len()).collect();
        let (mut size, mut attempts) = (kept.len().div_ceil(2), 0);
        while size > 0 && attempts < ATTEMPTS {
            let mut from = 0;
            while from < kept.len() && attempts < ATTEMPTS {
                attempts += 1;
                let until = (from + size).min(kept.len());
                let fewer: Vec<usize> = kept[..from].iter().chain(&kept[until..]).copied().collect();
                let fewer_objects = fewer.iter().copied().collect();
                let world = self.world(whole.clone().only(&fewer_objects), Story::default(), false);
                if world.violations.is_empty() {
                    from += size;
                } else {
                    kept = fewer;
                }
            }
            size /= 2;
        }
        kept.into_iter().collect()
    }
}
