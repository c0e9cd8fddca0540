//! The tables of the page and what they are tables of.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use clap::CommandFactory;
use kube_glue::operator::Cli;

use super::{README, root};

/// The part of the page between two lines.
fn between<'a>(begin: &str, end: &str) -> &'a str {
    let (_, rest) = README.split_once(begin).unwrap_or_else(|| panic!("README.md has no {begin:?}"));
    rest.split_once(end).unwrap_or_else(|| panic!("README.md has no {end:?}")).0
}

#[test]
fn the_flags_are_those_of_the_program() {
    let mut table = "| flag | default | |\n|---|---|---|\n".to_owned();
    for argument in Cli::command().get_arguments() {
        let Some(long) = argument.get_long().filter(|long| !matches!(*long, "help" | "version")) else { continue };
        let help = argument.get_long_help().or(argument.get_help()).expect(long).to_string();
        // A default that is worked out stands in the help text.
        let (help, worked_out) = match help.split_once(" [default: ") {
            Some((help, default)) => (help, default.trim_end_matches(']')),
            None => (help.as_str(), ""),
        };
        let fixed: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let default = match fixed.concat() {
            fixed if fixed.is_empty() => worked_out.to_owned(),
            fixed => format!("`{fixed}`"),
        };
        let help = help.replace('|', "\\|").replace('*', "\\*");
        writeln!(table, "| `--{long}` | {default} | {help} |").expect("text");
    }
    let begin = "<!-- flags: begin, as `kube-glue --help` has them (tests/it/readme.rs) -->\n";
    assert_eq!(between(begin, "<!-- flags: end -->"), table, "put this into README.md:\n{table}");
}

/// Quoted words that look like reasons, from the rooms that give them.
fn words_in(path: &Path, words: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in path.read_dir().expect("a folder") {
            words_in(&entry.expect("an entry").path(), words);
        }
        return;
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.ends_with("_tests.rs") || name == "interleavings.rs" {
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

/// What else stands between quotes: kinds, conditions, and the operations and codes of errors.
#[rustfmt::skip]
const OTHERS: &[&str] = &[
    "ConfigMap", "Count", "GlueConnection", "GlueCrawlerRun", "GlueJobRun", "GlueTrigger", "Namespace", "Secret",
    "Ready", "Reconciling", "Stalled", "Complete", "Resumed", "Tested", "True", "False",
    "AssumeRole", "BatchStopJobRun", "GetJob", "GetJobRun", "GetJobRuns", "StartJobRun", "StartTrigger", "StopTrigger", "NotSent", "NoEndpoint",
    "Validation", "Connection", "AlreadyExistsException",
];

#[test]
fn every_reason_is_explained_and_every_explained_reason_exists() {
    let mut given = BTreeSet::new();
    for room in ["src/controllers", "src/glue/error.rs", "src/glue/identity/mod.rs"] {
        words_in(&root().join(room), &mut given);
    }
    given.retain(|word| !OTHERS.contains(&word.as_str()));
    let troubleshooting = between("## Troubleshooting", "## Development");
    for reason in &given {
        assert!(troubleshooting.contains(&format!("`{reason}`")), "{reason} is not explained in Troubleshooting");
    }
    // A live run's reason is its phase.
    let phases = ["Running", "Waiting", "Stopping"].map(str::to_owned);
    let rows = troubleshooting.lines().filter(|line| line.starts_with("| `"));
    for reason in rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2)) {
        assert!(given.contains(reason) || phases.iter().any(|phase| phase == reason), "nothing gives {reason}");
    }
}
