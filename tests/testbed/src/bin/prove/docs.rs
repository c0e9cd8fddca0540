//! The page about the guarantees is compared with the command.

use clap::Parser as _;

use crate::{arguments::Arguments, methods::ALL};

const PAGE: &str = include_str!("../../../../../docs/guarantees.md");

#[test]
fn its_commands_are_understood() {
    let commands: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("cargo ")).collect();
    // Those of .cargo/config.toml that stand for a method, too.
    let expand = |command: &str| {
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let is_method = ["chaos", "sieve"].contains(&name);
        if is_method { format!("prove --only {name} {rest}") } else { command.to_owned() }
    };
    let ours: Vec<_> = commands.into_iter().map(expand).filter(|command| command.starts_with("prove")).collect();
    assert!(!ours.is_empty());
    for command in ours {
        let parsed = Arguments::try_parse_from(command.split_whitespace());
        let checked = parsed.map_err(|error| error.to_string()).and_then(|arguments| arguments.check());
        assert_eq!(checked, Ok(()), "{command}");
    }
}

#[test]
fn it_explains_every_method() {
    for method in ALL {
        assert!(PAGE.contains(&format!("\n| `{}` | ", method.name)), "{} has no row", method.name);
    }
}
