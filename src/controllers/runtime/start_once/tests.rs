use super::*;

const SETTLE: Duration = Duration::from_mins(1);

fn problem(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: String::new(), kind: Some(kind) }
}

fn not_found(seconds: u64) -> Lookup<u8> {
    Lookup::NotFound { intent_age: Duration::from_secs(seconds) }
}

#[test]
fn each_outcome_and_lookup_has_its_decision() {
    let (busy, throttled) = (problem(ErrorKind::Busy), problem(ErrorKind::Throttled));
    let started = StartOutcome::Started("jr_1".to_owned());
    let rejected = |problem: &Problem| StartOutcome::Rejected(problem.clone());
    let unconfirmed = StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous));
    let failed = Lookup::Failed(throttled.clone());
    let left = Decision::Settling(Duration::from_secs(50));
    for (what, fresh, accepted, outcome, lookup, decision) in [
        ("this pass wrote the intent", true, false, None, None, Decision::Send),
        ("another pass wrote it", false, false, None, None, Decision::LookUp),
        ("a lookup failed", false, false, None, Some(failed.clone()), Decision::LookupFailed(&throttled)),
        ("a run was found", false, false, None, Some(Lookup::Found(7)), Decision::Found(&7)),
        ("nothing was found yet", false, false, None, Some(not_found(10)), left),
        ("nothing was found in time", false, false, None, Some(not_found(60)), Decision::StartAgain),
        ("an id", true, false, Some(started.clone()), None, Decision::Started("jr_1")),
        ("a lost answer", true, false, Some(unconfirmed), None, Decision::LookUp),
        ("a throttle", true, false, Some(rejected(&throttled)), None, Decision::Rejected(&throttled)),
        ("busy with what may be ours", true, false, Some(rejected(&busy)), None, Decision::LookUp),
        ("busy with ours", false, false, Some(rejected(&busy)), Some(Lookup::Found(7)), Decision::Found(&7)),
        ("busy", false, false, Some(rejected(&busy)), Some(not_found(0)), Decision::Rejected(&busy)),
        ("accepted", false, false, Some(StartOutcome::Accepted), None, Decision::LookUp),
        ("accepted, not shown", false, false, Some(StartOutcome::Accepted), Some(not_found(60)), Decision::Accepted),
        (
            "accepted, and the lookup failed",
            false,
            false,
            Some(StartOutcome::Accepted),
            Some(failed.clone()),
            Decision::Accepted,
        ),
        ("accepted earlier", false, true, None, Some(not_found(60)), Decision::Accepted),
        (
            "accepted earlier, a lookup failed",
            false,
            true,
            None,
            Some(failed.clone()),
            Decision::LookupFailed(&throttled),
        ),
        ("accepted earlier, shown", false, true, None, Some(Lookup::Found(7)), Decision::Found(&7)),
    ] {
        let intent = OpenIntent {
            fresh,
            outcome: outcome.as_ref(),
            lookup: lookup.as_ref(),
            accepted,
            answers: AnswerRules { accepted_needs_lookup: true, busy_needs_lookup: true },
            age: Duration::from_secs(10),
            settle: SETTLE,
        };
        assert_eq!(decide(&intent), decision, "{what}");
    }
}

/// A kind whose start is complete with the answer, and whose busy target runs nothing of this object's.
#[test]
fn an_answer_that_needs_no_lookup_is_the_outcome() {
    let busy = StartOutcome::Rejected(problem(ErrorKind::Busy));
    for (outcome, decision) in
        [(StartOutcome::Accepted, Decision::Accepted), (busy.clone(), Decision::Rejected(&problem(ErrorKind::Busy)))]
    {
        let intent = OpenIntent::<u8> {
            fresh: false,
            outcome: Some(&outcome),
            lookup: None,
            accepted: false,
            answers: AnswerRules::default(),
            age: Duration::ZERO,
            settle: SETTLE,
        };
        assert_eq!(decide(&intent), decision);
    }
}

#[test]
fn an_answer_is_definite_or_it_is_none() {
    let of = |answer| StartOutcome::of(answer, |error: &Error| problem(error.kind));
    let error = |kind| Error {
        operation: "StartJobRun",
        object: "job etl".to_owned(),
        kind,
        code: String::new(),
        message: String::new(),
    };
    assert_eq!(of(Ok(Some("jr_1".to_owned()))), StartOutcome::Started("jr_1".to_owned()));
    assert_eq!(of(Ok(None)), StartOutcome::Accepted);
    let [denied, lost] = [ErrorKind::Denied, ErrorKind::Ambiguous];
    assert_eq!(of(Err(error(denied))), StartOutcome::Rejected(problem(denied)));
    assert_eq!(of(Err(error(lost))), StartOutcome::Unconfirmed(problem(lost)));
}

#[test]
fn a_pass_begins_with_the_outcome_that_is_not_written_and_forgets_the_lookup_with_another() {
    let mut state = StartState::<u8>::resume(Some(&StartOutcome::Accepted));
    assert_eq!(state, StartState { outcome: Some(StartOutcome::Accepted), lookup: None });
    state.lookup = Some(Lookup::Found(7));
    let started = StartOutcome::Started("jr_1".to_owned());
    state.on_sent(started.clone());
    assert_eq!(state, StartState { outcome: Some(started), lookup: None });
}

#[test]
fn a_status_records_an_intent_when_it_is_open_and_was_not_before() {
    let intent = |number, open| Some(Intent { id: IntentId { number, key: "k".to_owned(), intended_at: 0 }, open });
    for (before, after, expected) in [
        (None, intent(0, true), true),
        (intent(0, true), intent(0, true), false),
        (intent(0, false), intent(0, true), true),
        (intent(0, true), intent(1, true), true),
        (intent(0, true), intent(0, false), false),
        (intent(0, true), None, false),
    ] {
        assert_eq!(records_intent(before.as_ref(), after.as_ref()), expected, "{before:?} {after:?}");
    }
}

#[test]
fn a_tracker_measures_one_intent_and_keeps_its_outcome_only() {
    let now = Instant::now();
    let later = now + Duration::from_secs(5);
    let intent = |number| Intent { id: IntentId { number, key: "k".to_owned(), intended_at: 0 }, open: true };
    let mut tracker = IntentTracker::default();
    assert_eq!(tracker.observe(Some(&intent(0)), now), Duration::ZERO);
    tracker.record(&StartOutcome::Accepted);
    assert_eq!(tracker.observe(Some(&intent(0)), later), Duration::from_secs(5));
    assert_eq!(tracker.outcome(), Some(&StartOutcome::Accepted));
    assert_eq!(tracker.observe(Some(&intent(1)), later), Duration::ZERO);
    assert_eq!(tracker.outcome(), None, "the outcome of another intent");
    tracker.record(&StartOutcome::Unconfirmed(problem(ErrorKind::Ambiguous)));
    assert_eq!(tracker.outcome(), None, "an unconfirmed answer is no outcome");
}
