//! Every operation that the controller calls, every fault that it can meet, while an object lives and while its
//! namespace is deleted.
//!
//! In each cell the object says what is going on while the fault lasts, is well soon after the fault has ended, and can
//! always be deleted within the deletion timeout. A cell whose fault was never met is a violation, too.
//!
//! The operations are read from the source. Every run of the tests has a part of the matrix; `cargo fault-matrix` has
//! all of it, and with the variable `FAULT_MATRIX` the cells that have its text in their names,
//! `<operation>/<fault>/<stage>`.

mod batch;
mod faults;
mod known;
mod operations;
mod scenario;
mod site;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Instant;

use kube_glue_testbed::Proof;

use self::batch::Violations;
use self::faults::Fault;
use self::known::KNOWN;
use self::scenario::Scenario;

/// The cells that run at once.
const BATCH: usize = 96;

/// When an object meets the fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Running,
    Deleting,
}

/// A cell of the matrix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    operation: String,
    fault: Fault,
    stage: Stage,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}/{:?}", self.operation, self.fault, self.stage)
    }
}

/// All cells of a stage: each operation with each fault that applies to it.
fn cells(stage: Stage) -> Vec<Cell> {
    let pairs = operations::all().into_iter().flat_map(|operation| {
        let faults = Fault::ALL.into_iter().filter(|fault| fault.applies_to(&operation)).collect::<Vec<_>>();
        faults.into_iter().map(move |fault| Cell { operation: operation.clone(), fault, stage })
    });
    pairs.collect()
}

/// The cells of a stage that every run of the tests has: two faults of each operation, and each fault at least once.
/// Left out are faults that take a minute to be noticed, those that need an environment of their own, and cells that are
/// known to be violated.
fn sample(stage: Stage) -> Vec<Cell> {
    let is_affordable = |cell: &Cell| !matches!(cell.fault, Fault::ConnectionRefused | Fault::LongLists | Fault::Lie);
    let all: Vec<_> = cells(stage).into_iter().filter(|cell| is_affordable(cell) && !known::is_known(cell)).collect();
    let mut chosen = BTreeSet::new();
    for (number, operation) in operations::all().into_iter().enumerate() {
        let own: Vec<_> = all.iter().filter(|cell| cell.operation == operation).collect();
        if own.is_empty() {
            continue;
        }
        // The other stage has others.
        let first = number + if stage == Stage::Running { 0 } else { own.len() / 4 };
        chosen.extend([first, first + own.len() / 2].map(|index| own[index % own.len()].clone()));
    }
    for fault in Fault::ALL {
        if !chosen.iter().any(|cell| cell.fault == fault) {
            chosen.extend(all.iter().find(|cell| cell.fault == fault).cloned());
        }
    }
    chosen.into_iter().collect()
}

fn assert_none(violations: &Violations, cells: usize) {
    let lines = violations.iter().flat_map(|(cell, all)| all.iter().map(move |one| format!("{cell}: {one}")));
    let lines: Vec<_> = lines.collect();
    assert!(lines.is_empty(), "{} of {cells} cells are violated:\n{}", violations.len(), lines.join("\n"));
}

#[test]
fn every_operation_has_a_scenario() {
    let without: Vec<_> = operations::all().into_iter().filter(|operation| Scenario::of(operation).is_none()).collect();
    assert!(without.is_empty(), "the controller calls operations that have no scenario in the matrix: {without:?}");
}

#[test]
fn the_sample_has_every_operation_and_is_affordable() {
    for stage in [Stage::Running, Stage::Deleting] {
        let sample = sample(stage);
        let sampled: BTreeSet<_> = sample.iter().map(|cell| cell.operation.clone()).collect();
        let is_well = |cell: &Cell| cell.stage == stage && !known::is_known(cell);
        let others: BTreeSet<_> = cells(stage).into_iter().filter(is_well).map(|cell| cell.operation).collect();
        assert_eq!(sampled, others, "every operation with a cell that is not known to be violated");
        let faults: BTreeSet<_> = sample.iter().map(|cell| cell.fault).collect();
        assert!(faults.len() >= Fault::ALL.len() - 3, "{faults:?}");
        assert!(sample.len() <= BATCH * 5 / 6, "{} cells", sample.len());
    }
}

