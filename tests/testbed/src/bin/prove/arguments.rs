//! The command line.

use std::path::PathBuf;

use clap::{Parser, builder::PossibleValuesParser};
use kube_glue_testbed::{guards, lives::KINDS};

use crate::methods::{ALL, Method};

/// Shows that what docs/guarantees.md promises holds: a real control plane, a test double in place of AWS Glue, and what
/// goes wrong in the field. Everything takes some hours on two cores.
#[derive(Debug, Clone, Parser)]
#[command(name = "prove", after_help = methods())]
pub(crate) struct Arguments {
    /// A little of each method: some minutes in all
    #[arg(long)]
    pub(crate) quick: bool,

    /// These methods only
    #[arg(long, value_name = "METHOD", value_delimiter = ',', value_parser = method)]
    only: Vec<&'static str>,

    /// How much of the method, in its own unit (kills, plans of each kind, seeds, inputs); needs --only with one method
    #[arg(long, value_name = "NUMBER", requires = "only", conflicts_with = "quick")]
    pub(crate) amount: Option<u64>,

    /// Take these guards of the controller away, and expect that their absence is found; for chaos or sieve
    #[arg(
        long,
        value_name = "GUARD",
        requires = "only",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(guards::NAMES)
    )]
    pub(crate) without: Vec<String>,

    /// The seed of everything that is random, for methods that have one
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// These kinds only, for sieve and acto
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    pub(crate) kinds: Vec<String>,

    /// Plans with this in their name only, for sieve: what is found is named so
    #[arg(long, value_name = "TEXT", requires = "only")]
    pub(crate) matching: Option<String>,

    /// This controller, with the feature `failpoints`, instead of one that is built now; for chaos, sieve and acto
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,

    /// Print the table as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Arguments {
    /// The methods to run.
    pub(crate) fn methods(&self) -> Vec<&'static Method> {
        let is_asked = |method: &&Method| self.only.is_empty() || self.only.contains(&method.name);
        ALL.iter().filter(is_asked).collect()
    }
}

fn kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(KINDS.iter().map(|kind| kind.kind))
}

fn methods() -> String {
    let width = ALL.iter().map(|method| method.name.len()).max().unwrap_or_default();
    let line = |method: &Method| format!("  {:width$}  {}", method.name, method.about);
    format!("Methods:\n{}", ALL.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn method(name: &str) -> Result<&'static str, String> {
    let found = ALL.iter().find(|method| method.name == name).map(|method| method.name);
    let known = || ALL.iter().map(|method| method.name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("there is no such method; there are: {}", known()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Arguments, String> {
        Arguments::try_parse_from([&["prove"], args].concat()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_method_is_refused_with_those_that_exist() {
        let error = parse(&["--only", "simulation,siev"]).unwrap_err();
        assert!(error.contains("'siev'"), "{error}");
        for method in ALL {
            assert!(error.contains(method.name), "{} is not in: {error}", method.name);
        }
    }

    #[test]
    fn some_methods_run_in_their_usual_order() {
        let names = |args: &[&str]| -> Vec<_> { parse(args).unwrap().methods().iter().map(|one| one.name).collect() };
        let [first, .., last] = ALL else { unreachable!("there are several methods") };
        assert_eq!(names(&["--only", last.name, "--only", first.name]), [first.name, last.name]);
        assert_eq!(names(&[]), ALL.iter().map(|one| one.name).collect::<Vec<_>>());
    }

    #[test]
    fn an_amount_is_for_one_method() {
        assert!(parse(&["--amount", "3"]).is_err());
        assert_eq!(parse(&["--only", ALL[0].name, "--amount", "3"]).unwrap().amount, Some(3));
    }
}
