//! Which object manages a Glue resource when several declare the same one: the oldest, for as long as it exists.
//!
//! The watch reports which resource each object declares ([`Owners::register`]); a pass adds the account and region once
//! the credentials are resolved ([`Owners::locate`]). No object manages a contested resource before the locations of the
//! older objects are known: after a restart a younger object may be reconciled first.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::glue::Glue;

/// How soon an undetermined ownership is determined again.
pub const DETERMINE_AGAIN: Duration = Duration::from_secs(1);

/// Where in AWS a resource is.
pub trait Location: Clone + PartialEq {
    /// Whether both are the same account and region; `None` while that is not known.
    fn is_same(&self, other: &Self) -> Option<bool>;
}

/// A region of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct AwsLocation {
    /// The client, which has the region.
    pub client: Glue,
    /// The account, once STS has named it.
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

/// Where the resource of an object is, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimLocation<P> {
    /// No pass has resolved the credentials yet.
    Unresolved,
    /// The object has no usable credentials, and so manages nothing.
    Unavailable,
    /// There.
    At(P),
}

/// Whether an object manages its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership<W> {
    /// It does.
    Owned,
    /// This older object does.
    OwnedBy(W),
    /// The location of an older object's resource is not known yet.
    Undetermined,
}

/// The objects `W` that declare a resource, by its name in Glue; oldest first.
pub struct Owners<P, W> {
    by_name: Mutex<HashMap<String, Claims<P, W>>>,
}

/// The objects that declare resources of one name.
type Claims<P, W> = BTreeMap<(Timestamp, W), ClaimLocation<P>>;

impl<P, W> Default for Owners<P, W> {
    fn default() -> Self {
        Self { by_name: Mutex::default() }
    }
}

impl<P: Location, W: Clone + Ord> Owners<P, W> {
    /// The object, created at `created`, declares the resource `name`.
    pub fn register(&self, name: &str, created: Timestamp, object: &W) {
        let mut by_name = self.by_name();
        by_name
            .entry(name.to_owned())
            .or_default()
            .entry((created, object.clone()))
            .or_insert(ClaimLocation::Unresolved);
    }

    /// The location of the object's resource is known now. Returns the other objects of that name when it is news.
    #[must_use]
    pub fn locate(&self, name: &str, created: Timestamp, object: &W, at: ClaimLocation<P>) -> Vec<W> {
        let mut by_name = self.by_name();
        let Some(claims) = by_name.get_mut(name) else { return Vec::new() };
        // The pass may work on an object whose deletion the watch has reported already.
        let Some(known) = claims.get_mut(&(created, object.clone())) else { return Vec::new() };
        if *known == at {
            return Vec::new();
        }
        *known = at;
        others(claims, object)
    }

    /// The object was deleted. Returns the other objects of that name.
    #[must_use]
    pub fn remove(&self, name: &str, object: &W) -> Vec<W> {
        let mut by_name = self.by_name();
        let Some(claims) = by_name.get_mut(name) else { return Vec::new() };
        claims.retain(|(_, other), _| other != object);
        let left = others(claims, object);
        if left.is_empty() {
            by_name.remove(name);
        }
        left
    }

    /// Whether the object manages the resource `name` at `location`.
    #[must_use]
    pub fn ownership(&self, name: &str, created: Timestamp, object: &W, location: &P) -> Ownership<W> {
        let by_name = self.by_name();
        let registered = by_name.get(name).filter(|claims| claims.contains_key(&(created, object.clone())));
        let Some(claims) = registered else { return Ownership::Undetermined };
        let mut undetermined = false;
        for ((_, older), at) in claims.range(..(created, object.clone())) {
            match at {
                ClaimLocation::Unavailable => {}
                ClaimLocation::Unresolved => undetermined = true,
                ClaimLocation::At(other) => match location.is_same(other) {
                    Some(true) => return Ownership::OwnedBy(older.clone()),
                    Some(false) => {}
                    None => undetermined = true,
                },
            }
        }
        if undetermined { Ownership::Undetermined } else { Ownership::Owned }
    }

    fn by_name(&self) -> MutexGuard<'_, HashMap<String, Claims<P, W>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn others<P, W: Clone + Ord>(claims: &Claims<P, W>, object: &W) -> Vec<W> {
    claims.keys().map(|(_, other)| other).filter(|other| *other != object).cloned().collect()
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
        owners.register("nightly", at(1), &"old");
        owners.register("nightly", at(2), &"young");
        owners
    }

    #[test]
    fn no_object_owns_before_the_location_of_the_older_one_is_known() {
        let owners = two();
        assert_eq!(owners.ownership("nightly", at(2), &"young", &HERE), Ownership::Undetermined);
        assert_eq!(owners.ownership("nightly", at(1), &"old", &HERE), Ownership::Owned);
        owners.register("weekly", at(2), &"young");
        assert_eq!(owners.ownership("weekly", at(2), &"young", &HERE), Ownership::Owned, "another resource");
    }

    #[test]
    fn the_older_object_owns_the_resource_until_it_is_deleted() {
        let owners = two();
        assert_eq!(owners.locate("nightly", at(1), &"old", ClaimLocation::At(HERE)), ["young"]);
        assert_eq!(owners.ownership("nightly", at(2), &"young", &HERE), Ownership::OwnedBy("old"));
        assert!(owners.locate("nightly", at(1), &"old", ClaimLocation::At(HERE)).is_empty(), "no news");
        assert_eq!(owners.remove("nightly", &"old"), ["young"]);
        assert_eq!(owners.ownership("nightly", at(2), &"young", &HERE), Ownership::Owned);
        assert!(owners.remove("nightly", &"young").is_empty());
        assert!(owners.locate("nightly", at(1), &"old", ClaimLocation::At(HERE)).is_empty());
        assert_eq!(
            owners.ownership("nightly", at(1), &"old", &HERE),
            Ownership::Undetermined,
            "a deleted object owns nothing"
        );
    }

    #[test]
    fn the_same_name_in_another_account_is_another_resource() {
        let owners = two();
        for (older, expected) in [
            (ClaimLocation::At(Account(Some(2))), Ownership::Owned),
            (ClaimLocation::At(Account(None)), Ownership::Undetermined),
            (ClaimLocation::Unavailable, Ownership::Owned),
        ] {
            let _ = owners.locate("nightly", at(1), &"old", older);
            assert_eq!(owners.ownership("nightly", at(2), &"young", &HERE), expected);
        }
    }
}
