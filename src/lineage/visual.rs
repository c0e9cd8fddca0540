//! The nodes of a visual job (Glue's `CodeGenConfigurationNodes`): its sources, its targets, and which source reaches which
//! target. [`nodes`] reads them from what Glue answers.

pub mod nodes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::connection::Connection;
use super::dataset::{DatasetId, Direction, Evidence, Findings, Locator, Place};

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name, as its author sees it.
    pub name: String,
    /// The ids of the nodes that it gets data from.
    pub inputs: Vec<String>,
    /// What it reads from outside the job.
    pub reads: Vec<Locator>,
    /// What it writes outside the job.
    pub writes: Vec<Locator>,
    /// Why what it reads or writes is not known.
    pub opaque: Option<Opaque>,
}

/// Why the datasets of a node are not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque {
    /// It does not name what it reads or writes in a way that this program knows.
    NoPlace(Direction),
    /// The job has too many nodes.
    LeftOut,
}

impl Opaque {
    fn why(self) -> String {
        match self {
            Self::NoPlace(_) => "this type of node names no place that is known".to_owned(),
            Self::LeftOut => format!("only the first {MAX_NODES} nodes of a job are read"),
        }
    }
}

/// The most nodes of a job that are read.
pub const MAX_NODES: usize = 500;

/// What stands for the nodes beyond [`MAX_NODES`], with its id, where there are `all`.
#[must_use]
pub fn left_out(all: usize) -> Option<(String, Node)> {
    let more = all.checked_sub(MAX_NODES).filter(|more| *more > 0)?;
    let name = format!("and {more} more");
    Some((name.clone(), Node { name, opaque: Some(Opaque::LeftOut), ..Node::default() }))
}

/// The connections that must be read to name everything.
#[must_use]
pub fn connections(nodes: &BTreeMap<String, Node>) -> BTreeSet<&str> {
    nodes.values().flat_map(|node| node.reads.iter().chain(&node.writes)).filter_map(Locator::connection).collect()
}

/// The datasets of the nodes, and the edges from each source to the targets that it reaches.
#[must_use]
pub fn findings(nodes: &BTreeMap<String, Node>, place: &Place, connections: &BTreeMap<String, Connection>) -> Findings {
    let mut findings = Findings::default();
    let mut sources: BTreeMap<&str, Vec<DatasetId>> = BTreeMap::new();
    let mut targets: Vec<(&str, Vec<DatasetId>)> = Vec::new();
    for (id, node) in nodes {
        let mut resolve = |direction: Direction, locators: &[Locator]| {
            let mut named = Vec::new();
            for locator in locators {
                match locator.resolve(place, connections, Evidence::VisualNode) {
                    Ok((dataset, evidence)) => {
                        findings.add(direction, dataset.clone(), evidence);
                        if evidence != Evidence::VisualNode {
                            findings.mark(direction, &dataset, Evidence::VisualNode);
                        }
                        named.push(dataset);
                    }
                    Err(why) => findings.add_unknown(format!("node {}", node.name), why),
                }
            }
            named
        };
        let read = resolve(Direction::Input, &node.reads);
        let written = resolve(Direction::Output, &node.writes);
        if let Some(opaque) = node.opaque {
            findings.add_unknown(format!("node {}", node.name), opaque.why());
        }
        sources.insert(id, read);
        if !written.is_empty() {
            targets.push((id, written));
        }
    }
    for (id, written) in targets {
        for source in upstream(nodes, id) {
            for input in sources.get(source).into_iter().flatten() {
                for output in &written {
                    findings.connect(input, output);
                }
            }
        }
    }
    findings
}

/// The nodes from which data reaches this one, without itself.
fn upstream<'a>(nodes: &'a BTreeMap<String, Node>, of: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = VecDeque::from([of]);
    while let Some(id) = next.pop_front() {
        for input in nodes.get(id).into_iter().flat_map(|node| &node.inputs) {
            if seen.insert(input.as_str()) {
                next.push_back(input);
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, inputs: &[&str]) -> Node {
        Node {
            name: name.to_owned(),
            inputs: inputs.iter().map(|input| (*input).to_owned()).collect(),
            ..Node::default()
        }
    }

    fn reading(name: &str, uri: &str) -> Node {
        Node { reads: vec![Locator::Uri(uri.to_owned())], ..node(name, &[]) }
    }

    fn writing(name: &str, inputs: &[&str], uri: &str) -> Node {
        Node { writes: vec![Locator::Uri(uri.to_owned())], ..node(name, inputs) }
    }

    /// Two flows that do not meet, and a join: only what reaches a target is its input.
    #[test]
    fn edges_go_from_node_to_node_and_not_from_all_to_all() {
        let nodes: BTreeMap<_, _> = [
            ("n1", reading("orders", "s3://lake/orders")),
            ("n2", reading("customers", "s3://lake/customers")),
            ("n3", node("join", &["n1", "n2"])),
            ("n4", writing("joined", &["n3"], "s3://lake/joined")),
            ("n5", reading("clicks", "s3://lake/clicks")),
            ("n6", writing("copied", &["n5"], "s3://lake/copied")),
        ]
        .map(|(id, node)| (id.to_owned(), node))
        .into();
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        let findings = findings(&nodes, &place, &BTreeMap::new());
        let edges: Vec<_> = findings.edges.iter().map(|(from, to)| (from.name.as_str(), to.name.as_str())).collect();
        assert_eq!(edges, [("clicks", "copied"), ("customers", "joined"), ("orders", "joined")]);
        assert_eq!(findings.unknown_count, 0);
    }

    #[test]
    fn a_node_that_names_no_place_is_counted_and_a_cycle_ends() {
        let mut first = writing("first", &["n2"], "not a uri");
        first.opaque = Some(Opaque::NoPlace(Direction::Input));
        let nodes: BTreeMap<_, _> =
            [("n1".to_owned(), first), ("n2".to_owned(), node("second", &["n1", "n2", "gone"]))].into();
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        let findings = findings(&nodes, &place, &BTreeMap::new());
        assert_eq!((findings.unknown_count, findings.seen, findings.edges.len()), (2, 2, 0));
        assert_eq!(findings.unknown[0].at, "node first");
    }

    #[test]
    fn a_connection_is_asked_for_and_says_that_it_knows_the_dataset() {
        let table = Locator::Connection { name: "pg".to_owned(), database: None, table: "public.t".to_owned() };
        let nodes: BTreeMap<_, _> = [("n1".to_owned(), Node { reads: vec![table], ..node("pg", &[]) })].into();
        assert_eq!(connections(&nodes), ["pg"].into());
        let properties = [("JDBC_CONNECTION_URL".to_owned(), "jdbc:postgresql://h/d".to_owned())];
        let connections = [("pg".to_owned(), Connection::new("JDBC", properties))].into();
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        let findings = findings(&nodes, &place, &connections);
        let (dataset, evidence) = findings.inputs.first_key_value().expect("an input");
        assert_eq!(dataset.name, "d.public.t");
        assert_eq!(*evidence, [Evidence::VisualNode, Evidence::Connection].into());
        assert_eq!(findings.seen, 1);
    }
}
