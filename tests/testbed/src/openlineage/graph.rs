//! The graph that the events make: which datasets each job reads and writes, and the edges between them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A dataset: its namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dataset {
    /// The data source.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

/// What the events say of one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobLineage {
    /// What its runs read.
    pub inputs: BTreeSet<Dataset>,
    /// What they write.
    pub outputs: BTreeSet<Dataset>,
    /// From an input to the output that is made of it, where an event says so.
    pub edges: BTreeSet<(Dataset, Dataset)>,
}

/// The jobs by their names.
#[must_use]
pub fn of(events: &[Value]) -> BTreeMap<String, JobLineage> {
    let mut jobs: BTreeMap<String, JobLineage> = BTreeMap::new();
    for event in events {
        let job = jobs.entry(text(&event["job"]["name"])).or_default();
        job.inputs.extend(datasets(&event["inputs"]));
        job.outputs.extend(datasets(&event["outputs"]));
        for entry in event["job"]["facets"]["lineage"]["entries"].as_array().into_iter().flatten() {
            let output = dataset(entry);
            job.edges.extend(datasets(&entry["inputs"]).map(|input| (input, output.clone())));
        }
    }
    jobs
}

fn datasets(list: &Value) -> impl Iterator<Item = Dataset> {
    list.as_array().into_iter().flatten().map(dataset)
}

fn dataset(value: &Value) -> Dataset {
    Dataset { namespace: text(&value["namespace"]), name: text(&value["name"]) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Dataset, of};

    #[test]
    fn edges_are_those_of_the_facet() {
        let named = |name: &str| json!({"namespace": "s3://lake", "name": name});
        let mut entry = named("c");
        entry["inputs"] = json!([named("a")]);
        let lineage = json!({"entries": [entry]});
        let events = [
            json!({"job": {"name": "job/etl"}, "inputs": [], "outputs": []}),
            json!({"job": {"name": "job/etl", "facets": {"lineage": lineage}}, "inputs": [named("a"), named("b")],
                "outputs": [named("c")]}),
        ];
        let jobs = of(&events);
        let dataset = |name: &str| Dataset { namespace: "s3://lake".to_owned(), name: name.to_owned() };
        assert_eq!(jobs.len(), 1);
        let job = &jobs["job/etl"];
        assert_eq!((job.inputs.len(), job.outputs.len()), (2, 1));
        assert_eq!(job.edges, [(dataset("a"), dataset("c"))].into());
    }
}
