//! The tables of the pages, compared with the code.

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::CommandFactory;
use kube_glue::controllers::runtime::reason::Reason;
use kube_glue::operator::Cli;
use kube_glue::plugin;
use kube_glue::plugin::exit::Exit;

use super::{OPERATIONS, PLUGIN, TROUBLESHOOTING, page};

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

/// The table's row of a reason.
fn row(reason: Reason) -> String {
    let (word, meaning, remedy) = (reason.as_str(), reason.meaning(), reason.remedy());
    if remedy.is_empty() {
        format!("| `{word}` | {meaning} | |")
    } else {
        format!("| `{word}` | {meaning} | {remedy} |")
    }
}

#[test]
fn the_reasons_tables_have_every_reason_as_the_code_explains_it() {
    let text = page(TROUBLESHOOTING);
    let rows: BTreeSet<_> = text.lines().filter(|line| line.starts_with("| `")).map(str::to_owned).collect();
    let expected: BTreeSet<_> = Reason::ALL.iter().map(|reason| row(*reason)).collect();
    let missing: Vec<_> = expected.difference(&rows).collect();
    assert!(missing.is_empty(), "put these rows into {TROUBLESHOOTING}: {missing:#?}");
    let unknown: Vec<_> = rows.difference(&expected).collect();
    assert!(unknown.is_empty(), "{TROUBLESHOOTING} has rows that the code does not have: {unknown:#?}");
}

#[test]
fn the_plugins_page_has_every_exit_code_and_every_command() {
    let text = page(PLUGIN);
    for exit in Exit::ALL {
        let row = format!("| {} | {} |", exit.code(), exit.meaning());
        assert!(text.contains(&row), "put this row into {PLUGIN}: {row}");
    }
    for command in plugin::Cli::command().get_subcommands() {
        let beginning = format!("| `{}", command.get_name());
        assert!(text.contains(&beginning), "{PLUGIN} has no row for {}", command.get_name());
    }
}
