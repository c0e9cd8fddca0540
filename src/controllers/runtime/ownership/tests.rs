//! Tests of ownership: tables. (Properties: `properties`.)

mod properties;

use std::collections::VecDeque;

use jiff::SignedDuration;

use super::*;
use Acceptance::{Accepted, Refused};

const TERMS: Terms =
    Terms { lapse: Duration::from_mins(1), regain: Duration::from_mins(5), try_for: Duration::from_mins(10) };

/// The location of an object: its client, and the account once it is known.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    client: usize,
    account: Option<u8>,
}

impl Location for Place {
    fn is_same(&self, other: &Self) -> Option<bool> {
        if self.client == other.client { Some(true) } else { Some(self.account? == other.account?) }
    }

    fn is_known(&self) -> bool {
        self.account.is_some()
    }
}

/// What AWS would say of one object.
#[derive(Clone, Copy, Debug)]
struct Truth {
    account: u8,
    account_known: bool,
    has_credentials: bool,
    acceptance: Acceptance,
}

/// Objects that declare one resource. Object `n` is created at second `n`, as often as it is created.
struct Model {
    owners: Owners<Place, usize>,
    truths: Vec<Truth>,
    /// The generation of each object that exists: each creation has another uid.
    exists: Vec<Option<u32>>,
    created: u32,
    now: Timestamp,
    last: Vec<Option<Ownership<usize>>>,
}

impl Model {
    fn new(accounts: &[u8]) -> Self {
        let truth = |account: &u8| Truth {
            account: *account,
            account_known: false,
            has_credentials: true,
            acceptance: Acceptance::Unknown,
        };
        let mut model = Self {
            owners: Owners::default(),
            truths: accounts.iter().map(truth).collect(),
            exists: vec![None; accounts.len()],
            created: 0,
            now: at(1_000),
            last: vec![None; accounts.len()],
        };
        for object in 0..accounts.len() {
            model.create(object);
        }
        model
    }

    fn uid(&self, object: usize) -> String {
        self.exists[object].map(|uid| uid.to_string()).unwrap_or_default()
    }

    /// The watch delivers a new object of this name, with or without a deletion of the one before it.
    fn create(&mut self, object: usize) {
        self.created += 1;
        self.exists[object] = Some(self.created);
        let created = at(i64::try_from(object).unwrap());
        let woken = self.owners.register("db", &object, &self.uid(object), created, self.now);
        self.pass(woken.into_iter().chain([object]));
    }

    fn delete(&mut self, object: usize) {
        let woken = self.owners.remove(&object, &self.uid(object));
        self.exists[object] = None;
        self.last[object] = None;
        self.pass(woken);
    }

    fn known(&self, object: usize) -> (Place, Acceptance) {
        let truth = self.truths[object];
        let account = truth.account_known.then_some(truth.account);
        (Place { client: object, account }, truth.acceptance)
    }

    fn observe(&self, object: usize) -> Verdict<usize> {
        let truth = self.truths[object];
        let (place, acceptance) = self.known(object);
        let own = if truth.has_credentials { (Some(place), acceptance) } else { (None, Acceptance::Refused) };
        let refreshed = |place: &Place| self.known(place.client);
        self.owners.observe((&object, &self.uid(object)), own, refreshed, self.now, TERMS)
    }

    /// Passes over these objects, and over those that are woken by them.
    fn pass(&mut self, objects: impl IntoIterator<Item = usize>) {
        let mut queue: VecDeque<usize> = objects.into_iter().collect();
        for _ in 0..10_000 {
            let Some(object) = queue.pop_front() else { return };
            if self.exists[object].is_none() {
                continue;
            }
            let verdict = self.observe(object);
            self.last[object] = Some(verdict.ownership);
            queue.extend(verdict.wake);
        }
        panic!("the objects wake each other for ever");
    }

    fn pass_all(&mut self) {
        self.pass(0..self.exists.len());
    }

    fn pass_time(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.pass_all();
    }

    /// AWS names the account of the object and accepts or refuses its credentials.
    fn answer(&mut self, object: usize, acceptance: Acceptance) {
        self.truths[object].acceptance = acceptance;
        self.truths[object].account_known |= acceptance == Acceptance::Accepted;
        self.pass([object]);
    }

    fn of(&self, object: usize) -> &Ownership<usize> {
        self.last[object].as_ref().unwrap()
    }

