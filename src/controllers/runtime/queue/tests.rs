use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::controllers::runtime::reason::Reason;
use crate::glue::ErrorKind;

/// The name of the job may have a client before it, such as in `a:etl`.
impl Target for &'static str {
    fn name(&self) -> &str {
        self.rsplit(':').next().expect("a name")
    }

    fn has_same_places(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

type TestQueues = Queues<&'static str, &'static str>;

const JOB: &str = "etl";
const BUSY: Option<Cause> = Some(Cause::ConcurrentRuns);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// Registers the objects, each a second younger than the one before it.
fn with(objects: &[&'static str]) -> (TestQueues, Instant) {
    let mut queues = TestQueues::default();
    for (second, object) in (1..).zip(objects) {
        assert!(queues.register(at(second), object).is_empty());
    }
    (queues, Instant::now())
}

const NONE: Vec<&str> = Vec::new();

#[test]
fn each_cause_is_known_by_its_error_and_by_the_reason_of_its_condition() {
    let errors =
        [ErrorKind::Busy, ErrorKind::LimitExceeded, ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Invalid];
    for (cause, error) in Cause::ALL.into_iter().zip(errors) {
        assert_eq!(Cause::of(error), Some(cause));
        assert_eq!(Cause::of_reason(cause.reason()), Some(cause));
    }
    assert_eq!(Cause::of_reason(Reason::CrawlerRunning), BUSY);
    assert_eq!((Cause::of(ErrorKind::Throttled), Cause::of_reason(Reason::Succeeded)), (None, None));
}

#[test]
fn asking_changes_nothing() {
    let (queues, now) = with(&["a", "b"]);
    for object in ["b", "a", "b"] {
        assert_eq!(queues.turn(&JOB, &object, None, now), Turn::Now);
    }
    assert_eq!(queues.depth(), (0, None));
}

#[test]
fn the_first_object_tries_after_a_pause_and_the_others_wait_for_it() {
    let (mut queues, now) = with(&["a", "b", "c"]);
    assert_eq!(queues.refused(&JOB, Cause::ConcurrentRuns, &"b", false, now), NONE);
    assert_eq!(queues.turn(&JOB, &"b", BUSY, now), Turn::After(Cause::ConcurrentRuns, Duration::from_secs(1)));
    assert_eq!(queues.turn(&JOB, &"c", None, now), Turn::Behind(Cause::ConcurrentRuns));
    assert_eq!(
        queues.turn(&JOB, &"a", None, now),
        Turn::After(Cause::ConcurrentRuns, Duration::from_secs(1)),
        "an older object that comes later goes first, after the same pause"
    );
    assert_eq!(queues.turn(&"other", &"c", None, now), Turn::Now);
    let later = now + Duration::from_secs(1);
    assert_eq!(queues.turn(&JOB, &"b", BUSY, later), Turn::Now);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"b", false, later);
    assert_eq!(queues.turn(&JOB, &"b", BUSY, later), Turn::After(Cause::ConcurrentRuns, Duration::from_secs(2)));
    assert_eq!(queues.freed(&JOB, later), ["b"], "one of the job's runs has ended");
    assert_eq!(queues.turn(&JOB, &"b", BUSY, later), Turn::Now);
}

/// The first of two waiting objects loses the Secret of its arguments: the second must get the place.
#[test]
fn an_object_that_is_blocked_by_something_else_does_not_head_the_queue() {
    let (mut queues, now) = with(&["live", "first", "second"]);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"first", false, now);
    let _ = queues.settle(&"second", Some((&JOB, Cause::ConcurrentRuns)), now);
    assert_eq!(queues.settle(&"first", None, now), ["second"]);
    let due = now + Duration::from_secs(1);
    assert_eq!(queues.turn(&JOB, &"second", BUSY, due), Turn::Now);
    assert_eq!(queues.turn(&JOB, &"first", None, due), Turn::Now, "it may try again when its Secret is back");
}

/// Another object's start does not make an invalid spec valid.
#[test]
fn a_success_of_another_object_does_not_wake_one_that_is_invalid() {
    let (mut queues, now) = with(&["invalid", "good"]);
    let _ = queues.refused(&JOB, Cause::Invalid, &"invalid", false, now);
    assert_eq!(queues.succeeded(&JOB, &"good", now), NONE);
    let turn = queues.turn(&JOB, &"invalid", Some(Cause::Invalid), now);
    assert_eq!(turn, Turn::After(Cause::Invalid, Duration::from_secs(1)), "its pause goes on growing");
}