#[tokio::test]
async fn a_sample_of_the_matrix_while_objects_live() {
    let sample = sample(Stage::Running);
    assert_none(&batch::run("matrix-live", Stage::Running, &sample).await, sample.len());
}

#[tokio::test]
async fn a_sample_of_the_matrix_while_a_namespace_is_deleted() {
    let sample = sample(Stage::Deleting);
    assert_none(&batch::run("matrix-gone", Stage::Deleting, &sample).await, sample.len());
}

#[test]
fn the_documentation_has_the_size_of_the_matrix() {
    let (live, deleted) = (cells(Stage::Running).len(), cells(Stage::Deleting).len());
    let known = [Stage::Running, Stage::Deleting].into_iter().flat_map(cells).filter(known::is_known).count();
    let size = format!(
        "{} operations, {} faults, {} cells. Known to be violated today: {known}",
        operations::all().len(),
        Fault::ALL.len(),
        live + deleted
    );
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/guarantees.md")).expect("the page");
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains(&size), "docs/guarantees.md does not say: {size}");
}

/// The whole matrix: `cargo fault-matrix`.
#[tokio::test]
#[ignore = "takes many minutes: cargo fault-matrix"]
async fn the_whole_matrix() {
    let filter = std::env::var("FAULT_MATRIX").unwrap_or_default();
    let is_chosen = |cell: &Cell| cell.to_string().contains(&filter);
    let started = Instant::now();
    let (mut violations, mut done) = (Violations::new(), 0);
    let all: Vec<_> = [Stage::Running, Stage::Deleting].into_iter().flat_map(cells).filter(is_chosen).collect();
    println!("{} cells: {} operations, {} faults", all.len(), operations::all().len(), Fault::ALL.len());
    for stage in [Stage::Running, Stage::Deleting] {
        let of_stage = all.iter().filter(|cell| cell.stage == stage).cloned();
        let (refused, others): (Vec<_>, Vec<_>) = of_stage.partition(|cell| cell.fault == Fault::ConnectionRefused);
        // Cells of one fault are spread over the batches.
        let count = others.len().div_ceil(BATCH).max(1);
        let spread = |first: usize| others.iter().skip(first).step_by(count).cloned().collect::<Vec<_>>();
        for cells in (0..count).map(spread).chain([refused]).filter(|cells| !cells.is_empty()) {
            let found = batch::run("matrix", stage, &cells).await;
            done += cells.len();
            println!(
                "{done} of {} cells, {} violated, {} s",
                all.len(),
                violations.len() + found.len(),
                started.elapsed().as_secs()
            );
            for (cell, all) in &found {
                for one in all {
                    println!("  {cell}: {one}");
                }
            }
            violations.extend(found);
        }
    }
    let outdated = KNOWN.iter().filter(|known| {
        let covered: Vec<_> = all.iter().filter(|cell| known.covers(cell)).collect();
        filter.is_empty() && !covered.iter().any(|cell| violations.contains_key(cell))
    });
    let outdated: Vec<_> = outdated.map(|known| known.why).collect();
    let (as_known, new): (Violations, Violations) = violations.into_iter().partition(|(cell, _)| known::is_known(cell));
    println!("{} of {} cells are violated as known, {} others", as_known.len(), all.len(), new.len());
    let size = Proof::new(all.len(), "cells", new.len());
    size.detail(format!("{} operations, {} faults", operations::all().len(), Fault::ALL.len())).print();
    assert_none(&new, all.len());
    assert!(outdated.is_empty(), "no longer violated, remove from KNOWN: {outdated:#?}");
}
