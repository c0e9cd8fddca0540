//! The tables of the pages, compared with the code.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;
use kube_glue::operator::Cli;

use super::{OPERATIONS, TROUBLESHOOTING, page, root};

#[test]
fn the_flags_table_is_that_of_the_help_text() {
    let mut table = "| flag | default | |\n|---|---|---|\n".to_owned();
    for argument in Cli::command().get_arguments() {
        let Some(long) = argument.get_long().filter(|long| !matches!(*long, "help" | "version")) else { continue };
        let help = argument.get_long_help().or(argument.get_help()).expect(long).to_string();
        // The help text names a default that is computed.
        let (help, computed) = match help.split_once(" [default: ") {
            Some((help, default)) => (help, default.trim_end_matches(']')),
            None => (help.as_str(), ""),
        };
        let fixed: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = match fixed.concat() {
            fixed if fixed.is_empty() => computed.to_owned(),
            fixed => format!("`{fixed}`"),
        };
        let help = help.replace('|', "\\|").replace('*', "\\*");
        writeln!(table, "| `--{long}` | {default} | {help} |").expect("text");
    }
    let text = page(OPERATIONS);
    let begin = "<!-- flags: begin, generated from `kube-glue --help`, checked by tests/it/docs/tables.rs -->\n";
    let (_, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{OPERATIONS} has no {begin:?}"));
    let (shown, _) =
        rest.split_once("<!-- flags: end -->").unwrap_or_else(|| panic!("{OPERATIONS}: no end of the flags"));
    assert_eq!(shown, table, "put this into {OPERATIONS}:\n{table}");
}

/// Quoted words that look like reasons, from the sources that give them.
fn words_in(path: &Path, words: &mut BTreeSet<String>) {
    if path.is_dir() {
        if !path.ends_with("tests") {
            path.read_dir().expect("a folder").for_each(|entry| words_in(&entry.expect("an entry").path(), words));
        }
        return;
    }
    let text = std::fs::read_to_string(path).expect("a source file");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let is_reason = |word: &&str| {
        word.len() > 3
            && word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.chars().all(|c| c.is_ascii_alphabetic())
            && word.chars().any(|c| c.is_ascii_lowercase())
    };
    words.extend(code.split('"').skip(1).step_by(2).filter(is_reason).map(str::to_owned));
}

/// Quoted words that are not reasons: kinds, conditions, and the operations and codes of errors.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "ConfigMap", "Count", "GlueConnection", "GlueCrawlerRun", "GlueJobRun", "GlueTrigger", "Namespace", "Secret",
    "Ready", "Reconciling", "Stalled", "Complete", "Resumed", "Tested", "True", "False",
    "AssumeRole", "BatchStopJobRun", "GetJob", "GetJobRun", "GetJobRuns", "StartJobRun", "StartTrigger", "StopTrigger", "NotSent", "NoEndpoint",
    "Validation", "Connection", "AlreadyExistsException",
];

/// Every reason that conditions and Events have.
fn reasons() -> BTreeSet<String> {
    let mut reasons = BTreeSet::new();
    for source in ["src/controllers", "src/glue/error.rs", "src/glue/identity/mod.rs"] {
        words_in(&root().join(source), &mut reasons);
    }
    reasons.retain(|word| !OTHERS.contains(&word.as_str()));
    // The reason of a live run is its phase.
    reasons.extend(["Running", "Waiting", "Stopping"].map(str::to_owned));
    reasons
}

#[test]
fn the_reasons_table_has_every_reason_and_no_other() {
    let text = page(TROUBLESHOOTING);
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2));
    let explained: BTreeSet<_> = cells.map(str::to_owned).collect();
    let given = reasons();
    let missing: Vec<_> = given.difference(&explained).collect();
    assert!(missing.is_empty(), "{TROUBLESHOOTING} does not explain {missing:?}");
    let unknown: Vec<_> = explained.difference(&given).collect();
    assert!(unknown.is_empty(), "{TROUBLESHOOTING} explains reasons that do not exist: {unknown:?}");
}