#[test]
fn a_success_lets_the_next_object_try_at_once() {
    let (mut queues, now) = with(&["a", "b", "c"]);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"a", false, now);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"b", false, now);
    let woken: BTreeSet<_> = queues.succeeded(&JOB, &"a", now).into_iter().collect();
    assert_eq!(woken, BTreeSet::from(["b"]));
    assert_eq!(queues.turn(&JOB, &"b", BUSY, now), Turn::Now);
    assert_eq!(queues.turn(&JOB, &"c", None, now), Turn::Behind(Cause::ConcurrentRuns));
}

#[test]
fn a_denied_start_is_tried_in_turn_and_its_success_lets_all_try() {
    let (mut queues, now) = with(&["a", "b", "c"]);
    let _ = queues.refused(&JOB, Cause::Denied, &"a", false, now);
    let denied = Some(Cause::Denied);
    assert_eq!(queues.turn(&JOB, &"c", None, now), Turn::After(Cause::Denied, Duration::from_secs(1)));
    let _ = queues.settle(&"c", Some((&JOB, Cause::Denied)), now);
    let due = now + Duration::from_secs(1);
    assert_eq!(queues.turn(&JOB, &"a", denied, due), Turn::Behind(Cause::Denied));
    assert_eq!(queues.refused(&JOB, Cause::Denied, &"c", false, due), ["a"], "both have tried once");
    let woken: BTreeSet<_> = queues.succeeded(&JOB, &"a", due + Duration::from_secs(2)).into_iter().collect();
    assert_eq!(woken, BTreeSet::from(["c"]));
    assert_eq!(queues.depth(), (0, None));
}

#[test]
fn the_list_has_the_last_answer_of_aws() {
    let (mut queues, now) = with(&["a", "b"]);
    let error = |message: &str| Error {
        operation: "StartJobRun",
        object: format!("job {JOB}"),
        kind: ErrorKind::Denied,
        code: "AccessDeniedException".to_owned(),
        message: message.to_owned(),
    };
    for message in ["first", "second"] {
        let _ = queues.refused(&JOB, Cause::Denied, &"a", false, now);
        queues.record_refusal(&JOB, Cause::Denied, error(message));
    }
    assert_eq!(queues.refusal(&JOB, Cause::Denied), Some(&error("second")));
    assert_eq!(queues.refusal(&JOB, Cause::Quota), None);
    let _ = queues.settle(&"a", None, now);
    assert_eq!(queues.refusal(&JOB, Cause::Denied), None, "nobody waits");
}

#[test]
fn a_refused_spec_keeps_no_other_object_from_trying() {
    let (mut queues, now) = with(&["bad", "good"]);
    let _ = queues.refused(&JOB, Cause::Invalid, &"bad", false, now);
    assert_eq!(queues.turn(&JOB, &"good", None, now), Turn::Now);
    assert!(matches!(queues.turn(&JOB, &"bad", Some(Cause::Invalid), now), Turn::After(..)));
}

/// An object whose spec is refused waits for something else in between: its own pause grows, and that of the list is new.
#[test]
fn the_pause_of_a_refused_spec_is_the_object_s_own() {
    let (mut queues, now) = with(&["bad"]);
    let invalid = Some(Cause::Invalid);
    let _ = queues.refused(&JOB, Cause::Invalid, &"bad", false, now);
    let _ = queues.settle(&"bad", None, now);
    let _ = queues.refused(&JOB, Cause::Invalid, &"bad", false, now);
    let second = |second| now + Duration::from_secs(second);
    assert_eq!(queues.turn(&JOB, &"bad", invalid, now), Turn::After(Cause::Invalid, Duration::from_secs(2)));
    assert_eq!(queues.turn(&JOB, &"bad", invalid, second(1)), Turn::After(Cause::Invalid, Duration::from_secs(1)));
    assert_eq!(queues.turn(&JOB, &"bad", invalid, second(2)), Turn::Now);
    assert_eq!(queues.turn(&JOB, &"bad", BUSY, second(1)), Turn::Now, "its status says that it waits for a place");
}

