//! The nodes of `GetDataflowGraph`: what Glue itself makes of a Python script that it generated.
//!
//! Glue writes annotations into such a script, such as `## @type: DataSource`, and reads nothing else of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dataset::{Direction, Evidence, Findings, Locator, Place};
use super::scripts::literal;
use super::visual::{self, MAX_NODES, Opaque};

/// The most edges of a graph that are read.
const MAX_EDGES: usize = 2_000;

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

/// A graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// Its nodes.
    pub nodes: Vec<GraphNode>,
    /// Its edges, from source to target.
    pub edges: Vec<(String, String)>,
    /// How many nodes there are, with those that are not read.
    pub node_count: usize,
}

/// Whether Glue may make a graph of the script.
#[must_use]
pub fn is_annotated(script: &str) -> bool {
    script.lines().any(|line| line.trim_start().starts_with("## @type:"))
}

/// Reads the answer of `GetDataflowGraph`.
#[must_use]
pub fn read(document: &Value) -> Graph {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let all = |name: &str| document[name].as_array().into_iter().flatten();
    let node = |node: &Value| {
        let arguments = node["Args"].as_array().into_iter().flatten();
        let arguments = arguments.filter_map(|argument| Some((text(&argument["Name"])?, text(&argument["Value"])?)));
        Some(GraphNode { id: text(&node["Id"])?, type_: text(&node["NodeType"])?, arguments: arguments.collect() })
    };
    let edge = |edge: &Value| Some((text(&edge["Source"])?, text(&edge["Target"])?));
    Graph {
        nodes: all("DagNodes").take(MAX_NODES).filter_map(node).collect(),
        edges: all("DagEdges").take(MAX_EDGES).filter_map(edge).collect(),
        node_count: all("DagNodes").count(),
    }
}

/// The datasets of the graph.
#[must_use]
pub fn findings(Graph { nodes, edges, node_count }: &Graph, place: &Place) -> Findings {
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
            (None, direction) => drawn.opaque = Some(Opaque::NoPlace(direction)),
        }
        (node.id.clone(), drawn)
    };
    let nodes = nodes.iter().map(node).chain(visual::left_out(*node_count)).collect();
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
    use serde_json::json;

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
        let findings = findings(&Graph { nodes: nodes.into(), edges: edges.into(), node_count: MAX_NODES + 1 }, &place);
        let (input, evidence) = findings.inputs.first_key_value().expect("an input");
        assert_eq!((input.name.as_str(), evidence), ("table/sales/orders", &[Evidence::Graph].into()));
        let output = findings.outputs.keys().next().expect("an output");
        assert_eq!((output.namespace.as_str(), output.name.as_str()), ("s3://lake", "clean"));
        assert_eq!((findings.edges.len(), findings.unknown_count), (1, 2));
        assert!(findings.unknown.iter().any(|unknown| unknown.at == "node and 1 more"), "{:?}", findings.unknown);
    }

    #[test]
    fn an_answer_is_read_as_far_as_it_is_a_graph() {
        let document = json!({
            "DagNodes": [
                {"Id": "source", "NodeType": "DataSource", "Args": [{"Name": "database", "Value": "\"sales\""}, {"Name": 1}]},
                {"Id": "of no type"},
            ],
            "DagEdges": [{"Source": "source", "Target": "sink", "TargetParameter": "frame"}, {"Source": "source"}],
        });
        let arguments = [("database".to_owned(), "\"sales\"".to_owned())].into();
        let node = GraphNode { id: "source".to_owned(), type_: "DataSource".to_owned(), arguments };
        let edges = vec![("source".to_owned(), "sink".to_owned())];
        assert_eq!(read(&document), Graph { nodes: vec![node], edges, node_count: 2 });
        assert_eq!(read(&json!({"DagNodes": "none"})), Graph::default());
        assert!(is_annotated("import sys\n  ## @type: DataSource\n") && !is_annotated("# @type: DataSource"));
    }
}