    fn owners_of(&self, account: u8) -> Vec<usize> {
        let owns = |object: &usize| self.last[*object] == Some(Ownership::Owned);
        let is_there = |object: &usize| self.truths[*object].account == account && self.truths[*object].account_known;
        (0..self.exists.len()).filter(owns).filter(is_there).collect()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn owned_by(owner: usize) -> Ownership<usize> {
    Ownership::OwnedBy { owner, at_most: None, regaining: false }
}

fn undetermined(other: usize, unknown: Unknown) -> Ownership<usize> {
    Ownership::Undetermined { other, unknown, waited: Duration::ZERO }
}

#[test]
fn the_older_object_owns_the_resource_until_it_is_deleted() {
    let mut model = Model::new(&[1, 1]);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Owned, &undetermined(0, Unknown::OtherAccount)));
    model.answer(1, Accepted);
    assert_eq!(model.of(1), &undetermined(0, Unknown::OtherAccount));
    model.answer(0, Accepted);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Owned, &owned_by(0)));
    model.delete(0);
    assert_eq!(model.of(1), &Ownership::Owned);
    assert_eq!(model.observe(0).ownership, Ownership::Unregistered, "a pass over a deleted object");
}

#[test]
fn an_object_that_was_not_reconciled_holds_back_the_younger_ones() {
    let owners = Owners::<Place, usize>::default();
    assert!(owners.register("db", &0, "a", at(0), at(9)).is_empty());
    assert!(owners.register("db", &1, "b", at(1), at(9)).is_empty());
    let place = Place { client: 1, account: Some(1) };
    let verdict = owners.observe((&1, "b"), (Some(place), Accepted), |_| unreachable!(), at(9), TERMS);
    assert_eq!(verdict.ownership, undetermined(0, Unknown::Unreconciled));
    assert!(owners.register("other", &2, "c", at(2), at(9)).is_empty());
    let place = Place { client: 2, account: Some(1) };
    let verdict = owners.observe((&2, "c"), (Some(place), Accepted), |_| unreachable!(), at(9), TERMS);
    assert_eq!(verdict.ownership, Ownership::Owned, "another resource");
}

#[test]
fn the_terms_follow_from_the_settle_time() {
    assert_eq!(Terms::of(Duration::from_mins(1)), TERMS);
}

/// The watch shows each object again and again.
#[test]
fn an_object_that_is_shown_again_stays_the_owner_and_wakes_nobody() {
    let mut model = Model::new(&[1, 1]);
    model.answer(0, Accepted);
    model.answer(1, Accepted);
    assert!(model.owners.register("db", &0, &model.uid(0), at(0), model.now).is_empty());
    assert_eq!(model.observe(1).ownership, owned_by(0));
}

#[test]
fn the_end_of_an_object_wakes_those_that_wait_for_it_and_makes_one_of_them_a_new_owner() {
    let mut model = Model::new(&[1, 2, 1]);
    for object in 0..3 {
        model.answer(object, Accepted);
    }
    assert!(!model.observe(0).is_new_owner, "it has never waited");
    assert!(!model.observe(2).is_new_owner, "it waits");
    assert_eq!(model.owners.remove(&0, &model.uid(0)), [2], "the other account's waits for nobody");
    assert!(model.observe(2).is_new_owner);
    assert!(!model.observe(2).is_new_owner, "an earlier verdict said so");
}

#[test]
fn the_same_name_in_another_account_is_another_resource() {
    let mut model = Model::new(&[1, 2]);
    model.answer(0, Accepted);
    assert_eq!(model.of(1), &undetermined(0, Unknown::OwnAccount));
    model.answer(1, Accepted);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Owned, &Ownership::Owned));
}

#[test]
fn an_object_with_keys_that_aws_does_not_know_owns_nothing() {
    let mut model = Model::new(&[1, 1]);
    model.answer(1, Accepted);
    model.answer(0, Refused);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Lapsed { manager: None }, &Ownership::Owned));
    // The same without any credentials.
    let mut model = Model::new(&[1, 1]);
    model.truths[0].has_credentials = false;
    model.answer(1, Accepted);
    model.pass([0]);
    assert_eq!(model.of(1), &Ownership::Owned);
}

#[test]
fn an_object_alone_is_the_owner_whatever_aws_says() {
    let mut model = Model::new(&[1]);
    for acceptance in [Refused, Accepted, Refused] {
        model.answer(0, acceptance);
        model.pass_time(1_000);
        assert_eq!(model.of(0), &Ownership::Owned);
    }
}