/// Two tenants with a client each use one job with one place. One with many objects sees the end of each of its runs first:
/// without turns it got every place.
#[test]
fn clients_of_one_job_are_offered_its_places_in_turn() {
    let (mut queues, now) = with(&["a1", "a2", "a3", "b1"]);
    let second = |second| now + Duration::from_secs(second);
    let wait = |queues: &mut TestQueues, target, object, at| {
        let _ = queues.refused(&target, Cause::ConcurrentRuns, &object, false, at);
    };
    wait(&mut queues, "a:etl", "a2", second(0));
    wait(&mut queues, "b:etl", "b1", second(1));
    wait(&mut queues, "a:other", "a3", second(0));
    assert_eq!(queues.freed(&"a:etl", second(100)), ["a2"], "it began to wait first");
    assert_eq!(queues.freed(&"a:etl", second(200)), ["a2", "b1"], "the other has its turn");
    assert_eq!(queues.turn(&"b:etl", &"b1", BUSY, second(200)), Turn::Now);
    let later = Turn::After(Cause::ConcurrentRuns, LEFT_TO_OTHERS);
    assert_eq!(queues.turn(&"a:etl", &"a2", BUSY, second(200)), later, "the place may be left");
    assert_eq!(queues.turn(&"a:etl", &"a2", BUSY, second(204)), Turn::Now);
    assert_eq!(queues.freed(&"c:etl", second(300)), ["a2"], "also that of somebody who does not wait");
    assert_eq!(queues.freed(&"c:other", second(300)), ["a3"]);
    assert_eq!(queues.freed(&"c:unused", second(300)), NONE);
}

/// The older object had tried nine times when the younger one came, and got no turn before the younger one had tried as often.
#[test]
fn who_comes_later_does_not_go_before_who_tried_a_longer_time_ago() {
    let (mut queues, now) = with(&["old", "young"]);
    let second = |second| now + Duration::from_secs(second);
    let invalid = Some(Cause::Invalid);
    for minutes in 0..9 {
        assert_eq!(queues.refused(&JOB, Cause::Invalid, &"old", false, second(minutes * 120)), NONE);
    }
    assert_eq!(queues.refused(&JOB, Cause::Invalid, &"young", false, second(1000)), NONE, "it had not tried before");
    assert_eq!(queues.turn(&JOB, &"old", invalid, second(1000)), Turn::After(Cause::Invalid, Duration::from_secs(80)));
    assert_eq!(queues.turn(&JOB, &"young", invalid, second(1080)), Turn::Behind(Cause::Invalid));
    assert_eq!(queues.refused(&JOB, Cause::Invalid, &"old", false, second(1080)), ["young"], "it is the next");
    assert_eq!(queues.turn(&JOB, &"young", invalid, second(1200)), Turn::Now);
    // What it waits for in between does not bring it to the front.
    assert_eq!(queues.settle(&"old", None, second(1100)), NONE);
    assert_eq!(queues.settle(&"old", Some((&JOB, Cause::Invalid)), second(1100)), NONE);
    assert_eq!(queues.turn(&JOB, &"old", invalid, second(1200)), Turn::Behind(Cause::Invalid));
}

/// An object of each minute is invalid: without a turn of its own, one that was corrected in Glue would wait for ever.
#[test]
fn the_refusals_of_new_objects_do_not_put_off_the_turn_of_those_who_wait() {
    let names: Vec<&'static str> = vec!["old", "1", "2", "3", "4"];
    let (mut queues, now) = with(&names);
    for refusals in 0..8 {
        let _ = queues.refused(&JOB, Cause::Invalid, &"old", false, now + Duration::from_mins(2) * refusals);
    }
    let last = now + Duration::from_mins(14);
    for (seconds, young) in (30..).step_by(30).zip(&names[1..4]) {
        assert_eq!(queues.refused(&JOB, Cause::Invalid, young, false, last + Duration::from_secs(seconds)), NONE);
    }
    let due = last + Duration::from_mins(2);
    assert_eq!(queues.turn(&JOB, &"old", Some(Cause::Invalid), due), Turn::Now);
}

/// Only where an object has tried does it come after those that have not.
#[test]
fn the_tries_at_one_target_do_not_count_at_another_or_for_another_cause() {
    let (mut queues, now) = with(&["a", "b"]);
    let _ = queues.refused(&JOB, Cause::Denied, &"a", false, now);
    let _ = queues.settle(&"b", Some((&"other", Cause::Denied)), now);
    assert_eq!(queues.turn(&"other", &"a", Some(Cause::Denied), now), Turn::Now, "it is the older one");
    let _ = queues.settle(&"b", Some((&JOB, Cause::ConcurrentRuns)), now);
    let turn = queues.turn(&JOB, &"a", Some(Cause::Denied), now);
    assert_eq!(turn, Turn::After(Cause::Denied, Duration::from_secs(1)), "it is not behind the younger one");
}

