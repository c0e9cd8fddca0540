//! The page about the guarantees is compared with the command.

use clap::Parser as _;

use crate::{arguments::Arguments, methods::ALL};

const PAGE: &str = include_str!("../../../../../docs/guarantees.md");

#[test]
fn its_commands_are_understood() {
    let commands: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("cargo ")).collect();
    let ours: Vec<_> = commands.into_iter().filter(|command| command.starts_with("prove")).collect();
    assert!(!ours.is_empty());
    for command in ours {
        let parsed = Arguments::try_parse_from(command.split_whitespace());
        assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
    }
}

#[test]
fn it_explains_every_method() {
    for method in ALL {
        assert!(PAGE.contains(&format!("\n| `{}` | ", method.name)), "{} has no row", method.name);
    }
}
