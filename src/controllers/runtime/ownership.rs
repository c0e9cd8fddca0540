//! Which object holds a thing in Glue when several are about the same one: the oldest, for as long as it is there.
//!
//! The watch says who is there and by what name ([`Owners::stand`]); a pass says where that is once the
//! credentials tell ([`Owners::settle`]). Nobody holds a contested thing before it is known where the older
//! ones are: after a restart the younger may come first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::glue::Glue;

/// How soon an open claim is asked for again.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Where in AWS a thing is.
pub trait Location: Clone + PartialEq {
    /// Whether both are one place; `None` while that cannot be told.
    fn is_same(&self, other: &Self) -> Option<bool>;
}

/// A region of an account; which account, once AWS has named it.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsLocation {
    /// As whom we are there.
    pub client: Glue,
    /// The account.
    pub account: Option<String>,
}

impl Location for AwsLocation {
    fn is_same(&self, other: &Self) -> Option<bool> {
        if self.client == other.client {
            return Some(true);
        }
        if self.client.identity().region != other.client.identity().region {
            return Some(false);
        }
        Some(self.account.as_ref()? == other.account.as_ref()?)
    }
}

/// Where an object's thing is, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimLocation<P> {
    /// No pass has found its credentials yet.
    Unresolved,
    /// It has no credentials that work, and so holds nothing.
    Unavailable,
    /// There.
    At(P),
}

/// What an object may do about its thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership<W> {
    /// It holds it.
    Owned,
    /// An older object holds it.
    OwnedBy(W),
    /// It is not known yet where an older object's thing is.
    Undetermined,
}

/// Everybody who is about something, by its name in Glue; oldest first.
pub struct Owners<P, W> {
    by_name: Mutex<HashMap<String, Claimants<P, W>>>,
}

/// Those who are about things of one name.
type Claimants<P, W> = BTreeMap<(Timestamp, W), ClaimLocation<P>>;

impl<P, W> Default for Owners<P, W> {
    fn default() -> Self {
        Self { by_name: Mutex::default() }
    }
}

impl<P: Location, W: Clone + Ord> Owners<P, W> {
    /// `who`, created at `created`, is about the thing `name`.
    pub fn stand(&self, name: &str, created: Timestamp, who: &W) {
        let mut by_name = self.by_name();
        by_name.entry(name.to_owned()).or_default().entry((created, who.clone())).or_insert(ClaimLocation::Unresolved);
    }

    /// It is known by now where that is. Answers who else may be concerned, when that is news.
    #[must_use]
    pub fn settle(&self, name: &str, created: Timestamp, who: &W, at: ClaimLocation<P>) -> Vec<W> {
        let mut by_name = self.by_name();
        let Some(claimants) = by_name.get_mut(name) else { return Vec::new() };
        // A pass may still be about an object that the watch has seen leave.
        let Some(known) = claimants.get_mut(&(created, who.clone())) else { return Vec::new() };
        if *known == at {
            return Vec::new();
        }
        *known = at;
        others(claimants, who)
    }

    /// `who` is not there any more. Answers who else may be concerned.
    #[must_use]
    pub fn leave(&self, name: &str, who: &W) -> Vec<W> {
        let mut by_name = self.by_name();
        let Some(claimants) = by_name.get_mut(name) else { return Vec::new() };
        claimants.retain(|(_, other), _| other != who);
        let left = others(claimants, who);
        if left.is_empty() {
            by_name.remove(name);
        }
        left
    }

    /// What `who`, whose thing `name` is at `site`, may do about it.
    #[must_use]
    pub fn of(&self, name: &str, created: Timestamp, who: &W, site: &P) -> Ownership<W> {
        let by_name = self.by_name();
        let standing = by_name.get(name).filter(|claimants| claimants.contains_key(&(created, who.clone())));
        let Some(claimants) = standing else { return Ownership::Undetermined };
        let mut open = false;
        for ((_, older), at) in claimants.range(..(created, who.clone())) {
            match at {
                ClaimLocation::Unavailable => {}
                ClaimLocation::Unresolved => open = true,
                ClaimLocation::At(other) => match site.is_same(other) {
                    Some(true) => return Ownership::OwnedBy(older.clone()),
                    Some(false) => {}
                    None => open = true,
                },
            }
        }
        if open { Ownership::Undetermined } else { Ownership::Owned }
    }

    fn by_name(&self) -> MutexGuard<'_, HashMap<String, Claimants<P, W>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn others<P, W: Clone + Ord>(claimants: &Claimants<P, W>, who: &W) -> Vec<W> {
    claimants.keys().map(|(_, other)| other).filter(|other| *other != who).cloned().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// An account, known or not.
    #[derive(Clone, Debug, PartialEq)]
    struct Account(Option<u8>);

    impl Location for Account {
        fn is_same(&self, other: &Self) -> Option<bool> {
            Some(self.0? == other.0?)
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const HERE: Account = Account(Some(1));

    fn two() -> Owners<Account, &'static str> {
        let owners = Owners::default();
        owners.stand("nightly", at(1), &"old");
        owners.stand("nightly", at(2), &"young");
        owners
    }

    #[test]
    fn nobody_goes_before_it_is_known_where_the_older_one_is() {
        let owners = two();
        assert_eq!(owners.of("nightly", at(2), &"young", &HERE), Ownership::Undetermined);
        assert_eq!(owners.of("nightly", at(1), &"old", &HERE), Ownership::Owned);
        owners.stand("weekly", at(2), &"young");
        assert_eq!(owners.of("weekly", at(2), &"young", &HERE), Ownership::Owned, "another thing");
    }

    #[test]
    fn the_older_one_holds_it_until_it_leaves() {
        let owners = two();
        assert_eq!(owners.settle("nightly", at(1), &"old", ClaimLocation::At(HERE)), ["young"]);
        assert_eq!(owners.of("nightly", at(2), &"young", &HERE), Ownership::OwnedBy("old"));
        assert!(owners.settle("nightly", at(1), &"old", ClaimLocation::At(HERE)).is_empty(), "no news");
        assert_eq!(owners.leave("nightly", &"old"), ["young"]);
        assert_eq!(owners.of("nightly", at(2), &"young", &HERE), Ownership::Owned);
        assert!(owners.leave("nightly", &"young").is_empty());
        assert!(owners.settle("nightly", at(1), &"old", ClaimLocation::At(HERE)).is_empty());
        assert_eq!(
            owners.of("nightly", at(1), &"old", &HERE),
            Ownership::Undetermined,
            "who has left holds nothing any more"
        );
    }

    #[test]
    fn the_same_name_elsewhere_is_another_thing() {
        let owners = two();
        for (older, expected) in [
            (ClaimLocation::At(Account(Some(2))), Ownership::Owned),
            (ClaimLocation::At(Account(None)), Ownership::Undetermined),
            (ClaimLocation::Unavailable, Ownership::Owned),
        ] {
            let _ = owners.settle("nightly", at(1), &"old", older);
            assert_eq!(owners.of("nightly", at(2), &"young", &HERE), expected);
        }
    }
}
