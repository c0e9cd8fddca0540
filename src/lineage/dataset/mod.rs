//! Datasets by OpenLineage's naming rules, and what was found out about those of one job.
//!
//! | module | what it names |
//! |---|---|
//! | `host` | the host of an address, which its credentials are no part of |
//! | [`uri`] | files: S3, HDFS, Azure, Google |
//! | [`jdbc`] | tables of databases, by JDBC URLs |
//! | [`locator`] | where something is, as a job says it, and the dataset that it is |
//!
//! Source of the names: OpenLineage's specification, page "Naming Conventions".

mod host;
pub mod jdbc;
pub mod locator;
pub mod uri;

use std::collections::{BTreeMap, BTreeSet};

pub use self::locator::{Locator, Place};

/// The most datasets of one job, inputs and outputs each. More are counted as unknown.
pub const MAX_DATASETS: usize = 200;
/// The most unknown datasets that are described. The others are only counted.
pub const MAX_DESCRIBED: usize = 20;
/// The most bytes of a dataset's namespace, and of its name.
const MAX_NAME_BYTES: usize = 2048;

/// The identity of a dataset. Two jobs that name the same data get the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatasetId {
    /// The data source, such as `s3://bucket`.
    pub namespace: String,
    /// The dataset in it, such as `raw/orders`.
    pub name: String,
}

impl DatasetId {
    /// A dataset; `None` where a part is empty, too long, or has characters that no name has.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Option<Self> {
        let (namespace, name) = (namespace.into(), name.into());
        let is_name = |text: &str| {
            !text.trim().is_empty() && text.len() <= MAX_NAME_BYTES && !text.contains(|c: char| c.is_control())
        };
        (is_name(&namespace) && is_name(&name)).then_some(Self { namespace, name })
    }

    /// A table of the Data Catalog.
    #[must_use]
    pub fn table(region: &str, account: &str, database: &str, table: &str) -> Option<Self> {
        if [region, account, database, table].iter().any(|part| part.trim().is_empty()) {
            return None;
        }
        Self::new(format!("arn:aws:glue:{region}:{account}"), format!("table/{database}/{table}"))
    }
}

/// How a dataset is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// A node of a visual job names it.
    VisualNode,
    /// A call in the script names it.
    Script,
    /// `GetDataflowGraph` names it.
    Graph,
    /// A connection leads to it.
    Connection,
    /// It is a target of the crawler, or a table that the crawler wrote.
    Crawler,
    /// The owner of the object declared it (`spec.lineage`).
    Declared,
}

impl Evidence {
    /// The word in the facet.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VisualNode => "visual node",
            Self::Script => "script",
            Self::Graph => "graph",
            Self::Connection => "connection",
            Self::Crawler => "crawler",
            Self::Declared => "declared",
        }
    }
}

/// Something that reads or writes data that cannot be named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// Where: a line of the script, or a node.
    pub at: String,
    /// Why it cannot be named, without values of the job.
    pub why: String,
}

/// What was found out about the datasets of one job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// What it reads, and how that is known.
    pub inputs: BTreeMap<DatasetId, BTreeSet<Evidence>>,
    /// What it writes, and how that is known.
    pub outputs: BTreeMap<DatasetId, BTreeSet<Evidence>>,
    /// Which input an output is made of, where that is known: (input, output).
    pub edges: BTreeSet<(DatasetId, DatasetId)>,
    /// What could not be named, at most [`MAX_DESCRIBED`].
    pub unknown: Vec<Unknown>,
    /// How many could not be named.
    pub unknown_count: usize,
    /// How many reads and writes were seen, named or not.
    pub seen: usize,
}

/// Whether a dataset is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It is read.
    Input,
    /// It is written.
    Output,
}

impl Findings {
    /// Adds a dataset.
    pub fn add(&mut self, direction: Direction, dataset: DatasetId, evidence: Evidence) {
        self.seen += 1;
        let datasets = match direction {
            Direction::Input => &mut self.inputs,
            Direction::Output => &mut self.outputs,
        };
        if datasets.len() >= MAX_DATASETS && !datasets.contains_key(&dataset) {
            self.seen -= 1;
            return self.add_unknown("the job", format!("it has more than {MAX_DATASETS} datasets"));
        }
        datasets.entry(dataset).or_default().insert(evidence);
    }

