//! The scenarios: what is done to the controller, and which figures come of it.

mod at_rest;
mod backlog;
mod burst;
mod growth;
mod latency;
mod lives;
mod plugin;
mod polls;
mod restart;
mod rules;
mod strain;
mod throttled;
mod writes;

use std::{pin::Pin, time::Duration};

use crate::{
    baseline::{self, Baseline},
    error::LoadError,
    row::{Row, Unit},
    sample::Sample,
    settings::Settings,
    world::{Setup, World},
};

/// What all scenarios share.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) sample: Sample,
}

type Measured<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, LoadError>> + 'a>>;

/// A scenario, which has a cluster of its own.
pub(crate) struct Scenario {
    /// Its name on the command line and in the table.
    pub(crate) name: &'static str,
    /// What is done.
    pub(crate) about: &'static str,
    /// Does it.
    pub(crate) measure: for<'a> fn(&'a Context) -> Measured<'a>,
}

/// All scenarios, in the order in which they are measured.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: latency::NAME,
        about: "from creation to StartJobRun, one run at a time",
        measure: |context| Box::pin(latency::measure(context)),
    },
    Scenario {
        name: burst::NAME,
        about: "5,000 runs created while the controller runs, then ended at once",
        measure: |context| Box::pin(burst::measure(context)),
    },
    Scenario {
        name: lives::NAME,
        about: "5,000 runs from creation to end, each ends as soon as it is started",
        measure: |context| Box::pin(lives::measure(context)),
    },
    Scenario {
        name: backlog::NAME,
        about: "5,000 objects that exist when the controller starts",
        measure: |context| Box::pin(backlog::measure(context)),
    },
    Scenario {
        name: backlog::FEW_SEATS,
        about: "the same with an API server that serves few requests at a time",
        measure: |context| Box::pin(backlog::measure_few_seats(context)),
    },
    Scenario {
        name: backlog::FAR_AWAY,
        about: "the same with an API server whose answers take 100 ms longer",
        measure: |context| Box::pin(backlog::measure_far_away(context)),
    },
    Scenario {
        name: writes::NAME,
        about: "the writes to one object in its life",
        measure: |context| Box::pin(writes::measure(context)),
    },
    Scenario {
        name: rules::NAME,
        about: "status patches with the CEL rules of a GlueJobRun, and without",
        measure: |context| Box::pin(rules::measure(context)),
    },
    Scenario {
        name: plugin::NAME,
        about: "commands of kubectl glue, beside kubectl get",
        measure: |context| Box::pin(plugin::measure(context)),
    },
    Scenario {
        name: polls::NAME,
        about: "1,000 live runs of 20 jobs",
        measure: |context| Box::pin(polls::measure(context)),
    },
    Scenario {
        name: polls::MORE_CALLS,
        about: "the same where the operator allows 300 calls a minute",
        measure: |context| Box::pin(polls::measure_more_calls(context)),
    },
    Scenario {
        name: polls::MANY,
        about: "10,000 live runs of 20 jobs",
        measure: |context| Box::pin(polls::measure_many(context)),
    },
    Scenario {
        name: polls::ONE_JOB,
        about: "10,000 live runs of one job",
        measure: |context| Box::pin(polls::measure_one_job(context)),
    },
    Scenario {
        name: polls::IDENTITIES,
        about: "1,000 live runs of 200 identities in one account, and of one identity",
        measure: |context| Box::pin(polls::measure_identities(context)),
    },
    Scenario {
        name: throttled::NAME,
        about: "500 runs in an account that allows 10 starts a second",
        measure: |context| Box::pin(throttled::measure(context)),
    },
    Scenario {
        name: at_rest::NAME,
        about: "10,000 finished objects: restart, idle, restart of the API server",
        measure: |context| Box::pin(at_rest::measure(context)),
    },
    Scenario {
        name: growth::NAME,
        about: "1,000, 3,000, 10,000 and 30,000 finished objects",
        measure: |context| Box::pin(growth::measure(context)),
    },
];

impl Context {
    async fn world(&self, setup: Setup) -> Result<World, LoadError> {
        World::start(&self.settings, setup).await
    }

    async fn baseline(&self, world: &World) -> Result<Baseline, LoadError> {
        baseline::measure(world, &self.settings, &self.sample).await
    }

    /// A figure of a scenario.
    fn row(&self, scenario: &'static str, measure: impl Into<String>, value: f64, unit: Unit) -> Row {
        Row::new(scenario, self.settings.is_full_size(), measure.into(), value, unit)
    }
}

/// A count as the value of a [`Row`].
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn count(count: usize) -> f64 {
    count as f64
}

/// Lets a freshly started controller come to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
