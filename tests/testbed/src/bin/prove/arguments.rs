//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, builder::PossibleValuesParser, error::ErrorKind};
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

    /// Take these guards of the controller away, and expect that their absence is found
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

    /// These kinds only
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    pub(crate) kinds: Vec<String>,

    /// Only what has this in its name: plans, properties, cells, guards, subjects; what is found is named so
    #[arg(long, value_name = "TEXT", requires = "only")]
    pub(crate) matching: Option<String>,

    /// This controller, with the feature `failpoints`, instead of one that is built now
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,

    /// Print the table as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,

    /// Write the rows to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// A flag that only some methods read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Amount,
    Without,
    Kinds,
    Matching,
    Program,
}

impl Choice {
    fn flag(self) -> &'static str {
        match self {
            Self::Amount => "--amount",
            Self::Without => "--without",
            Self::Kinds => "--kinds",
            Self::Matching => "--matching",
            Self::Program => "--program",
        }
    }
}

impl Arguments {
    /// The arguments of this process. It exits with an error when no method that runs reads one of them.
    pub(crate) fn from_command_line() -> Self {
        let arguments = Self::parse();
        if let Err(why) = arguments.check() {
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        arguments
    }

    /// Why the flags and the methods do not go together.
    pub(crate) fn check(&self) -> Result<(), String> {
        let methods = self.methods();
        if self.amount.is_some() && methods.len() > 1 {
            return Err("--amount is in the unit of one method: name one with --only".to_owned());
        }
        let given = [
            (Choice::Amount, self.amount.is_some()),
            (Choice::Without, !self.without.is_empty()),
            (Choice::Kinds, !self.kinds.is_empty()),
            (Choice::Matching, self.matching.is_some()),
            (Choice::Program, self.program.is_some()),
        ];
        let is_taken = |choice: Choice| methods.iter().any(|method| method.takes.contains(&choice));
        match given.into_iter().find(|(choice, is_given)| *is_given && !is_taken(*choice)) {
            None => Ok(()),
            Some((choice, _)) => {
                let takers = ALL.iter().filter(|method| method.takes.contains(&choice)).map(|method| method.name);
                let takers = takers.collect::<Vec<_>>().join(", ");
                Err(format!("{} has no meaning for these methods; it is for: {takers}", choice.flag()))
            }
        }
    }

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
        let arguments = parse(&["--only", "chaos", "--amount", "3"]).unwrap();
        assert_eq!((arguments.amount, arguments.check()), (Some(3), Ok(())));
        assert!(parse(&["--only", "chaos,sieve", "--amount", "3"]).unwrap().check().is_err());
    }

    #[test]
    fn a_flag_that_no_method_reads_is_refused_with_the_methods_that_do() {
        let check = |args: &[&str]| parse(args).unwrap().check();
        assert_eq!(check(&["--kinds", "GlueTrigger"]), Ok(()), "some methods take it");
        for method in ALL {
            let cases = [
                (Choice::Amount, "3"),
                (Choice::Without, guards::NAMES[0]),
                (Choice::Kinds, KINDS[0].kind),
                (Choice::Matching, "Late"),
                (Choice::Program, "kube-glue"),
            ];
            for (choice, value) in cases {
                let outcome = check(&["--only", method.name, choice.flag(), value]);
                assert_eq!(outcome.is_ok(), method.takes.contains(&choice), "{} {}", method.name, choice.flag());
            }
        }
        let error = check(&["--only", "guards", "--amount", "3"]).unwrap_err();
        assert!(error.contains("--amount") && error.contains("chaos"), "{error}");
    }
}
