//! Short forms of the methods of `cargo prove` that disturb the real controller, or change everything that its objects
//! have: see `docs/guarantees.md`. Each has a control plane of its own, since it kills the API server or lists all
//! namespaces.
//!
//! They run by a command of their own: beside other tests on two cores they keep each other waiting.
//!
//! `KUBE_GLUE_SEED` chooses what is tried.

use std::path::PathBuf;
use std::time::Duration;

use kube_glue::failpoints;
use kube_glue_testbed::{acto, chaos, guards, sieve};

/// The most time for what is started.
const LIMIT: Duration = Duration::from_mins(5);

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_kube-glue").into()
}

fn seed() -> u64 {
    std::env::var("KUBE_GLUE_SEED").ok().map_or(1, |seed| seed.parse().expect("KUBE_GLUE_SEED is a number"))
}

#[tokio::test]
#[ignore = "takes both cores for a minute or more: cargo test --test it disturbed -- --ignored --test-threads 1"]
async fn objects_of_all_kinds_survive_kills_and_failures() {
    let settings = chaos::Settings {
        program: program(),
        has_points: false,
        kills: 6,
        seed: seed(),
        objects: 8,
        lives: Some(1),
        without: None,
        limit: LIMIT,
    };
    let report = chaos::run(&settings).await.expect("chaos");
    assert!(report.kills >= settings.kills && report.starts > 0, "{report:?}");
    assert_eq!(report.bad, [], "seed {}", settings.seed);
    assert_eq!(report.panics, Vec::<String>::new());
}

#[tokio::test]
#[ignore = "takes both cores for a minute or more: cargo test --test it disturbed -- --ignored --test-threads 1"]
async fn objects_of_all_kinds_survive_plans_of_disturbances() {
    let settings = sieve::Settings {
        program: program(),
        plans: Some(3),
        kinds: Vec::new(),
        lives: Some(1),
        matching: None,
        seed: seed(),
        at_once: 8,
        limit: LIMIT,
        without: None,
        until_found: false,
    };
    let report = sieve::run(&settings).await.expect("a campaign");
    assert_eq!(report.found, Vec::<String>::new(), "seed {}", settings.seed);
    assert!(report.run.values().sum::<usize>() > report.generated.len(), "{report:?}");
}

#[tokio::test]
#[ignore = "takes both cores for a minute or more: cargo test --test it disturbed -- --ignored --test-threads 1"]
async fn each_property_is_refused_with_words_and_some_are_changed_and_back() {
    let settings = acto::Settings {
        program: program(),
        kinds: Vec::new(),
        matching: None,
        properties: Some(6),
        sequences: Some(1),
        seed: seed(),
        at_once: 12,
        limit: LIMIT,
    };
    let report = acto::run(&settings).await.expect("a campaign");
    assert_eq!(report.found, Vec::<String>::new(), "seed {}", settings.seed);
    assert!(report.sequences.0 > 0 && report.refused > report.properties.len(), "{report:?}");
    assert!(report.never.len() < 5, "rules refuse these properties whatever they are: {:?}", report.never);
}

#[test]
fn the_guards_that_can_be_taken_away_are_known() {
    let ours: Vec<_> = failpoints::GUARDS.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, guards::NAMES);
    // Only with the feature.
    assert!(!ours.into_iter().any(failpoints::without) || cfg!(feature = "failpoints"));
}
