//! `GetDataflowGraph`: the graph of a script by the annotations in it (`## @type`, `## @args`, `## @return`, `## @inputs`),
//! as Glue writes them into the scripts that it generates.
//!
//! The form of the annotations is that of AWS's published examples (`aws-samples/aws-glue-samples`). What Glue answers
//! for a script without them is not documented: here, a graph without nodes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Region,
    operation::{Input, Operation, Reply, operations, reply},
};

/// The operations on scripts.
pub const OPERATIONS: &[Operation] = operations! { "*":
    GetDataflowGraph("") => get,
};

/// A step of the script, as far as its annotations were read.
#[derive(Default)]
struct Step {
    kind: String,
    line: usize,
    args: Vec<(String, String)>,
    inputs: Vec<(String, String)>,
}

fn get(_: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        #[serde(default)]
        python_script: String,
    }
    let Request { python_script } = input.read()?;
    let (nodes, edges) = graph(&python_script);
    reply(&json!({ "DagNodes": nodes, "DagEdges": edges }))
}

fn graph(script: &str) -> (Vec<Value>, Vec<Value>) {
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    let mut step = Step::default();
    let mut id = None;
    for (number, line) in script.lines().enumerate() {
        let Some(annotation) = line.trim().strip_prefix("## @") else { continue };
        let Some((name, value)) = annotation.split_once(':') else { continue };
        let value = value.trim();
        match name.trim() {
            "type" => step = Step { kind: value.to_owned(), line: number + 1, ..Step::default() },
            "args" => step.args = pairs(value),
            "return" => id = Some(value.to_owned()),
            // The last annotation of a step.
            "inputs" => {
                step.inputs = pairs(value);
                let (Step { kind, line, args, inputs }, Some(id)) = (std::mem::take(&mut step), id.take()) else {
                    continue;
                };
                let args: Vec<_> =
                    args.into_iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
                nodes.push(json!({ "Id": id, "NodeType": kind, "Args": args, "LineNumber": line }));
                edges.extend(inputs.into_iter().map(
                    |(parameter, source)| json!({ "Source": source, "Target": id, "TargetParameter": parameter }),
                ));
            }
            _ => {}
        }
    }
    (nodes, edges)
}

/// The pairs of `[a = "b", c = ["d", "e"]]`, each value as it stands there.
fn pairs(list: &str) -> Vec<(String, String)> {
    let inner = list.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(list);
    let (mut depth, mut quote, mut from) = (0_i32, None, 0);
    let mut parts = Vec::new();
    for (at, character) in inner.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '(' | '{') => depth += 1,
            (None, ']' | ')' | '}') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.push(&inner[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[from..]);
    let pairs = parts.into_iter().filter_map(|part| part.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::glue::fixture::Fixture;

    #[test]
    fn the_graph_has_a_node_for_each_annotated_step() {
        let script = r#"
## @type: DataSource
## @args: [database = "sales", table_name = "orders", transformation_ctx = "source"]
## @return: source
## @inputs: []
source = glueContext.create_dynamic_frame.from_catalog(database = "sales", table_name = "orders")
## @type: ApplyMapping
## @args: [mapping = [("id", "long", "id", "long"), ("day", "string", "day", "date")]]
## @return: mapped
## @inputs: [frame = source]
mapped = ApplyMapping.apply(frame = source)
"#;
        let graph = Fixture::new().call("GetDataflowGraph", &json!({ "PythonScript": script })).unwrap();
        let nodes = graph["DagNodes"].as_array().unwrap();
        assert_eq!((&nodes[0]["Id"], &nodes[0]["NodeType"]), (&json!("source"), &json!("DataSource")));
        assert_eq!(nodes[0]["Args"][1], json!({ "Name": "table_name", "Value": "\"orders\"" }));
        assert_eq!(nodes[1]["Args"].as_array().unwrap().len(), 1);
        let edge = json!({ "Source": "source", "Target": "mapped", "TargetParameter": "frame" });
        assert_eq!(graph["DagEdges"], json!([edge]));
    }
}
