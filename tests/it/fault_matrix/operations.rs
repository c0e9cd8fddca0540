//! The operations of AWS that the controller calls, read from its source.
//!
//! Those of CloudWatch Logs are not among them: no object waits for a log, and `job_runs::failure_log` has what happens
//! without one. Nor are those for lineage, which no object waits for: `lineage` has what happens without a receiver.

use std::collections::BTreeSet;
use std::path::Path;

/// The folder that alone knows the SDK.
const ADAPTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/glue/aws");
/// What only the kubectl plugin and lineage call.
const OF_NO_OBJECT: [&str; 2] = ["documents.rs", "scripts.rs"];
/// What stands before the name of an operation where the adapter makes a call.
const CALLS: [&str; 4] = ["self.call(", "self.send(", "aws_call(", "const OPERATION: &str ="];

/// The operations by name.
pub fn all() -> BTreeSet<String> {
    let mut operations = BTreeSet::new();
    collect(Path::new(ADAPTER), &mut operations);
    operations
}

fn collect(folder: &Path, operations: &mut BTreeSet<String>) {
    for entry in folder.read_dir().expect("the adapter's folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            // The adapter's own tests make up operations.
            if !path.ends_with("tests") {
                collect(&path, operations);
            }
        } else if !OF_NO_OBJECT.iter().any(|name| path.ends_with(name)) {
            let source = std::fs::read_to_string(&path).expect("a source file");
            operations.extend(CALLS.iter().flat_map(|call| named(&source, call)));
        }
    }
}

/// The string literals that follow `call`.
fn named<'s>(source: &'s str, call: &str) -> impl Iterator<Item = String> + use<'s> {
    let calls: Vec<_> = source.split(call).skip(1).collect();
    calls.into_iter().filter_map(|rest| {
        let literal = rest.trim_start().strip_prefix('"')?;
        Some(literal.split_once('"')?.0.to_owned())
    })
}

#[test]
fn the_operations_of_the_policies_are_those_of_the_source() {
    let policies = crate::docs::policies::by_kind().values().flatten();
    let documented: BTreeSet<_> =
        policies.filter_map(|action| action.strip_prefix("glue:")).map(str::to_owned).collect();
    let sts = ["AssumeRole", "GetCallerIdentity"].map(str::to_owned);
    let called = all();
    assert!(sts.iter().all(|operation| called.contains(operation)), "{called:?}");
    let of_glue: BTreeSet<_> = called.into_iter().filter(|operation| !sts.contains(operation)).collect();
    assert_eq!(of_glue, documented, "the source's calls of Glue, and what the documented policies allow");
}
