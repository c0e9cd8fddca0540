//! Whatever the receiver answers: no event waits for ever, none is sent twice at once, and the owner learns why events wait.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// The longest pause that an answer can lead to: what the receiver may wish at most.
const LONGEST: Duration = Duration::from_mins(10);
/// How many events wait, of how many runs.
const EVENTS: u128 = 12;
const RUNS: u128 = 4;

fn answer() -> impl Strategy<Value = Result<Answer, NotSent>> {
    let wish = prop_oneof![
        Just(None),
        any::<u64>().prop_map(|seconds| Some(Duration::from_secs(seconds))),
        Just(Some(Duration::MAX)),
        Just(Some(Duration::ZERO)),
    ];
    let text = prop_oneof![
        "\\PC{0,20}",
        "[\\x00-\\x1f\\x7f-\\u{9f}\\u{2028}]{0,20}",
        (0..4000_usize).prop_map(|count| "失\n".repeat(count)),
    ];
    let status = prop_oneof![any::<u16>(), 200..600_u16, Just(400), Just(503)];
    prop_oneof![
        6 => (status, wish, text).prop_map(|(status, retry_after, text)| Ok(Answer { status, retry_after, text })),
        1 => Just(Err(NotSent("no answer".to_owned()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_answers_of_a_receiver_are_taken(answers in prop::collection::vec((answer(), 0.0..1.0_f64), 0..100)) {
        let mut queue = Queue::new(BOUNDS);
        for number in 0..EVENTS {
            let entry = Entry { run: Uuid::from_u128(number % RUNS), body: number.to_string(), is_minor: false, since: Time::ZERO };
            prop_assert!(queue.enqueue(entry).is_empty());
        }
        let (mut now, mut answers, mut calls) = (Time::ZERO, answers.into_iter(), 0);
        while queue.depth() > 0 {
            match queue.next(now) {
                Next::Send(ticket) => {
                    let (answer, jitter) = answers.next().unwrap_or_else(|| {
                        (Ok(Answer { status: 200, retry_after: None, text: String::new() }), 0.5)
                    });
                    let before = queue.depth();
                    let outcome = outcome(&answer);
                    prop_assert_eq!(trouble(&answer).is_some(), matches!(outcome, Outcome::Retry(_)));
                    let dropped = queue.answered(ticket.run, outcome, now, jitter);
                    let is_over = !matches!(outcome, Outcome::Retry(_)) || dropped.is_some();
                    prop_assert_eq!(queue.depth(), before - usize::from(is_over));
                    calls += 1;
                    prop_assert!(calls <= 150, "{calls} calls");
                }
                Next::WaitUntil(at) => {
                    let pause = at.saturating_sub(now);
                    prop_assert!(!pause.is_zero() && pause <= LONGEST, "a pause of {pause:?}");
                    now = at;
                }
                Next::Wait => prop_assert!(false, "{} events wait for nothing", queue.depth()),
            }
        }
    }
}
