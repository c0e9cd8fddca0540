//! Properties of ownership over any order of events.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Event {
    Create(usize),
    Delete(usize),
    Account(usize),
    Credentials(usize, bool),
    Answer(usize, bool),
    Time(i64),
}

fn event() -> impl Strategy<Value = Event> {
    let object = 0..4_usize;
    prop_oneof![
        1 => object.clone().prop_map(Event::Create),
        1 => object.clone().prop_map(Event::Delete),
        2 => object.clone().prop_map(Event::Account),
        1 => (object.clone(), any::<bool>()).prop_map(|(object, has)| Event::Credentials(object, has)),
        5 => (object, any::<bool>()).prop_map(|(object, accepted)| Event::Answer(object, accepted)),
        3 => prop_oneof![Just(1), Just(59), Just(60), Just(299), Just(300), Just(600)].prop_map(Event::Time),
    ]
}

fn apply(model: &mut Model, event: Event) {
    match event {
        Event::Create(object) => model.create(object),
        Event::Delete(object) => model.delete(object),
        Event::Account(object) => {
            model.truths[object].account_known = true;
            model.pass([object]);
        }
        Event::Credentials(object, has) => {
            model.truths[object].has_credentials = has;
            model.pass([object]);
        }
        Event::Answer(object, true) => model.answer(object, Accepted),
        Event::Answer(object, false) => model.answer(object, Refused),
        Event::Time(seconds) => model.pass_time(seconds),
    }
}

/// What an object does by a verdict: which it is, and the object that its conditions name.
fn decision(ownership: &Ownership<usize>) -> (u8, Option<usize>) {
    match ownership {
        Ownership::Owned => (0, None),
        Ownership::OwnedBy { owner, .. } => (1, Some(*owner)),
        Ownership::Undetermined { other, .. } => (2, Some(*other)),
        Ownership::Lapsed { manager } => (3, *manager),
        Ownership::Unregistered => (4, None),
    }
}

proptest! {
    #[test]
    fn no_resource_has_two_owners_and_not_knowing_ends(
        accounts in prop::collection::vec(1..=2_u8, 4),
        events in prop::collection::vec(event(), 0..30),
    ) {
        let mut model = Model::new(&accounts);
        for event in events {
            apply(&mut model, event);
            for object in 0..accounts.len() {
                let Some(last) = model.last[object].clone() else { continue };
                // Whoever must know of a change was woken, and nobody waits for itself.
                prop_assert_eq!(decision(&model.observe(object).ownership), decision(&last), "{} {:?}", object, event);
                prop_assert_ne!(decision(&last).1, Some(object));
            }
            for account in 1..=2 {
                let owners = model.owners_of(account);
                prop_assert!(owners.len() <= 1, "{:?} own the resource of account {}", owners, account);
            }
        }
        // AWS answers about every object: each resource gets the oldest of those that AWS accepts.
        for object in 0..accounts.len() {
            let acceptance = if model.truths[object].has_credentials { Accepted } else { Refused };
            model.truths[object].account_known = true;
            model.answer(object, acceptance);
        }
        for _ in 0..3 {
            model.pass_time(600);
        }
        for account in 1..=2 {
            let can_own = |object: &usize| {
                let truth = model.truths[*object];
                model.exists[*object].is_some() && truth.account == account && truth.has_credentials
            };
            let expected: Vec<_> = (0..accounts.len()).filter(can_own).take(1).collect();
            let owners = model.owners_of(account).into_iter().filter(can_own).collect::<Vec<_>>();
            prop_assert_eq!(owners, expected);
        }
        for ownership in model.last.iter().flatten() {
            prop_assert!(!matches!(ownership, Ownership::Undetermined { .. }), "{:?}", ownership);
        }
    }
}
