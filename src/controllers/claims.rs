//! Which object holds a thing in Glue when several are about the same one: the oldest, for as long as it is there.
//!
//! The watch says who is there and by what name ([`Claims::stand`]); a pass says where that is once the
//! credentials tell ([`Claims::settle`]). Nobody holds a contested thing before it is known where the older
//! ones are: after a restart the younger may come first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::glue::Glue;

/// How soon an open claim is asked for again.
pub const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Where in AWS a thing is.
pub trait Site: Clone + PartialEq {
    /// Whether both are one place; `None` while that cannot be told.
    fn is_same(&self, other: &Self) -> Option<bool>;
}

/// A region of an account; which account, once AWS has named it.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsPlace {
    /// As whom we are there.
    pub client: Glue,
    /// The account.
    pub account: Option<String>,
}

impl Site for AwsPlace {
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
pub enum Whereabouts<P> {
    /// No pass has found its credentials yet.
    Unknown,
    /// It has no credentials that work, and so holds nothing.
    Nowhere,
    /// There.
    At(P),
}

/// What an object may do about its thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim<W> {
    /// It holds it.
    Ours,
    /// An older object holds it.
    HeldBy(W),
    /// It is not known yet where an older object's thing is.
    Open,
}

/// Everybody who is about something, by its name in Glue; oldest first.
pub struct Claims<P, W> {
    by_name: Mutex<HashMap<String, Claimants<P, W>>>,
}

/// Those who are about things of one name.
type Claimants<P, W> = BTreeMap<(Timestamp, W), Whereabouts<P>>;

impl<P, W> Default for Claims<P, W> {
    fn default() -> Self {
        Self { by_name: Mutex::default() }
    }
}

impl<P: Site, W: Clone + Ord> Claims<P, W> {
    /// `who`, created at `created`, is about the thing `name`.
    pub fn stand(&self, name: &str, created: Timestamp, who: &W) {
        let mut by_name = self.by_name();
        by_name.entry(name.to_owned()).or_default().entry((created, who.clone())).or_insert(Whereabouts::Unknown);
    }

    /// It is known by now where that is. Answers who else may be concerned, when that is news.
    #[must_use]
    pub fn settle(&self, name: &str, created: Timestamp, who: &W, at: Whereabouts<P>) -> Vec<W> {
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
    pub fn of(&self, name: &str, created: Timestamp, who: &W, site: &P) -> Claim<W> {
        let by_name = self.by_name();
        let standing = by_name.get(name).filter(|claimants| claimants.contains_key(&(created, who.clone())));
        let Some(claimants) = standing else { return Claim::Open };
        let mut open = false;
        for ((_, older), at) in claimants.range(..(created, who.clone())) {
            match at {
                Whereabouts::Nowhere => {}
                Whereabouts::Unknown => open = true,
                Whereabouts::At(other) => match site.is_same(other) {
                    Some(true) => return Claim::HeldBy(older.clone()),
                    Some(false) => {}
                    None => open = true,
                },
            }
        }
        if open { Claim::Open } else { Claim::Ours }
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

    impl Site for Account {
        fn is_same(&self, other: &Self) -> Option<bool> {
            Some(self.0? == other.0?)
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const HERE: Account = Account(Some(1));

    fn two() -> Claims<Account, &'static str> {
        let claims = Claims::default();
        claims.stand("nightly", at(1), &"old");
        claims.stand("nightly", at(2), &"young");
        claims
    }

    #[test]
    fn nobody_goes_before_it_is_known_where_the_older_one_is() {
        let claims = two();
        assert_eq!(claims.of("nightly", at(2), &"young", &HERE), Claim::Open);
        assert_eq!(claims.of("nightly", at(1), &"old", &HERE), Claim::Ours);
        claims.stand("weekly", at(2), &"young");
        assert_eq!(claims.of("weekly", at(2), &"young", &HERE), Claim::Ours, "another thing");
    }

    #[test]
    fn the_older_one_holds_it_until_it_leaves() {
        let claims = two();
        assert_eq!(claims.settle("nightly", at(1), &"old", Whereabouts::At(HERE)), ["young"]);
        assert_eq!(claims.of("nightly", at(2), &"young", &HERE), Claim::HeldBy("old"));
        assert!(claims.settle("nightly", at(1), &"old", Whereabouts::At(HERE)).is_empty(), "no news");
        assert_eq!(claims.leave("nightly", &"old"), ["young"]);
        assert_eq!(claims.of("nightly", at(2), &"young", &HERE), Claim::Ours);
        assert!(claims.leave("nightly", &"young").is_empty());
        assert!(claims.settle("nightly", at(1), &"old", Whereabouts::At(HERE)).is_empty());
        assert_eq!(claims.of("nightly", at(1), &"old", &HERE), Claim::Open, "who has left holds nothing any more");
    }

    #[test]
    fn the_same_name_elsewhere_is_another_thing() {
        let claims = two();
        for (older, expected) in [
            (Whereabouts::At(Account(Some(2))), Claim::Ours),
            (Whereabouts::At(Account(None)), Claim::Open),
            (Whereabouts::Nowhere, Claim::Ours),
        ] {
            let _ = claims.settle("nightly", at(1), &"old", older);
            assert_eq!(claims.of("nightly", at(2), &"young", &HERE), expected);
        }
    }
}