#[test]
fn an_object_that_waits_for_something_else_now_leaves_its_list_for_another() {
    let (mut queues, now) = with(&["a", "b"]);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"a", false, now);
    let _ = queues.settle(&"b", Some((&JOB, Cause::ConcurrentRuns)), now);
    assert_eq!(queues.settle(&"a", Some((&JOB, Cause::Quota)), now), ["b"], "its turn has come");
    assert_eq!(queues.depth().0, 2);
    assert_eq!(queues.settle(&"a", Some((&JOB, Cause::Quota)), now), NONE, "it waits there already");
    assert_eq!(queues.freed(&JOB, now), ["b"], "only one waits for a place");
}

#[test]
fn an_object_that_is_gone_or_replaced_is_in_no_queue() {
    let (mut queues, now) = with(&["a", "b"]);
    let _ = queues.refused(&JOB, Cause::ConcurrentRuns, &"a", false, now);
    let _ = queues.settle(&"b", Some((&JOB, Cause::ConcurrentRuns)), now);
    assert_eq!(queues.register(at(9), &"a"), ["b"], "it was deleted and created again");
    assert_eq!(queues.turn(&JOB, &"a", None, now), Turn::Behind(Cause::ConcurrentRuns));
    assert_eq!(queues.remove(&"a"), NONE);
    assert_eq!(queues.settle(&"a", Some((&JOB, Cause::ConcurrentRuns)), now), NONE, "a pass that ends late");
    assert_eq!(queues.depth().0, 1);
}

#[test]
fn after_a_restart_the_older_object_goes_first() {
    let (mut queues, now) = with(&["old", "young"]);
    queues.expect(JOB, &"old");
    queues.expect(JOB, &"young");
    assert_eq!(queues.turn(&JOB, &"young", BUSY, now), Turn::Behind(Cause::ConcurrentRuns));
    let _ = queues.settle(&"young", Some((&JOB, Cause::ConcurrentRuns)), now);
    assert_eq!(queues.turn(&JOB, &"old", BUSY, now), Turn::Now);
    assert_eq!(queues.settle(&"old", None, now), ["young"], "the older one was blocked");
    assert_eq!(queues.turn(&JOB, &"young", BUSY, now), Turn::Now);
}

/// What may happen to an object in a queue.
#[derive(Clone, Copy, Debug)]
enum Event {
    Registered,
    Expected,
    /// A pass over it ends: it tries if it may, and AWS refuses or accepts; else it waits.
    Pass(Answer),
    Blocked,
    Removed,
    RunEnded,
    Later,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Refused(Cause),
    Accepted,
}

fn event() -> impl Strategy<Value = Event> {
    let cause = prop::sample::select(Cause::ALL.to_vec());
    prop_oneof![
        2 => Just(Event::Registered),
        1 => Just(Event::Expected),
        4 => prop_oneof![2 => cause.prop_map(Answer::Refused), 1 => Just(Answer::Accepted)].prop_map(Event::Pass),
        1 => Just(Event::Blocked),
        1 => Just(Event::Removed),
        1 => Just(Event::RunEnded),
        2 => Just(Event::Later),
    ]
}

