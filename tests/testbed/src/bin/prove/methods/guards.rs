//! Guards taken away ([`kube_glue_testbed::guards`]): a method that does not find their absence is blind.

use kube_glue_testbed::Proof;

use super::{Context, chaos, sieve};
use crate::{error::ProveError, say};

/// A method that must notice that guards are taken away.
struct Watch {
    without: &'static [&'static str],
    method: By,
    /// How much of the method, in its own unit.
    amount: u64,
    /// Plans of these kinds; all when empty.
    kinds: &'static [&'static str],
    /// Plans with this in their name only.
    matching: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Chaos,
    Sieve,
}

impl Watch {
    const fn chaos(without: &'static [&'static str]) -> Self {
        Self { without, method: By::Chaos, amount: 150, kinds: &[], matching: None }
    }

    /// Those plans of job runs with this in their name.
    const fn sieve(without: &'static [&'static str], matching: &'static str, amount: u64) -> Self {
        Self { without, method: By::Sieve, amount, kinds: &["GlueJobRun"], matching: Some(matching) }
    }
}

/// What each method must notice. A pair of guards stands here where one keeps what the other does: without one of them
/// nothing happens.
const WATCHES: &[Watch] = &[
    Watch::sieve(&["lookup"], "StartJobRun", 60),
    Watch::chaos(&["lookup"]),
    Watch::sieve(&["settle-time"], "Late", 60),
    Watch::chaos(&["settle-time"]),
    Watch::chaos(&["unclear-answers"]),
    Watch::sieve(&["finalizer"], "deleted", 60),
    Watch::chaos(&["finalizer"]),
    Watch::sieve(&["versions"], "Stale", 60),
    Watch::sieve(&["stale-cache", "versions"], "Delay", 60),
    Watch::chaos(&["lease", "versions"]),
];

/// Guards that neither method can notice, and why.
const BEYOND: &[(&str, &str)] = &[("generation", "without it an edited connection is as it should be, only later")];

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let program = context.controller().await?;
    let asked = |watch: &&Watch| !context.quick || watch.method == By::Sieve;
    let mut unnoticed = 0;
    let mut remarks: Vec<_> =
        BEYOND.iter().map(|(guard, why)| format!("{guard}: not tried, since {why}; a unit test has it")).collect();
    let watches: Vec<_> = WATCHES.iter().filter(asked).collect();
    for watch in &watches {
        let name = format!("{:?} without {}", watch.method, watch.without.join(" and ")).to_lowercase();
        say(&name);
        let context = Context {
            quick: false,
            amount: Some(watch.amount),
            seed: context.seed,
            without: watch.without.iter().map(|guard| (*guard).to_owned()).collect(),
            until_found: true,
            kinds: watch.kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            matching: watch.matching.map(str::to_owned),
            program: Some(program.clone()),
        };
        let proofs = match watch.method {
            By::Chaos => chaos::run(&context).await?,
            By::Sieve => sieve::run(&context).await?,
        };
        let found: u64 = proofs.iter().map(|proof| proof.found).sum();
        unnoticed += usize::from(found == 0);
        let sizes: Vec<_> = proofs.iter().map(Proof::size).collect();
        let outcome = if found == 0 { "NOT NOTICED" } else { "noticed" };
        remarks.push(format!("{name}: {outcome}, {}", sizes.join("; ")));
        say(&format!("  {}", remarks[remarks.len() - 1]));
    }
    let proof = Proof::new(watches.len(), "times guards taken away", unnoticed).detail("found is what was not noticed");
    Ok(vec![remarks.into_iter().fold(proof, Proof::remark)])
}

#[cfg(test)]
mod tests {
    use kube_glue_testbed::guards;

    use super::*;

    #[test]
    fn each_guard_is_taken_away_or_it_says_why_not() {
        for guard in guards::NAMES {
            let is_watched = WATCHES.iter().any(|watch| watch.without.contains(guard));
            let is_beyond = BEYOND.iter().any(|(name, _)| name == guard);
            assert!(is_watched != is_beyond, "{guard}");
        }
        let all = WATCHES.iter().flat_map(|watch| watch.without);
        assert!(all.clone().all(|guard| guards::NAMES.contains(guard)));
    }
}
