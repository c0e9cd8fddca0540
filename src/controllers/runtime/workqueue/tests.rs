use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn name(namespace: usize, number: usize) -> Name {
    (format!("ns-{namespace}"), format!("run-{number}"))
}

fn rank(created: i64) -> Rank {
    Rank::new(false, Timestamp::from_second(created).unwrap_or_default())
}

/// Takes all that may be reconciled now.
fn take(queue: &mut Workqueue) -> Vec<Name> {
    std::iter::from_fn(|| queue.pop()).collect()
}

#[test]
fn deletions_come_first_and_then_the_oldest() {
    let mut queue = Workqueue::default();
    for (number, created) in [(1, 30), (2, 10), (3, 20)] {
        queue.add(&name(0, number), rank(created));
    }
    let deleted = Rank::new(true, Timestamp::from_second(99).unwrap_or_default());
    queue.add(&name(0, 4), rank(99));
    queue.add(&name(0, 4), deleted);
    assert_eq!((queue.depth(), queue.active()), (4, 0));
    assert_eq!(take(&mut queue), [4, 2, 3, 1].map(|number| name(0, number)));
    assert_eq!((queue.depth(), queue.active()), (0, 4));
}

#[test]
fn namespaces_take_turns() {
    let mut queue = Workqueue::default();
    for number in 0..3 {
        queue.add(&name(0, number), rank(0));
    }
    queue.add(&name(1, 0), rank(9));
    assert_eq!(take(&mut queue), [name(0, 0), name(1, 0), name(0, 1), name(0, 2)]);
}

#[test]
fn namespaces_whose_passes_hang_keep_no_other_waiting() {
    let mut queue = Workqueue::default();
    for namespace in 0..3 {
        for number in 0..1000 {
            queue.add(&name(namespace, number), rank(0));
        }
    }
    assert_eq!(take(&mut queue).len(), MOST_PASSES);
    for (number, created) in (0..100).zip(50..) {
        queue.add(&name(9, number), rank(created));
    }
    let first = take(&mut queue);
    assert_eq!(first, [name(9, 0), name(9, 1)]);
    queue.done(&first[0]);
    assert_eq!(take(&mut queue), [name(9, 2)]);

    let mut alone = Workqueue::default();
    for number in 0..1000 {
        alone.add(&name(0, number), rank(0));
    }
    assert_eq!(take(&mut alone).len(), MOST_OF_NAMESPACE);
}

#[test]
fn an_object_that_changes_during_its_pass_gets_one_more() {
    let mut queue = Workqueue::default();
    let object = name(0, 0);
    queue.add(&object, rank(0));
    queue.add(&object, rank(0));
    assert_eq!(take(&mut queue), std::slice::from_ref(&object));
    for _ in 0..3 {
        queue.add(&object, rank(0));
        assert_eq!(queue.pop(), None, "one pass at a time");
    }
    queue.done(&object);
    assert_eq!(take(&mut queue), std::slice::from_ref(&object));
    queue.add(&object, rank(0));
    queue.remove(&object);
    queue.done(&object);
    assert_eq!((queue.pop(), queue.active()), (None, 0), "it was deleted during its pass");
}

#[test]
fn the_earlier_of_two_times_counts() {
    let (mut queue, now) = (Workqueue::default(), Instant::now());
    let after = |seconds| now + Duration::from_secs(seconds);
    let (first, second) = (name(0, 0), name(0, 1));
    queue.add_at(&first, after(20));
    queue.add_at(&first, after(10));
    queue.add_at(&first, after(30));
    queue.add_at(&second, after(40));
    assert_eq!(queue.next_delay_ends(), Some(after(10)));
    assert_eq!(queue.pop_due(after(9)), None);
    assert_eq!(queue.pop_due(after(10)), Some(first.clone()));
    assert_eq!(queue.pop_due(after(10)), None);
    queue.add(&second, rank(0));
    assert_eq!(queue.next_delay_ends(), None, "the pass that waits is the one that it was delayed for");
    queue.add_at(&second, after(5));
    assert_eq!(queue.next_delay_ends(), None);
}

#[derive(Clone, Debug)]
enum Action {
    Add(usize, usize, i64),
    AddAt(usize, usize, u64),
    Remove(usize, usize),
    Next,
    Done(usize),
    Pass(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let object = || (0..4_usize, 0..40_usize);
    prop_oneof![
        6 => (object(), 0..5_i64).prop_map(|((namespace, number), created)| Action::Add(namespace, number, created)),
        2 => (object(), 0..9_u64).prop_map(|((namespace, number), after)| Action::AddAt(namespace, number, after)),
        1 => object().prop_map(|(namespace, number)| Action::Remove(namespace, number)),
        4 => Just(Action::Next),
        2 => (0..100_usize).prop_map(Action::Done),
        1 => (0..5_u64).prop_map(Action::Pass),
    ]
}

proptest! {
    /// Nothing that was added is lost, no object has two passes, and the bounds hold.
    #[test]
    fn every_object_that_is_added_gets_a_pass(actions in prop::collection::vec(action(), 0..400)) {
        let (mut queue, mut now) = (Workqueue::default(), Instant::now());
        let (mut owed, mut active) = (HashSet::new(), Vec::<Name>::new());
        for action in actions {
            match action {
                Action::Add(namespace, number, created) => {
                    queue.add(&name(namespace, number), rank(created));
                    owed.insert(name(namespace, number));
                }
                Action::AddAt(namespace, number, after) => {
                    queue.add_at(&name(namespace, number), now + Duration::from_secs(after));
                    owed.insert(name(namespace, number));
                }
                Action::Remove(namespace, number) => {
                    queue.remove(&name(namespace, number));
                    owed.remove(&name(namespace, number));
                }
                Action::Next => {
                    if let Some(next) = queue.pop() {
                        prop_assert!(!active.contains(&next), "two passes over {next:?}");
                        owed.remove(&next);
                        active.push(next);
                    }
                }
                Action::Done(which) if !active.is_empty() => {
                    queue.done(&active.swap_remove(which % active.len()));
                }
                Action::Done(_) => {}
                Action::Pass(seconds) => now += Duration::from_secs(seconds),
            }
            prop_assert_eq!(queue.active(), active.len());
            for namespace in 0..4 {
                let of_namespace = active.iter().filter(|active| active.0 == name(namespace, 0).0).count();
                prop_assert!(of_namespace <= MOST_OF_NAMESPACE);
            }
            prop_assert!(active.len() <= MOST_PASSES + 4 * ASSURED);
        }
        now += Duration::from_mins(1);
        loop {
            while let Some(due) = queue.pop_due(now) {
                queue.add(&due, rank(0));
            }
            while let Some(next) = queue.pop() {
                owed.remove(&next);
                active.push(next);
            }
            let Some(ended) = active.pop() else { break };
            queue.done(&ended);
        }
        prop_assert!(owed.is_empty(), "never reconciled: {owed:?}");
        prop_assert!(queue.namespaces.is_empty() && queue.turns.is_empty() && queue.waiting.is_empty());
    }
}
