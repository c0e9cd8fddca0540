//! `cargo prove`: shows what the guarantees promise, by the methods of the field, and prints one table.
//!
//! | module | subject |
//! |---|---|
//! | [`arguments`] | which methods, and how much of each |
//! | [`methods`] | the list of the methods, a module for each |
//! | [`child`] | methods that are tests or other programs of the project |
//! | [`report`] | the table |
//!
//! A method is bounded in time and says how far it came. It ends with the rows of its table: what was done, how much of
//! it, and how many violations it found.

mod arguments;
mod child;
#[cfg(test)]
mod docs;
mod error;
mod methods;
mod report;

use std::{process::ExitCode, time::Instant};

use kube_glue_testbed::{Proof, format_duration, interrupted, progress};

use crate::{arguments::Arguments, error::ProveError, methods::Context, report::Row};

/// The name of the program in its output.
const PROGRAM: &str = "prove";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::from_command_line();
    let mut rows = Vec::new();
    let outcome = tokio::select! {
        outcome = prove(&arguments, &mut rows) => outcome,
        () = interrupted() => Err(ProveError::Interrupted),
    };
    if !rows.is_empty() {
        report::print(&rows, arguments.markdown);
    }
    if let Err(error) = outcome {
        say(&error.to_string());
        return ExitCode::FAILURE;
    }
    // Without guards, each method must find something.
    let is_good = |row: &Row| if arguments.without.is_empty() { row.is_good() } else { row.has_found() };
    if rows.iter().all(is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the methods one after the other. `rows` has those that are complete, whatever happens.
async fn prove(arguments: &Arguments, rows: &mut Vec<Row>) -> Result<(), ProveError> {
    let context = Context::new(arguments);
    let methods = arguments.methods();
    for (nth, method) in methods.iter().enumerate() {
        say(&format!("[{} of {}] {}: {}", nth + 1, methods.len(), method.name, method.about));
        let began = Instant::now();
        let outcome = (method.run)(&context).await.and_then(not_empty);
        let took = began.elapsed();
        match outcome {
            Ok(proofs) => {
                // One time for all rows of a method: it is in the first.
                let times = std::iter::once(Some(took)).chain(std::iter::repeat(None));
                rows.extend(proofs.into_iter().zip(times).map(|(proof, took)| Row::of(method.name, proof, took)));
            }
            Err(error) => {
                say(&format!("  {error}"));
                rows.push(Row::failed(method.name, &error, took));
            }
        }
        say(&format!("  took {}", format_duration(took)));
        if let Some(path) = &arguments.json {
            report::write(path, rows)?;
        }
    }
    Ok(())
}

/// Refuses rows that show nothing, because nothing was tried.
fn not_empty(proofs: Vec<Proof>) -> Result<Vec<Proof>, ProveError> {
    let has_tried = proofs.iter().any(|proof| proof.amount > 0);
    if has_tried { Ok(proofs) } else { Err(ProveError::Nothing) }
}

/// Prints a line of progress.
fn say(text: &str) {
    progress::say(PROGRAM, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_tried_nothing_has_no_result() {
        let proof = |amount| Proof::new(amount, "plans", 0);
        assert_eq!(not_empty(vec![proof(0), proof(1)]).unwrap().len(), 2);
        for nothing in [vec![], vec![proof(0)]] {
            assert!(matches!(not_empty(nothing), Err(ProveError::Nothing)));
        }
    }
}
