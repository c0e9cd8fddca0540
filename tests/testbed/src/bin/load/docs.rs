//! The page about performance is compared with the command.

use clap::Parser as _;

use crate::{arguments::Arguments, scenarios::ALL};

const PAGE: &str = include_str!("../../../../../docs/performance.md");

#[test]
fn its_commands_are_understood() {
    let commands: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix("cargo ")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let parsed = Arguments::try_parse_from(command.split_whitespace());
        assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
    }
}

#[test]
fn it_explains_every_scenario() {
    for scenario in ALL {
        assert!(PAGE.contains(&format!("\n| `{}` | ", scenario.name)), "{} has no row", scenario.name);
    }
}
