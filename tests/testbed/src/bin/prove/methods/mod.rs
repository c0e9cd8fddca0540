//! The methods, in the order in which they run: a module for each.

mod acto;
mod chaos;
mod fault_matrix;
mod fuzz;
mod guards;
mod model;
mod mutants;
mod sieve;
mod simulation;

use std::{path::PathBuf, pin::Pin};

use kube_glue_testbed::{Proof, controller};

use crate::{
    arguments::{Arguments, Choice},
    error::ProveError,
};

/// How much is asked of the methods.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// A little of each.
    pub(crate) quick: bool,
    /// How much, in the method's own unit, where the user says it.
    pub(crate) amount: Option<u64>,
    /// The seed of everything that is random.
    pub(crate) seed: u64,
    /// The guards that are taken away from the controller.
    pub(crate) without: Vec<String>,
    /// Whether a method ends when it has found something.
    pub(crate) until_found: bool,
    /// These kinds only; all when empty.
    pub(crate) kinds: Vec<String>,
    /// Only what has this in its name.
    pub(crate) matching: Option<String>,
    program: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(arguments: &Arguments) -> Self {
        let Arguments { quick, amount, seed, without, kinds, matching, program, .. } = arguments.clone();
        Self { quick, amount, seed, without, until_found: false, kinds, matching, program }
    }

    /// The controller with the feature that has the points at which it ends, and the guards that can be taken away.
    pub(crate) async fn controller(&self) -> Result<PathBuf, ProveError> {
        match &self.program {
            Some(program) => Ok(program.clone()),
            None => Ok(controller::build_program(controller::NAME, controller::Profile::Dev, &["failpoints"]).await?),
        }
    }

    /// What the size says about guards that are taken away.
    pub(crate) fn handicap(&self) -> String {
        if self.without.is_empty() { String::new() } else { format!(", without {}", self.without.join(" and ")) }
    }

    /// Whether something of this name is asked for.
    pub(crate) fn is_matching(&self, name: &str) -> bool {
        self.matching.as_ref().is_none_or(|part| name.contains(part.as_str()))
    }

    /// How much of a method that does everything otherwise: what the user says, or the quick size; `None` for everything.
    pub(crate) fn sample(&self, quick: u64) -> Option<usize> {
        self.amount.or(self.quick.then_some(quick)).and_then(|amount| usize::try_from(amount).ok())
    }

    /// How much of a method: what the user says, or one of the two sizes.
    pub(crate) fn amount(&self, full: u64, quick: u64) -> u64 {
        self.amount.unwrap_or(if self.quick { quick } else { full })
    }
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Vec<Proof>, ProveError>> + 'a>>;

/// A method.
pub(crate) struct Method {
    /// Its name on the command line and in the table.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// The flags that it reads, besides `--seed` and `--quick`.
    pub(crate) takes: &'static [Choice],
    /// Does it.
    pub(crate) run: for<'a> fn(&'a Context) -> Running<'a>,
}

/// All methods.
pub(crate) const ALL: &[Method] = &[
    Method {
        name: "model",
        about: "every interleaving of the start protocol with crashes, lost answers, stale reads and a second controller",
        takes: &[],
        run: |context| Box::pin(model::run(context)),
    },
    Method {
        name: "simulation",
        about: "many objects of many tenants in virtual time: seeds, with every property",
        takes: &[Choice::Amount],
        run: |context| Box::pin(simulation::run(context)),
    },
    Method {
        name: "fault-matrix",
        about: "every operation of AWS with every fault, while objects live and while they are deleted",
        takes: &[Choice::Matching],
        run: |context| Box::pin(fault_matrix::run(context)),
    },
    Method {
        name: "fuzz",
        about: "everything that comes from outside, changed at random: no panic, no hang",
        takes: &[Choice::Amount],
        run: |context| Box::pin(fuzz::run(context)),
    },
    Method {
        name: "chaos",
        about: "objects of all kinds while replicas are killed and paused, and everything around them fails",
        takes: &[Choice::Amount, Choice::Without, Choice::Program],
        run: |context| Box::pin(chaos::run(context)),
    },
    Method {
        name: "acto",
        about: "each property of each kind through several values and back, by the schemas: valid, invalid and missing",
        takes: &[Choice::Amount, Choice::Kinds, Choice::Matching, Choice::Program],
        run: |context| Box::pin(acto::run(context)),
    },
    Method {
        name: "sieve",
        about: "a kill at each action, each event missed or late, a restart against an older view, by plans from traces",
        takes: &[Choice::Amount, Choice::Without, Choice::Kinds, Choice::Matching, Choice::Program],
        run: |context| Box::pin(sieve::run(context)),
    },
    Method {
        name: "guards",
        about: "chaos and sieve against a controller without one of its guards: they must find its absence",
        takes: &[Choice::Matching, Choice::Program],
        run: |context| Box::pin(guards::run(context)),
    },
    Method {
        name: "mutants",
        about: "the modules that decide, changed by cargo-mutants: their tests must notice",
        takes: &[Choice::Amount, Choice::Matching],
        run: |context| Box::pin(mutants::run(context)),
    },
];
