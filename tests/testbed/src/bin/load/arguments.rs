//! The command line.

use std::path::PathBuf;

use clap::Parser;

use crate::scenarios::{ALL, Scenario};

/// The scale of `--quick`.
const QUICK: f64 = 0.06;

/// Measures kube-glue under load, on a real Kubernetes control plane with a test double in place of AWS Glue, and
/// compares the figures with their goals. A full measurement takes more than an hour.
#[derive(Debug, Parser)]
#[command(name = "load", after_help = scenarios())]
pub(crate) struct Arguments {
    /// Measure with few objects: some minutes. Goals for the full number of objects are not judged.
    #[arg(long)]
    quick: bool,

    /// Multiply the number of objects
    #[arg(long, value_name = "FACTOR", conflicts_with = "quick", value_parser = scale)]
    scale: Option<f64>,

    /// Measure these scenarios only
    #[arg(long, value_name = "SCENARIO", value_delimiter = ',', value_parser = scenario)]
    only: Vec<&'static str>,

    /// Print the table as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Measure this program instead of the release build
    #[arg(long, value_name = "PATH", value_parser = program)]
    pub(crate) controller: Option<PathBuf>,
}

impl Arguments {
    /// The part of the full number of objects.
    pub(crate) fn scale(&self) -> f64 {
        self.scale.unwrap_or(if self.quick { QUICK } else { 1.0 })
    }

    /// The scenarios to measure.
    pub(crate) fn scenarios(&self) -> Vec<&'static Scenario> {
        let is_asked = |scenario: &&Scenario| self.only.is_empty() || self.only.contains(&scenario.name);
        ALL.iter().filter(is_asked).collect()
    }
}

fn scenarios() -> String {
    let width = ALL.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let line = |scenario: &Scenario| format!("  {:width$}  {}", scenario.name, scenario.about);
    format!("Scenarios:\n{}", ALL.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn scenario(name: &str) -> Result<&'static str, String> {
    let found = ALL.iter().find(|scenario| scenario.name == name).map(|scenario| scenario.name);
    let known = || ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("there is no such scenario; there are: {}", known()))
}

fn scale(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if factor > 0.0 && factor <= 10.0 { Ok(factor) } else { Err("must be more than 0 and at most 10".to_owned()) }
}

fn program(path: &str) -> Result<PathBuf, String> {
    std::fs::canonicalize(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Arguments, String> {
        Arguments::try_parse_from([&["load"], args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_those_that_exist() {
        let error = parse(&["--only", "burst,brust"]).unwrap_err();
        assert!(error.contains("'brust'"), "{error}");
        for scenario in ALL {
            assert!(error.contains(scenario.name), "{} is not in: {error}", scenario.name);
        }
    }

    #[test]
    fn some_scenarios_are_measured_in_their_usual_order() {
        let names = |args: &[&str]| -> Vec<_> { parse(args).unwrap().scenarios().iter().map(|one| one.name).collect() };
        assert_eq!(names(&["--only", "backlog", "--only", "burst,latency"]), ["latency", "burst", "backlog"]);
        assert_eq!(names(&[]), ALL.iter().map(|one| one.name).collect::<Vec<_>>());
    }

    #[test]
    fn the_scale_is_a_factor_and_quick_is_a_small_one() {
        let scale = |args: &[&str]| parse(args).unwrap().scale();
        assert!((scale(&[]) - 1.0).abs() < f64::EPSILON);
        assert!((scale(&["--scale", "0.5"]) - 0.5).abs() < f64::EPSILON);
        assert!(scale(&["--quick"]) < 0.1);
        for bad in ["0", "-1", "11", "NaN", "much"] {
            assert!(parse(&["--scale", bad]).is_err(), "{bad}");
        }
        assert!(parse(&["--quick", "--scale", "1"]).is_err());
    }
}