proptest! {
    /// Whatever happens: once all have settled, the queues hold exactly the objects that wait, somebody of each list may
    /// try as soon as its pause is over, and whose turn came was woken.
    #[test]
    fn the_queues_hold_exactly_those_who_wait_and_somebody_may_always_try(
        events in prop::collection::vec((0..5usize, event()), 1..60)
    ) {
        const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
        let (mut queues, mut now) = (TestQueues::default(), Instant::now());
        // What the status of each object says.
        let mut statuses: BTreeMap<&str, Option<Cause>> = BTreeMap::new();
        // The objects that will have a pass.
        let mut woken: BTreeSet<&str> = BTreeSet::new();
        for (second, (which, event)) in (0..).zip(events) {
            let name = NAMES[which];
            match event {
                Event::Registered if !statuses.contains_key(name) => {
                    woken.extend(queues.register(at(second), &name));
                    statuses.insert(name, None);
                    woken.insert(name);
                }
                Event::Expected if statuses.get(name).copied().flatten().is_some() => queues.expect(JOB, &name),
                Event::Pass(answer) if statuses.contains_key(name) => {
                    woken.remove(name);
                    pass(&mut queues, &mut statuses, &mut woken, name, answer, now);
                }
                Event::Blocked if statuses.contains_key(name) => {
                    woken.extend(queues.settle(&name, None, now));
                    statuses.insert(name, None);
                }
                Event::Removed => {
                    woken.extend(queues.remove(&name));
                    woken.remove(name);
                    statuses.remove(name);
                }
                Event::RunEnded => woken.extend(queues.freed(&JOB, now)),
                Event::Later => now += Duration::from_secs(5),
                _ => {}
            }
        }
        // Everybody who is woken has a pass.
        for _ in 0..100 {
            let Some(name) = woken.pop_first() else { break };
            if statuses.contains_key(name) {
                let answer = Answer::Refused(Cause::ConcurrentRuns);
                pass(&mut queues, &mut statuses, &mut woken, name, answer, now);
            }
        }
        prop_assert!(woken.is_empty(), "passes wake each other for ever: {woken:?}");
        let waiting: BTreeSet<_> = statuses.iter().filter(|(_, waits)| waits.is_some()).map(|(name, _)| *name).collect();
        prop_assert_eq!(queues.depth().0, waiting.len());
        now += Duration::from_mins(3);
        let may_try = waiting.iter().filter(|name| queues.turn(&JOB, name, statuses[*name], now) == Turn::Now).count();
        prop_assert!(waiting.is_empty() || may_try > 0, "{waiting:?} wait, and none may try");
    }
}

fn pass(
    queues: &mut TestQueues,
    statuses: &mut BTreeMap<&'static str, Option<Cause>>,
    woken: &mut BTreeSet<&'static str>,
    name: &'static str,
    answer: Answer,
    now: Instant,
) {
    let waits = match queues.turn(&JOB, &name, statuses[name], now) {
        Turn::Now => match answer {
            Answer::Refused(cause) => {
                woken.extend(queues.refused(&JOB, cause, &name, false, now));
                Some(cause)
            }
            Answer::Accepted => {
                woken.extend(queues.succeeded(&JOB, &name, now));
                None
            }
        },
        Turn::After(cause, _) | Turn::Behind(cause) => Some(cause),
    };
    statuses.insert(name, waits);
    woken.extend(queues.settle(&name, waits.as_ref().map(|cause| (&JOB, *cause)), now));
}

proptest! {
    /// However many objects are invalid, and however often a new one is: who waits for a turn has it before anybody who came
    /// later has a second one.
    #[test]
    fn everybody_whose_spec_is_refused_has_a_turn(
        arrivals in prop::collection::vec(0..300_u64, 1..12), cause in prop::sample::select(vec![Cause::Denied, Cause::Invalid]),
    ) {
        const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
        let (mut queues, mut now) = (TestQueues::default(), Instant::now());
        let begin = now;
        // When each object tried.
        let mut tries: BTreeMap<&str, Vec<Instant>> = BTreeMap::new();
        let (mut coming, mut next) = (arrivals.iter().zip(NAMES).peekable(), begin);
        while tries.values().map(Vec::len).min().unwrap_or_default() < 4 {
            if let Some((pause, name)) = coming.next_if(|_| now >= next) {
                let _ = queues.register(at(i64::try_from(tries.len()).expect("few")), &name);
                tries.insert(name, Vec::new());
                next = now + Duration::from_secs(*pause);
            }
            let may_try: Vec<_> = tries.keys().copied().filter(|name| {
                let recorded = Some(cause).filter(|_| !tries[name].is_empty());
                queues.turn(&JOB, name, recorded, now) == Turn::Now
            }).collect();
            for name in may_try {
                let _ = queues.refused(&JOB, cause, &name, false, now);
                tries.get_mut(name).expect("an object").push(now);
            }
            now += Duration::from_secs(5);
            prop_assert!(now < begin + Duration::from_hours(4), "somebody has no turn: {tries:?}");
        }
        for (one, own) in &tries {
            for (pair, other) in own.windows(2).flat_map(|pair| tries.values().map(move |other| (pair, other))) {
                let between = other.iter().filter(|tried| **tried > pair[0] && **tried < pair[1]).count();
                prop_assert!(between <= 2, "{one} had no turn between {pair:?}: {other:?}");
            }
        }
    }
}
