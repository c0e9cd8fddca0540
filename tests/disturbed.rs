//! Short forms of the methods of `cargo prove` that disturb the real controller, or change everything that its objects
//! have: see `docs/guarantees.md`.
//!
//! They are no part of `tests/it`, since beside other tests on two cores they keep each other waiting: cargo runs one target
//! after the other, and here two tests run at a time. Each has a control plane of its own, since it kills the API
//! server or lists all namespaces. A second target costs little: it runs the built controller, and links the test bed.
//!
//! `KUBE_GLUE_SEED` chooses what is tried.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::Duration;

use kube_glue::failpoints;
use kube_glue_testbed::{acto, chaos, guards, sieve};
use tokio::sync::Semaphore;

/// The tests that run.
static TURNS: Semaphore = Semaphore::const_new(2);

/// The most time for what is started.
const LIMIT: Duration = Duration::from_mins(5);

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_kube-glue").into()
}

fn seed() -> u64 {
    std::env::var("KUBE_GLUE_SEED").ok().map_or(1, |seed| seed.parse().expect("KUBE_GLUE_SEED is a number"))
}

#[tokio::test]
async fn objects_of_all_kinds_survive_kills_and_failures() {
    let _turn = TURNS.acquire().await;
    let settings = chaos::Settings {
        program: program(),
        has_points: false,
        kills: 4,
        seed: seed(),
        objects: 8,
        lives: Some(1),
        without: Vec::new(),
        until_found: false,
        limit: LIMIT,
    };
    let report = chaos::run(&settings).await.expect("chaos");
    assert!(report.kills >= settings.kills && report.starts > 0, "{report:?}");
    assert_eq!(report.bad, [], "seed {}", settings.seed);
    assert_eq!(report.panics, Vec::<String>::new());
}

#[tokio::test]
async fn objects_of_all_kinds_survive_plans_of_disturbances() {
    let _turn = TURNS.acquire().await;
    let settings = sieve::Settings {
        program: program(),
        plans: Some(2),
        kinds: Vec::new(),
        lives: Some(1),
        matching: None,
        seed: seed(),
        at_once: 8,
        limit: LIMIT,
        without: Vec::new(),
        until_found: false,
    };
    let report = sieve::run(&settings).await.expect("a campaign");
    assert_eq!(report.found, Vec::<String>::new(), "seed {}", settings.seed);
    assert!(report.run.values().sum::<usize>() > report.generated.len(), "{report:?}");
}

#[tokio::test]
async fn each_property_is_refused_with_words_and_some_are_changed_and_back() {
    let _turn = TURNS.acquire().await;
    let settings = acto::Settings {
        program: program(),
        kinds: Vec::new(),
        matching: None,
        properties: Some(4),
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
