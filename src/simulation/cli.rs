//! `cargo simulate`.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use super::campaign::Campaign;
use super::checks::Property;
use super::figures::Figures;
use super::kind::Kind;
use super::mutations::Mutation;

/// Simulates controllers, Glue and the API server together, many seeds of them, and checks what must hold.
#[derive(Debug, Parser)]
#[command(name = "cargo simulate", max_term_width = 100)]
pub struct Cli {
    /// Simulate this kind only
    #[arg(long)]
    kind: Option<Kind>,
    /// How many seeds of each kind to run
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// How many objects a world has
    #[arg(long, default_value_t = 100)]
    objects: usize,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Take this rule away from the product; the violation is expected then
    #[arg(long)]
    mutation: Option<Mutation>,
    /// Check these properties only
    #[arg(long, value_delimiter = ',')]
    only: Vec<Property>,
    /// Go on after a violation, and count the seeds of each property
    #[arg(long)]
    keep_going: bool,
    /// Print what `cargo prove` reads as the last line
    #[arg(long, hide = true)]
    proof: bool,
}

impl Cli {
    /// Runs the seeds. Succeeds when nothing is violated, or, with a mutation, when something is.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let (began, mut figures) = (Instant::now(), Figures::default());
        let mut found = BTreeMap::new();
        for kind in Kind::ALL.into_iter().filter(|kind| self.kind.is_none_or(|only| only == *kind)) {
            if self.keep_going || found.is_empty() {
                self.run_kind(kind, &mut figures, &mut found);
            }
        }
        progress("");
        print(&format!("{figures}\nseconds             {:.1}", began.elapsed().as_secs_f64()));
        for ((kind, property), seeds) in &found {
            print(&format!("{property:?} does not hold in {} seeds of {kind:?}s: {seeds:?}", seeds.len()));
        }
        if self.proof {
            print(&figures.proof(found.values().map(Vec::len).sum()));
        }
        if found.is_empty() == self.mutation.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn run_kind(&self, kind: Kind, figures: &mut Figures, found: &mut BTreeMap<(Kind, Property), Vec<u64>>) {
        let mut campaign = Campaign { mutation: self.mutation, ..Campaign::new(kind, self.objects) };
        if !self.only.is_empty() {
            campaign.properties = self.only.iter().copied().collect();
        }
        for seed in self.seed..self.seed.saturating_add(self.seeds) {
            progress(&format!("{kind:?}s, seed {seed}, {} steps", figures.steps));
            let (world, violations) = campaign.run(seed);
            figures.add(&world);
            for violation in &violations {
                let seeds = found.entry((kind, violation.property)).or_default();
                seeds.push(seed);
                if seeds.len() == 1 {
                    progress(&format!("seed {seed} breaks {:?}: looking for a small world", violation.property));
                    let story = campaign.explain(seed, violation);
                    progress("");
                    print(&format!("{story}\n"));
                }
            }
            if !self.keep_going && !found.is_empty() {
                break;
            }
        }
    }
}

/// A line of text. A closed pipe is no error of the simulation.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The line that says what is going on, on a terminal.
fn progress(text: &str) {
    let mut error = std::io::stderr();
    if error.is_terminal() {
        let _ = write!(error, "\r\x1b[K{text}");
        let _ = error.flush();
    }
}
