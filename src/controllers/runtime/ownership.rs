//! Which object manages a Glue resource when several declare the same one: the oldest, for as long as it exists and AWS
//! accepts its credentials.
//!
//! The watch reports which resource each object declares ([`Owners::register`]). Each pass reports where its object's
//! resource is and what AWS has said of its credentials ([`Owners::observe`]), and learns who manages the resource. No
//! object manages a contested resource while an object that goes before it may manage it: after a restart a younger
//! object may be reconciled first. That ends: the account of a role is in its ARN, `GetCallerIdentity` names that of keys
//! or is refused, and an object about which AWS says nothing does not count for ever ([`Terms`]).
//!
//! An object that lapsed and recovered goes behind those that were there when it recovered, for [`Terms::regain`]. Then
//! the rule is again the oldest.
//!
//! Everything here is pure: time and what AWS has said are parameters.

pub mod location;
pub mod standing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

pub use self::location::{AwsLocation, Location};
pub use self::standing::{Standing, Terms};
use super::time::since;
use crate::glue::identity::Acceptance;

/// Whether an object manages its resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ownership<W> {
    /// It does.
    Owned,
    /// Another object does.
    OwnedBy {
        /// That object.
        owner: W,
        /// For how long at the most, when that depends on time alone.
        at_most: Option<Duration>,
        /// Whether the object is the older one: it lapsed before, and has to wait to get the resource back.
        regaining: bool,
    },
    /// It is not known whether this object, which goes before it, does.
    Undetermined {
        /// That object.
        other: W,
        /// What is not known.
        unknown: Unknown,
        /// For how long the object has waited for this.
        waited: Duration,
    },
    /// AWS does not accept the object's credentials, and others may declare the resource: it manages nothing until AWS
    /// accepts them.
    Lapsed {
        /// The object that manages the resource, when that is known.
        manager: Option<W>,
    },
    /// The object was deleted, or replaced by another of its name: nothing is decided about it.
    Unregistered,
}

/// What is not known of two objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The other object was not reconciled yet.
    Unreconciled,
    /// The account of the other object.
    OtherAccount,
    /// The object's own account.
    OwnAccount,
    /// Whether AWS accepts the credentials of the other object, which is in the same account.
    Acceptance,
}

/// What a pass learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict<W> {
    /// Whether the object manages its resource.
    pub ownership: Ownership<W>,
    /// Whether the object waited until now to become the owner.
    pub is_new_owner: bool,
    /// Other objects whose ownership may have changed.
    pub wake: Vec<W>,
}

/// The objects `W` that declare resources at locations `P`, by the resource's name in Glue.
pub struct Owners<P, W> {
    state: Mutex<State<P, W>>,
}

struct State<P, W> {
    by_name: HashMap<String, Claims<P, W>>,
    /// The name that each object declares.
    names: HashMap<W, String>,
}

/// The objects that declare resources of one name.
type Claims<P, W> = BTreeMap<W, Claim<P, W>>;

/// That an object declares a resource.
struct Claim<P, W> {
    uid: String,
    created: Timestamp,
    /// Where the resource is; `None` before the first pass, and for an object without credentials.
    location: Option<P>,
    /// Whether the object had credentials in its last pass; the location is that of its last credentials.
    has_credentials: bool,
    standing: Standing,
    /// The object that it waits for, since then.
    waits_for: Option<(W, Timestamp)>,
    /// Whether it lapsed and knows of no manager: it depends on every other object.
    depends_on_all: bool,
}

impl<P, W: PartialEq> Claim<P, W> {
    fn waits_for(&self, other: &W) -> bool {
        self.depends_on_all || self.waits_for.as_ref().is_some_and(|(waits_for, _)| waits_for == other)
    }
}

impl<P: Location, W> Claim<P, W> {
    /// Whether both are about one resource; `None` while that is not known.
    fn is_same(&self, other: &Self) -> Option<bool> {
        self.location.as_ref()?.is_same(other.location.as_ref()?)
    }