    /// Adds to a dataset that it is known by this, too.
    pub fn mark(&mut self, direction: Direction, dataset: &DatasetId, evidence: Evidence) {
        let datasets = match direction {
            Direction::Input => &mut self.inputs,
            Direction::Output => &mut self.outputs,
        };
        if let Some(known) = datasets.get_mut(dataset) {
            known.insert(evidence);
        }
    }

    /// Adds that `output` is made of `input`. Both must have been added.
    pub fn connect(&mut self, input: &DatasetId, output: &DatasetId) {
        let is_known = self.inputs.contains_key(input) && self.outputs.contains_key(output);
        if is_known && self.edges.len() < MAX_DATASETS * 4 {
            self.edges.insert((input.clone(), output.clone()));
        }
    }

    /// Counts a read or write of which the dataset cannot be named.
    pub fn add_unknown(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.seen += 1;
        self.unknown_count += 1;
        if self.unknown.len() < MAX_DESCRIBED {
            self.unknown.push(Unknown { at: at.into(), why: why.into() });
        }
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: Self) {
        let Self { inputs, outputs, edges, unknown, unknown_count, seen } = other;
        self.seen += seen;
        for (own, others) in [(&mut self.inputs, inputs), (&mut self.outputs, outputs)] {
            for (dataset, evidence) in others {
                if own.len() < MAX_DATASETS || own.contains_key(&dataset) {
                    own.entry(dataset).or_default().extend(evidence);
                } else {
                    self.unknown_count += 1;
                }
            }
        }
        for (input, output) in edges {
            self.connect(&input, &output);
        }
        self.unknown_count += unknown_count;
        self.unknown.extend(unknown);
        self.unknown.truncate(MAX_DESCRIBED);
    }

    /// Whether nothing was found, named or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty() && self.unknown_count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dataset(name: &str) -> DatasetId {
        DatasetId::new("s3://b", name).expect("a dataset")
    }

    #[test]
    fn a_dataset_has_a_namespace_and_a_name() {
        assert!(DatasetId::new("s3://b", "a").is_some());
        for (namespace, name) in [("", "a"), ("s3://b", " "), ("s3://b", "a\nb")] {
            assert_eq!(DatasetId::new(namespace, name), None);
        }
        assert_eq!(DatasetId::new("s3://b", "x".repeat(MAX_NAME_BYTES + 1)), None);
        assert_eq!(DatasetId::table("eu-central-1", "", "d", "t"), None);
    }

    #[test]
    fn what_several_sources_name_is_one_dataset_that_says_how_it_is_known() {
        let mut findings = Findings::default();
        findings.add(Direction::Input, dataset("a"), Evidence::Script);
        let mut others = Findings::default();
        others.add(Direction::Input, dataset("a"), Evidence::VisualNode);
        others.add_unknown("line 3", "the path is not a literal");
        findings.merge(others);
        assert_eq!(findings.inputs[&dataset("a")], [Evidence::VisualNode, Evidence::Script].into());
        assert_eq!((findings.seen, findings.unknown_count), (3, 1));
    }

    #[test]
    fn the_number_of_datasets_is_bounded_and_the_rest_is_counted() {
        let mut findings = Findings::default();
        for number in 0..MAX_DATASETS + 7 {
            findings.add(Direction::Output, dataset(&number.to_string()), Evidence::Script);
        }
        assert_eq!(
            (findings.outputs.len(), findings.unknown_count, findings.seen),
            (MAX_DATASETS, 7, MAX_DATASETS + 7)
        );
        assert!(findings.unknown.len() <= MAX_DESCRIBED);
    }

    #[test]
    fn an_edge_needs_both_of_its_ends() {
        let mut findings = Findings::default();
        findings.add(Direction::Input, dataset("a"), Evidence::Script);
        findings.connect(&dataset("a"), &dataset("b"));
        assert!(findings.edges.is_empty());
        findings.add(Direction::Output, dataset("b"), Evidence::Script);
        findings.connect(&dataset("a"), &dataset("b"));
        assert_eq!(findings.edges.len(), 1);
    }
}
