//! How many AWS clients the objects of one namespace may have at once. Pure.

use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;

/// Where one more client goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place<K> {
    /// There are fewer than the namespace may have.
    Free,
    /// The place of this one, which nobody needs now.
    Of(K),
    /// All are needed.
    None,
}

/// The place of one more client in a namespace that has the clients of `existing`, each with the time of its last use and
/// whether somebody needs it now, and that may have `most`. Of those that nobody needs, the one goes whose last use is the
/// longest ago.
pub(super) fn place_for_one_more<K, T: Ord>(existing: impl Iterator<Item = (K, T, bool)>, most: usize) -> Place<K> {
    let existing: Vec<_> = existing.collect();
    if existing.len() < most {
        return Place::Free;
    }
    let idle = existing.into_iter().filter(|(_, _, is_needed)| !is_needed);
    idle.min_by(|(_, one, _), (_, other, _)| one.cmp(other)).map_or(Place::None, |(oldest, _, _)| Place::Of(oldest))
}

/// Why an object has no client.
pub(super) fn too_many(namespace: &str, most: usize) -> Problem {
    let message = format!(
        "the objects of namespace {namespace} use {most} different regions and credentials now, as many as the operator of \
         kube-glue allows (--max-identities-per-namespace): this object waits until one of them is not needed any more; give \
         several objects the same spec.region and spec.credentials"
    );
    Problem::new(Reason::TooManyIdentities, message)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What a namespace does.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// An object asks for a client.
        Ask(u8),
        /// A run that needs a client begins.
        Begin(u8),
        /// It ends.
        End(u8),
    }

    fn step() -> impl Strategy<Value = Step> {
        (0..3_u8, 0..12_u8).prop_map(|(what, client)| match what {
            0 => Step::Ask(client),
            1 => Step::Begin(client),
            _ => Step::End(client),
        })
    }

    proptest! {
        #[test]
        fn no_namespace_has_more_clients_than_it_may_and_none_that_is_needed_goes(
            steps in prop::collection::vec(step(), 1..200), most in 1..6_usize,
        ) {
            // The last use, and whether it is needed.
            let mut clients: BTreeMap<u8, (usize, bool)> = BTreeMap::new();
            for (now, step) in steps.into_iter().enumerate() {
                let before = clients.clone();
                match step {
                    Step::Ask(client) if !clients.contains_key(&client) => {
                        let existing = clients.iter().map(|(client, (used, needed))| (*client, *used, *needed));
                        match place_for_one_more(existing, most) {
                            Place::Free => {}
                            Place::Of(oldest) => drop(clients.remove(&oldest)),
                            Place::None => {
                                prop_assert!(clients.len() == most && clients.values().all(|(_, needed)| *needed));
                                continue;
                            }
                        }
                        clients.insert(client, (now, false));
                    }
                    Step::Ask(client) => drop(clients.entry(client).and_modify(|(used, _)| *used = now)),
                    Step::Begin(client) => drop(clients.entry(client).and_modify(|(_, needed)| *needed = true)),
                    Step::End(client) => drop(clients.entry(client).and_modify(|(_, needed)| *needed = false)),
                }
                prop_assert!(clients.len() <= most);
                let gone: Vec<_> = before.iter().filter(|(client, _)| !clients.contains_key(client)).collect();
                prop_assert!(gone.len() <= 1, "one at a time");
                for (_, (used, needed)) in gone {
                    let is_oldest = before.values().filter(|(_, needed)| !needed).all(|(other, _)| used <= other);
                    prop_assert!(!needed && is_oldest, "the one whose last use is the longest ago");
                }
            }
        }
    }
}
