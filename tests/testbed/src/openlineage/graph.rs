//! The graph that the events make: which datasets each job reads and writes, and the edges between them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde_json::Value;

/// A dataset: its namespace and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dataset {
    /// The data source.
    pub namespace: String,
    /// The name in it.
    pub name: String,
}

/// Without the account for what is in Glue.
impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.namespace {
            namespace if namespace.starts_with("arn:") => write!(f, "{}", self.name),
            namespace => write!(f, "{namespace}/{}", self.name),
        }
    }
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
    /// The jobs that started its runs.
    pub parents: BTreeSet<String>,
    /// The type of the event that came last.
    pub last: String,
}

/// The jobs by their names.
pub type Jobs = BTreeMap<String, JobLineage>;

/// What the events say.
#[must_use]
pub fn of(events: &[Value]) -> Jobs {
    let mut jobs = Jobs::new();
    for event in events {
        let job = jobs.entry(text(&event["job"]["name"])).or_default();
        job.inputs.extend(datasets(&event["inputs"]));
        job.outputs.extend(datasets(&event["outputs"]));
        for entry in event["job"]["facets"]["lineage"]["entries"].as_array().into_iter().flatten() {
            let output = dataset(entry);
            job.edges.extend(datasets(&entry["inputs"]).map(|input| (input, output.clone())));
        }
        job.parents.extend(event["run"]["facets"]["parent"]["job"]["name"].as_str().map(str::to_owned));
        job.last = text(&event["eventType"]);
    }
    jobs
}

/// The graph as text, in the order of the data: a line for what a job makes of the same inputs. Jobs without datasets are
/// left out, and so are those that only start others, whose datasets are those of the others.
#[must_use]
pub fn lines(jobs: &Jobs) -> Vec<String> {
    let starters: BTreeSet<_> = jobs.values().flat_map(|job| &job.parents).collect();
    let is_shown = |(name, job): &(&String, &JobLineage)| {
        let has_datasets = !job.inputs.is_empty() || !job.outputs.is_empty();
        has_datasets && !starters.contains(name)
    };
    let shown: Vec<_> = in_order(jobs.iter().filter(is_shown).collect());
    let cells = shown.iter().flat_map(|(name, job)| {
        let cells =
            |(inputs, outputs)| [joined(&inputs), (*name).clone(), joined(&outputs), job.last.to_ascii_lowercase()];
        steps(job).into_iter().map(cells)
    });
    aligned(&cells.collect::<Vec<_>>())
}

/// First those that read what no other one writes; the other ones as soon as what they read is written.
fn in_order<'j>(mut left: Vec<(&'j String, &'j JobLineage)>) -> Vec<(&'j String, &'j JobLineage)> {
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let waits = |job: &JobLineage| {
            let others = left.iter().filter(|(_, other)| *other != job);
            others.flat_map(|(_, other)| &other.outputs).any(|output| job.inputs.contains(output))
        };
        // In a circle, the first one by name.
        let next = left.iter().position(|(_, job)| !waits(job)).unwrap_or_default();
        ordered.push(left.remove(next));
    }
    ordered
}

/// What a job makes of what: outputs of the same inputs together, and then what has no edge.
fn steps(job: &JobLineage) -> Vec<(BTreeSet<&Dataset>, BTreeSet<&Dataset>)> {
    let mut inputs_of: BTreeMap<&Dataset, BTreeSet<&Dataset>> = BTreeMap::new();
    for (input, output) in &job.edges {
        inputs_of.entry(output).or_default().insert(input);
    }
    let mut steps: BTreeMap<BTreeSet<&Dataset>, BTreeSet<&Dataset>> = BTreeMap::new();
    for (output, inputs) in inputs_of {
        steps.entry(inputs).or_default().insert(output);
    }
    let inputs: BTreeSet<_> =
        job.inputs.iter().filter(|input| !job.edges.iter().any(|(from, _)| from == *input)).collect();
    let outputs: BTreeSet<_> =
        job.outputs.iter().filter(|output| !job.edges.iter().any(|(_, to)| to == *output)).collect();
    let rest = (!inputs.is_empty() || !outputs.is_empty()).then_some((inputs, outputs));
    steps.into_iter().chain(rest).collect()
}

fn joined(datasets: &BTreeSet<&Dataset>) -> String {
    datasets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The cells with arrows between datasets and jobs, one column below the other.
fn aligned(rows: &[[String; 4]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let [from, job, to] = [0, 1, 2].map(width);
    let line =
        |[input, name, output, last]: &[String; 4]| format!("{input:from$} -> {name:job$} -> {output:to$}  {last}");
    rows.iter().map(line).collect()
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
    use serde_json::{Value, json};

    use super::{lines, of};

    fn datasets(names: &[&str]) -> Value {
        names.iter().map(|name| json!({"namespace": "s3://lake", "name": name})).collect()
    }

    /// An event whose outputs are each made of all inputs.
    fn event(type_: &str, job: &str, inputs: &[&str], outputs: &[&str]) -> Value {
        let mut entries = datasets(outputs);
        for entry in entries.as_array_mut().expect("a list") {
            entry["inputs"] = datasets(inputs);
        }
        json!({"eventType": type_, "job": {"name": job, "facets": {"lineage": {"entries": entries}}},
            "inputs": datasets(inputs), "outputs": datasets(outputs)})
    }

    fn child(mut event: Value, parent: &str) -> Value {
        event["run"] = json!({"facets": {"parent": {"job": {"name": parent}}}});
        event
    }

    #[test]
    fn jobs_stand_in_the_order_of_the_data_and_starters_are_left_out() {
        let events = [
            event("COMPLETE", "job/a", &["clean"], &["joined"]),
            event("COMPLETE", "workflow/daily", &["raw"], &["clean"]),
            child(event("START", "job/load", &["raw"], &["clean"]), "workflow/daily"),
            child(event("FAIL", "job/load", &["raw"], &["clean"]), "workflow/daily"),
            event("COMPLETE", "job/empty", &[], &[]),
        ];
        let expected = [
            "s3://lake/raw   -> job/load -> s3://lake/clean   fail",
            "s3://lake/clean -> job/a    -> s3://lake/joined  complete",
        ];
        assert_eq!(lines(&of(&events)), expected);
    }

    #[test]
    fn each_output_stands_beside_what_it_is_made_of() {
        let mut both = event("COMPLETE", "job/two", &["a"], &["x"]);
        both["inputs"] = datasets(&["a", "b", "c"]);
        both["outputs"] = datasets(&["x", "y", "z"]);
        let mut more = datasets(&["y"]);
        more[0]["inputs"] = datasets(&["a", "b"]);
        let entries = both["job"]["facets"]["lineage"]["entries"].as_array_mut().expect("a list");
        entries.push(more[0].clone());
        let expected = [
            "s3://lake/a              -> job/two -> s3://lake/x  complete",
            "s3://lake/a, s3://lake/b -> job/two -> s3://lake/y  complete",
            "s3://lake/c              -> job/two -> s3://lake/z  complete",
        ];
        assert_eq!(lines(&of(&[both])), expected);
    }

    #[test]
    fn a_circle_has_a_beginning() {
        let events = [event("COMPLETE", "job/b", &["x"], &["y"]), event("COMPLETE", "job/a", &["y"], &["x"])];
        let shown = lines(&of(&events));
        assert_eq!(shown.len(), 2);
        assert!(shown[0].contains("job/a"), "{shown:?}");
    }
}
