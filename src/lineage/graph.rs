//! The nodes of `GetDataflowGraph`: what Glue itself makes of a Python script that it generated.

use std::collections::BTreeMap;

use super::dataset::{Direction, Evidence, Findings, Locator, Place};
use super::scripts::literal;
use super::visual;

/// A node of the graph (`CodeGenNode`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphNode {
    /// Its id.
    pub id: String,
    /// Such as `DataSource` or `ApplyMapping`.
    pub type_: String,
    /// Its arguments, as Python expressions.
    pub arguments: BTreeMap<String, String>,
}

/// The datasets of the graph; `edges` go from source to target.
#[must_use]
pub fn findings(nodes: &[GraphNode], edges: &[(String, String)], place: &Place) -> Findings {
    let node = |node: &GraphNode| {
        let inputs = edges.iter().filter(|(_, target)| *target == node.id).map(|(source, _)| source.clone()).collect();
        let mut drawn = visual::Node { name: node.type_.clone(), inputs, ..visual::Node::default() };
        let direction = match node.type_.as_str() {
            "DataSource" => Direction::Input,
            "DataSink" => Direction::Output,
            _ => return (node.id.clone(), drawn),
        };
        match (locator(&node.arguments), direction) {
            (Some(found), Direction::Input) => drawn.reads.extend(found),
            (Some(found), Direction::Output) => drawn.writes.extend(found),
            (None, direction) => drawn.opaque = Some(direction),
        }
        (node.id.clone(), drawn)
    };
    let nodes = nodes.iter().map(node).collect();
    let found = visual::findings(&nodes, place, &BTreeMap::new());
    let graph = |known: BTreeMap<_, _>| known.into_keys().map(|dataset| (dataset, [Evidence::Graph].into())).collect();
    Findings { inputs: graph(found.inputs), outputs: graph(found.outputs), ..found }
}

/// Where the data of a source or sink is.
fn locator(arguments: &BTreeMap<String, String>) -> Option<Vec<Locator>> {
    let text = |name: &str| arguments.get(name).and_then(|value| literal::text(value));
    if let (Some(database), Some(table)) = (text("database"), text("table_name")) {
        return Some(vec![Locator::table(database, table)]);
    }
    let options = arguments.get("connection_options").and_then(|value| literal::map(value))?;
    let type_ = text("connection_type").unwrap_or_default();
    literal::locators(&type_, &options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_and_sinks_of_the_graph_are_datasets() {
        let node = |id: &str, type_: &str, arguments: &[(&str, &str)]| GraphNode {
            id: id.to_owned(),
            type_: type_.to_owned(),
            arguments: arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let nodes = [
            node("a", "DataSource", &[("database", "\"sales\""), ("table_name", "'orders'")]),
            node("b", "ApplyMapping", &[("mapping", "[(\"a\", \"string\")]")]),
            node(
                "c",
                "DataSink",
                &[("connection_type", "\"s3\""), ("connection_options", "{\"path\": \"s3://lake/clean\"}")],
            ),
            node("d", "DataSink", &[("connection_options", "{\"path\": target}")]),
        ];
        let edges = [("a", "b"), ("b", "c")].map(|(from, to)| (from.to_owned(), to.to_owned()));
        let place = Place { region: "r".to_owned(), account: "1".to_owned() };
        let findings = findings(&nodes, &edges, &place);
        let (input, evidence) = findings.inputs.first_key_value().expect("an input");
        assert_eq!((input.name.as_str(), evidence), ("table/sales/orders", &[Evidence::Graph].into()));
        let output = findings.outputs.keys().next().expect("an output");
        assert_eq!((output.namespace.as_str(), output.name.as_str()), ("s3://lake", "clean"));
        assert_eq!((findings.edges.len(), findings.unknown_count), (1, 1));
    }
}