    /// Takes in what is known by `now`. Whether that is news.
    fn learn(&mut self, location: Option<P>, acceptance: Acceptance, now: Timestamp, terms: Terms) -> bool {
        let moved =
            self.location.as_ref().zip(location.as_ref()).is_some_and(|(old, new)| old.is_same(new) == Some(false));
        let standing = if moved { Standing::Untried(now) } else { self.standing };
        let standing = standing.after(acceptance, now, terms);
        // An object that has no credentials any more still goes before others where its resource was.
        let is_news = standing != self.standing || location.is_some() && location != self.location;
        self.standing = standing;
        self.location = location.or(self.location.take());
        is_news
    }
}

impl<P, W> Default for Owners<P, W> {
    fn default() -> Self {
        Self { state: Mutex::new(State { by_name: HashMap::new(), names: HashMap::new() }) }
    }
}

impl<P: Location, W: Clone + Ord + Hash> Owners<P, W> {
    /// The object with this uid, created at `created`, declares the resource `name`. What was known of another object of
    /// its name is forgotten. Returns the objects that waited for that one.
    #[must_use]
    pub fn register(&self, name: &str, object: &W, uid: &str, created: Timestamp, now: Timestamp) -> Vec<W> {
        let mut state = self.state();
        let known = state
            .names
            .get(object)
            .filter(|known| *known == name)
            .and_then(|name| state.by_name.get(name)?.get(object));
        if known.is_some_and(|known| known.uid == uid) {
            return Vec::new();
        }
        let waiting = state.remove(object);
        let standing = Standing::Untried(now);
        let uid = uid.to_owned();
        let claim = Claim {
            uid,
            created,
            location: None,
            has_credentials: false,
            standing,
            waits_for: None,
            depends_on_all: false,
        };
        state.by_name.entry(name.to_owned()).or_default().insert(object.clone(), claim);
        state.names.insert(object.clone(), name.to_owned());
        waiting
    }

    /// The object with this uid was deleted. Returns the objects that waited for it.
    #[must_use]
    pub fn remove(&self, object: &W, uid: &str) -> Vec<W> {
        let mut state = self.state();
        let known = state.names.get(object).and_then(|name| state.by_name.get(name)?.get(object));
        if known.is_some_and(|known| known.uid == uid) { state.remove(object) } else { Vec::new() }
    }

    /// A pass over the object: its resource is at `location`, `None` without credentials, and AWS has said `acceptance`
    /// of its credentials. `refreshed` is what is known by now of the location of another object.
    #[must_use]
    pub fn observe(
        &self,
        (object, uid): (&W, &str),
        (location, acceptance): (Option<P>, Acceptance),
        refreshed: impl Fn(&P) -> (P, Acceptance),
        now: Timestamp,
        terms: Terms,
    ) -> Verdict<W> {
        let mut state = self.state();
        let State { by_name, names } = &mut *state;
        let claims = names.get(object).and_then(|name| by_name.get_mut(name));
        let claims = claims.filter(|claims| claims.get(object).is_some_and(|own| own.uid == uid));
        // The pass may work on an object whose deletion the watch has reported already.
        let Some(claims) = claims else {
            return Verdict { ownership: Ownership::Unregistered, is_new_owner: false, wake: Vec::new() };
        };
        let mut news = Vec::new();
        for (other, claim) in claims.iter_mut() {
            let (location, acceptance) = if other == object {
                claim.has_credentials = location.is_some();
                (location.clone(), acceptance)
            } else {
                let current = claim.location.as_ref().filter(|_| claim.has_credentials);
                current.map(&refreshed).map_or((None, Acceptance::Unknown), |(at, said)| (Some(at), said))
            };
            if claim.learn(location, acceptance, now, terms) {
                news.push(other.clone());
            }
        }
        let ownership = ownership(claims, object, now, terms);
        let waits_for = match &ownership {
            Ownership::OwnedBy { owner: other, .. } | Ownership::Undetermined { other, .. } => Some(other),
            Ownership::Lapsed { manager } => manager.as_ref(),
            Ownership::Owned | Ownership::Unregistered => None,
        };
        let waits_for = waits_for.cloned();
        let mut is_new_owner = false;
        if let Some(own) = claims.get_mut(object) {
            is_new_owner = own.waits_for.is_some() && ownership == Ownership::Owned;
            let from = own.waits_for.as_ref().map_or(now, |(_, from)| *from);
            own.waits_for = waits_for.map(|other| (other, from));
            own.depends_on_all = ownership == Ownership::Lapsed { manager: None };
        }
        Verdict { ownership, is_new_owner, wake: affected(claims, object, &news) }
    }

