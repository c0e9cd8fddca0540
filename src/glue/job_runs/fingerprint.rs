//! What a search keeps of a run's arguments: hashes, since the arguments may contain secrets. Pure.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use super::{RunMatcher, parse_attempt_key};

/// The key of the hashes of this process.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Stands for the arguments of a run. Different arguments may have the same, so it only narrows a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fingerprint {
    /// The base of the key that the run carries.
    Key(u64),
    /// Each argument: its name, and its name and value.
    Arguments(Box<[(u64, u64)]>),
}

impl Fingerprint {
    /// That of a run with these arguments; `None` when no matcher can match it. `key_argument` is the argument that
    /// carries a run's key, if runs carry one; `triggered` when a trigger started the run.
    pub(crate) fn of(arguments: &HashMap<String, String>, triggered: bool, key_argument: Option<&str>) -> Option<Self> {
        match key_argument {
            Some(name) => Some(Self::of_base(parse_attempt_key(arguments.get(name)?)?.0)),
            None if triggered => None,
            None => Some(Self::Arguments(arguments.iter().map(|(name, value)| hashes(name, value)).collect())),
        }
    }

    /// That of a run whose key has this base.
    pub(crate) fn of_base(base: &str) -> Self {
        Self::Key(HASHES.hash_one(base))
    }
}

/// Whether a run with a fingerprint may satisfy `matcher`.
pub(super) fn recognizer(matcher: &RunMatcher) -> impl Fn(&Fingerprint) -> bool + use<> {
    let (key, literal, from) = match matcher {
        RunMatcher::Argument { base, .. } => (Some(Fingerprint::of_base(base)), HashSet::new(), HashSet::new()),
        RunMatcher::Arguments { literal, from } => (
            None,
            literal.iter().map(|(name, value)| hashes(name, value)).collect(),
            from.iter().map(|name| HASHES.hash_one(name.as_str())).collect(),
        ),
    };
    move |fingerprint| match fingerprint {
        Fingerprint::Key(_) => key.as_ref() == Some(fingerprint),
        Fingerprint::Arguments(arguments) => {
            let others = arguments.iter().filter(|(name, _)| !from.contains(name)).count();
            let found = arguments.iter().filter(|argument| literal.contains(argument)).count();
            key.is_none() && others == literal.len() && found == literal.len()
        }
    }
}

fn hashes(name: &str, value: &str) -> (u64, u64) {
    (HASHES.hash_one(name), HASHES.hash_one((name, value)))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::glue::job_runs::RunMatch;

    #[test]
    fn a_run_that_satisfies_a_matcher_is_recognized() {
        let by_key = |base: &str| RunMatcher::Argument { name: "--key".to_owned(), base: base.to_owned() };
        let by_arguments = |literal: &[(&str, &str)], from: &[&str]| RunMatcher::Arguments {
            literal: literal
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
            from: from.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
        };
        let day = [("--day", "1")];
        for (run, triggered, matcher, expected) in [
            (vec![("--key", "a/b/3"), day[0]], true, by_key("a/b"), Some(RunMatch::Attempt(3))),
            (vec![("--key", "a/b/3")], false, by_key("a"), None),
            (vec![("--other", "a/3")], false, by_key("a"), None),
            (vec![day[0]], false, by_arguments(&day, &[]), Some(RunMatch::Arguments)),
            (vec![day[0]], true, by_arguments(&day, &[]), None),
            (vec![day[0], ("--more", "2")], false, by_arguments(&day, &[]), None),
            (vec![day[0], ("--more", "2")], false, by_arguments(&day, &["--more"]), Some(RunMatch::Arguments)),
            (vec![day[0]], false, by_arguments(&day, &["--more"]), Some(RunMatch::Arguments)),
            (vec![("--day", "2")], false, by_arguments(&day, &[]), None),
            (vec![], false, by_arguments(&[], &[]), Some(RunMatch::Arguments)),
        ] {
            let run: HashMap<_, _> =
                run.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let key_argument = matches!(matcher, RunMatcher::Argument { .. }).then_some("--key");
            let fingerprint = Fingerprint::of(&run, triggered, key_argument);
            let is_recognized = fingerprint.is_some_and(|fingerprint| recognizer(&matcher)(&fingerprint));
            assert_eq!(matcher.satisfied_by(&run, triggered), expected, "{run:?}");
            assert_eq!(is_recognized, expected.is_some(), "{run:?}");
        }
    }
}
