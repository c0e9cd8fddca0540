//! The chart sets the flags.

use clap::CommandFactory;

use super::Cli;

#[test]
fn the_chart_has_a_value_for_every_flag() {
    let chart = concat!(env!("CARGO_MANIFEST_DIR"), "/charts/kube-glue/templates/deployment.yaml");
    let deployment = std::fs::read_to_string(chart).unwrap();
    for argument in Cli::command().get_arguments() {
        let Some(long) = argument.get_long() else { continue };
        // POD_NAME sets the identity, which must differ between replicas.
        if !matches!(long, "help" | "version" | "identity") {
            assert!(deployment.contains(&format!("--{long}=")), "--{long} is missing from {chart}");
        }
    }
    assert!(deployment.contains("POD_NAME"), "POD_NAME is missing from {chart}");
}