#[test]
fn a_role_that_was_never_assumed_owns_nothing_although_its_account_is_known() {
    let mut model = Model::new(&[1, 1]);
    model.truths[0].account_known = true;
    model.truths[1].account_known = true;
    model.pass_all();
    assert_eq!(model.of(1), &undetermined(0, Unknown::Acceptance), "it may be assumed in a moment");
    model.answer(0, Refused);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Lapsed { manager: None }, &Ownership::Owned));
    model.answer(1, Accepted);
    assert_eq!(model.of(0), &Ownership::Lapsed { manager: Some(1) });
}

#[test]
fn an_object_of_which_aws_says_nothing_does_not_count_for_ever() {
    let mut model = Model::new(&[1, 1]);
    model.answer(1, Accepted);
    model.pass_time(599);
    assert!(matches!(model.of(1), Ownership::Undetermined { other: 0, waited, .. } if waited.as_secs() == 599));
    model.pass_time(1);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Lapsed { manager: None }, &Ownership::Owned));
    // It had no answer, and so was not refused: it is the owner with the first one.
    model.answer(0, Accepted);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Owned, &owned_by(0)));
}

#[test]
fn a_refusal_counts_once_it_has_lasted_and_so_does_the_recovery() {
    let mut model = Model::new(&[1, 1]);
    model.answer(0, Accepted);
    model.answer(1, Accepted);
    // Credentials that come and go change nothing.
    for _ in 0..20 {
        model.answer(0, Refused);
        assert_eq!(model.owners_of(1), [0]);
        model.pass_time(50);
        model.answer(0, Accepted);
        assert_eq!(model.owners_of(1), [0]);
    }
    model.answer(0, Refused);
    model.pass_time(59);
    let at_most = Some(Duration::from_secs(1));
    assert_eq!(model.of(1), &Ownership::OwnedBy { owner: 0, at_most, regaining: false });
    model.pass_time(1);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Lapsed { manager: Some(1) }, &Ownership::Owned));
    // Nor do they once the younger object manages the resource.
    for _ in 0..20 {
        model.answer(0, Accepted);
        let at_most = Some(Duration::from_mins(5));
        assert_eq!(model.of(0), &Ownership::OwnedBy { owner: 1, at_most, regaining: true });
        model.pass_time(299);
        assert_eq!(model.owners_of(1), [1]);
        model.answer(0, Refused);
        assert_eq!(model.owners_of(1), [1]);
    }
    model.answer(0, Accepted);
    model.pass_time(300);
    assert_eq!((model.of(0), model.of(1)), (&Ownership::Owned, &owned_by(0)), "the oldest, again");
}

#[test]
fn an_object_that_recovered_goes_before_those_that_were_created_afterwards() {
    let owners = Owners::<Place, usize>::default();
    let place = |client| Place { client, account: Some(1) };
    let observe = |object: usize, acceptance, second| {
        let own = (Some(place(object)), acceptance);
        owners.observe((&object, "uid"), own, |place| (place.clone(), Acceptance::Unknown), at(second), TERMS).ownership
    };
    let _ = owners.register("db", &0, "uid", at(0), at(0));
    assert_eq!(observe(0, Refused, 1), Ownership::Owned);
    assert_eq!(observe(0, Accepted, 10), Ownership::Owned);
    let _ = owners.register("db", &1, "uid", at(11), at(11));
    assert_eq!(observe(1, Accepted, 12), owned_by_at_most(0, 298));
    assert_eq!(observe(0, Accepted, 12), Ownership::Owned);
}

fn owned_by_at_most(owner: usize, seconds: u64) -> Ownership<usize> {
    Ownership::OwnedBy { owner, at_most: Some(Duration::from_secs(seconds)), regaining: false }
}

#[test]
fn an_object_that_was_created_again_while_the_watch_was_down_does_not_wait_for_itself() {
    let mut model = Model::new(&[1]);
    model.answer(0, Accepted);
    let before = model.uid(0);
    // The list shows the new object; no event reported the deletion of the old one.
    model.create(0);
    assert_eq!(model.of(0), &Ownership::Owned);
    assert!(model.owners.remove(&0, &before).is_empty(), "a late deletion is not about the new object");
    assert_eq!(model.observe(0).ownership, Ownership::Owned);
    // It may declare another resource than before.
    let mut model = Model::new(&[1, 1]);
    model.answer(0, Accepted);
    let woken = model.owners.register("other", &0, "new", at(500), model.now);
    assert_eq!(woken, [1]);
    model.pass(woken);
    assert_eq!(model.of(1), &Ownership::Owned);
}
