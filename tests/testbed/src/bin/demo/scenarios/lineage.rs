//! The controller has sent an OpenLineage event for each start and end of the runs before. Together they are a graph.

use std::collections::BTreeMap;

use kube_glue_testbed::openlineage::{events::is_end, graph};
use serde_json::Value;

use crate::{
    environment::{Environment, LIMIT},
    error::{DemoError, expect},
    show,
};

/// What has run in the scenarios before, and reads and writes datasets.
const RUN: [&str; 6] = [
    "crawler/raw-orders",
    "job/customers-clean",
    "job/customers-etl",
    "job/customers-load",
    "job/inventory-sync",
    "job/orders-etl",
];

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let events = environment.receiver.wait_until("the end of each run", LIMIT, have_ended).await?;
    let jobs = graph::of(&events);
    show::note(&format!("The receiver got {} events of {} runs:", events.len(), ends(&events).len()));
    for line in graph::lines(&jobs) {
        show::note(&line);
    }
    for name in RUN {
        let has_both = jobs.get(name).is_some_and(|job| !job.inputs.is_empty() && !job.outputs.is_empty());
        expect(has_both, || format!("{name} does not read and write datasets: {jobs:#?}"))?;
    }
    let refused = environment.receiver.refused();
    expect(refused.is_empty(), || format!("the receiver refused events: {refused:?}"))?;
    show::good("Each run has one end. The datasets are those of visual nodes, of a script, and of a crawler's tables.");
    Ok(())
}

/// Whether everything that has run is there, and each run has one end.
fn have_ended(events: &[Value]) -> bool {
    let jobs = graph::of(events);
    RUN.iter().all(|name| jobs.contains_key(*name)) && ends(events).values().all(|ends| *ends == 1)
}

/// How many ends each run has.
fn ends(events: &[Value]) -> BTreeMap<&str, usize> {
    let mut runs = BTreeMap::new();
    for event in events {
        *runs.entry(event["run"]["runId"].as_str().unwrap_or_default()).or_default() += usize::from(is_end(event));
    }
    runs
}
