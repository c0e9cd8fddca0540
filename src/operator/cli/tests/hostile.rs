//! No value of a flag panics: it is taken, or refused with the name of the flag.

use clap::CommandFactory;
use proptest::prelude::*;

use super::{Cli, Command};
use crate::glue::aws::tests::hostile::text;

/// The flags that take a value.
fn flags() -> Vec<String> {
    let command = Cli::command();
    let flags = command.get_arguments().filter(|argument| argument.get_action().takes_values());
    flags.filter_map(|argument| argument.get_long()).map(str::to_owned).collect()
}

/// What some flag takes, or something like it.
fn value() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(
        &[
            "a",
            "team-*",
            "=",
            ",",
            ":",
            "*",
            "5s",
            "0",
            "-1",
            "18446744073709551616s",
            "true",
            "127.0.0.1:80",
            "https://a",
            "http://[::1",
            "arn:aws:iam::111122223333:role/a*",
            "GlueJobRun",
            "--x",
            "info,kube=debug",
            "json",
            "\u{0}",
            " ",
        ][..],
    );
    prop_oneof![prop::collection::vec(parts, 0..5).prop_map(|parts| parts.concat()), text()]
}

proptest! {
    #[test]
    fn any_value_of_a_flag_is_taken_or_refused_by_name(flag in prop::sample::select(flags()), value in value()) {
        match Cli::parse_arguments(["kube-glue", &format!("--{flag}={value}")]) {
            Ok(Command::Run(options)) => drop(options.settings()),
            Ok(Command::Crds) => prop_assert!(false, "the command crds"),
            Err(error) => prop_assert!(error.to_string().contains(&flag), "--{flag}={value:?}: {error}"),
        }
    }
}
