//! Guards taken away ([`kube_glue_testbed::guards`]): a method that does not find their absence is blind.

use kube_glue_testbed::Proof;

use super::{Context, chaos, sieve};
use crate::{error::ProveError, say};

/// The kills of chaos, and the plans of sieve, in which it must notice.
const KILLS: u64 = 150;
const PLANS: u64 = 60;
/// The kind whose plans are run.
const KIND: &str = "GlueJobRun";

/// A method that must notice that guards are taken away.
struct Watch {
    by: By,
    without: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Chaos,
    /// By plans with this in their name.
    Sieve(&'static str),
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Chaos => "chaos",
            Self::Sieve(_) => "sieve",
        }
    }
}

impl Watch {
    fn name(&self) -> String {
        format!("{} without {}", self.by.name(), self.without.join(" and "))
    }
}

/// What each method must notice. Two guards stand together where each protects what the other does, so that nothing happens
/// without one of them.
const WATCHES: &[Watch] = &[
    Watch { by: By::Sieve("StartJobRun"), without: &["lookup"] },
    Watch { by: By::Chaos, without: &["lookup"] },
    Watch { by: By::Sieve("Late"), without: &["settle-time"] },
    Watch { by: By::Chaos, without: &["settle-time"] },
    Watch { by: By::Chaos, without: &["unclear-answers"] },
    Watch { by: By::Sieve("deleted"), without: &["finalizer"] },
    Watch { by: By::Chaos, without: &["finalizer"] },
    Watch { by: By::Sieve("Stale"), without: &["versions"] },
    Watch { by: By::Sieve("Delay"), without: &["stale-cache", "versions"] },
    Watch { by: By::Chaos, without: &["lease", "versions"] },
];

/// Guards that neither method can notice, and why.
const BEYOND: &[(&str, &str)] = &[("generation", "without it an edited connection is as it should be, only later")];

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let program = context.controller().await?;
    let asked = |watch: &&Watch| (!context.quick || watch.by != By::Chaos) && context.is_matching(&watch.name());
    let mut unnoticed = 0;
    let mut remarks: Vec<_> =
        BEYOND.iter().map(|(guard, why)| format!("{guard}: not tried, since {why}; a unit test has it")).collect();
    let watches: Vec<_> = WATCHES.iter().filter(asked).collect();
    for watch in &watches {
        let name = watch.name();
        say(&name);
        let common = Context {
            without: watch.without.iter().map(|guard| (*guard).to_owned()).collect(),
            until_found: true,
            program: Some(program.clone()),
            ..context.clone()
        };
        let proofs = match watch.by {
            By::Chaos => chaos::run(&Context { amount: Some(KILLS), matching: None, ..common }).await?,
            By::Sieve(plans) => {
                let (kinds, matching) = (vec![KIND.to_owned()], Some(plans.to_owned()));
                sieve::run(&Context { amount: Some(PLANS), kinds, matching, ..common }).await?
            }
        };
        let found: u64 = proofs.iter().map(|proof| proof.found).sum();
        unnoticed += usize::from(found == 0);
        let sizes: Vec<_> = proofs.iter().map(Proof::size).collect();
        let outcome = if found == 0 { "NOT NOTICED" } else { "noticed" };
        let remark = format!("{name}: {outcome}, {}", sizes.join("; "));
        say(&format!("  {remark}"));
        remarks.push(remark);
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