    fn state(&self) -> MutexGuard<'_, State<P, W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P, W: Clone + Ord + Hash> State<P, W> {
    fn remove(&mut self, object: &W) -> Vec<W> {
        let Some(name) = self.names.remove(object) else { return Vec::new() };
        let Some(claims) = self.by_name.get_mut(&name) else { return Vec::new() };
        claims.remove(object);
        let waiting =
            claims.iter().filter(|(_, claim)| claim.waits_for(object)).map(|(other, _)| other.clone()).collect();
        if claims.is_empty() {
            self.by_name.remove(&name);
        }
        waiting
    }
}

/// Whether the object manages its resource.
fn ownership<P: Location, W: Clone + Ord>(
    claims: &Claims<P, W>,
    object: &W,
    now: Timestamp,
    terms: Terms,
) -> Ownership<W> {
    let Some(own) = claims.get(object) else { return Ownership::Unregistered };
    let rank = |of: &W, claim: &Claim<P, W>| (claim.standing.seniority(claim.created), of.clone());
    let others = claims.iter().filter(|(other, claim)| *other != object && claim.standing.counts(now, terms));
    let mut others: Vec<_> = others
        .filter_map(|(other, claim)| match own.is_same(claim) {
            Some(false) => None,
            is_same => Some((rank(other, claim), other, claim, is_same)),
        })
        .collect();
    others.sort_by(|(rank, ..), (other, ..)| rank.cmp(other));
    let is_manager = |claim: &Claim<P, W>| !matches!(claim.standing, Standing::Untried(_));
    if !own.standing.counts(now, terms) {
        let is_alone = claims.iter().all(|(other, claim)| other == object || own.is_same(claim) == Some(false));
        if is_alone {
            return Ownership::Owned;
        }
        let manager = others.iter().find(|(_, _, claim, is_same)| *is_same == Some(true) && is_manager(claim));
        return Ownership::Lapsed { manager: manager.map(|(_, other, ..)| (*other).clone()) };
    }
    let own_rank = rank(object, own);
    others.retain(|(rank, ..)| *rank < own_rank);
    if let Some((_, owner, claim, _)) =
        others.iter().find(|(_, _, claim, is_same)| *is_same == Some(true) && is_manager(claim))
    {
        let changes = [own, claim].into_iter().filter_map(|claim| claim.standing.changes_in(now, terms));
        let regaining = (own.created, object) < (claim.created, *owner);
        return Ownership::OwnedBy { owner: (*owner).clone(), at_most: changes.min(), regaining };
    }
    let Some((_, other, claim, is_same)) = others.into_iter().next() else { return Ownership::Owned };
    let unknown = match &claim.location {
        _ if is_same == Some(true) => Unknown::Acceptance,
        None => Unknown::Unreconciled,
        Some(at) if !at.is_known() => Unknown::OtherAccount,
        Some(_) => Unknown::OwnAccount,
    };
    let waited = own.waits_for.as_ref().map_or(Duration::ZERO, |(_, from)| since(now, *from));
    Ownership::Undetermined { other: other.clone(), unknown, waited }
}

/// The objects whose ownership may change by the `news` of others; `object` itself asks in this moment.
fn affected<P: Location, W: Clone + Ord>(claims: &Claims<P, W>, object: &W, news: &[W]) -> Vec<W> {
    let is_affected = |(other, claim): &(&W, &Claim<P, W>)| {
        news.contains(other)
            || news.iter().any(|changed| {
                let may_be_same = |changed: &Claim<P, W>| claim.is_same(changed) != Some(false);
                claim.waits_for(changed) || claims.get(changed).is_some_and(may_be_same)
            })
    };
    let others = claims.iter().filter(|(other, _)| *other != object);
    others.filter(is_affected).map(|(other, _)| other.clone()).collect()
}
