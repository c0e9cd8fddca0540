//! Which subscribers the poller requeues, and which results it applies.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use tokio::sync::Semaphore;

use super::*;
use crate::glue::ErrorKind;

const BASE: Duration = Duration::from_secs(5);
/// A poll that shows this panics.
const PANICS: u32 = 77;

/// The item that polls refuse, or all, and the error.
type Refusal = (Option<&'static str>, Error);

/// A source that shows one number, and can withhold its results.
#[derive(Clone, Debug)]
struct Number {
    value: Arc<AtomicU32>,
    results: Arc<Semaphore>,
    polls: Arc<AtomicU32>,
    /// The error of polls of this item, or of all.
    error: Arc<Mutex<Option<Refusal>>>,
    limiter: Arc<RateLimiter>,
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl Eq for Number {}

impl Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.value).hash(state);
    }
}

impl Source for Number {
    type Item = u32;

    fn limiter(&self) -> Arc<RateLimiter> {
        Arc::clone(&self.limiter)
    }

    fn client_id(&self) -> ClientId {
        ClientId::next()
    }

    async fn poll(&self, requests: Vec<PollRequest<u32>>, _: Extras) -> Polled<u32> {
        let value = self.value.load(Ordering::SeqCst);
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.results.acquire().await.unwrap().forget();
        assert_ne!(value, PANICS, "the defect of a test");
        let error = self.error.lock().unwrap().clone();
        let results = requests.into_iter().map(|request| {
            let answer = match &error {
                Some((id, error)) if id.is_none_or(|id| id == request.id) => Err(Arc::new(error.clone())),
                _ => Ok(Observation::Present(value)),
            };
            PollResult { id: request.id, answer, page: None }
        });
        Polled { results: results.collect(), calls: 1, usual: None, seen: HashMap::new() }
    }

    fn is_finished(item: &u32) -> bool {
        *item == 99
    }
}

/// A poller, a source that withholds its results if asked to, and the subscribers that the poller requeues.
fn poller(withhold: bool) -> (Poller<Number, &'static str>, Number, UnboundedReceiver<&'static str>) {
    let (sender, requeued) = unbounded();
    let poller = Poller::new(BASE, move |subscriber| drop(sender.unbounded_send(subscriber)), drop);
    let permits = if withhold { 0 } else { 1000 };
    let source = Number {
        value: Arc::default(),
        results: Arc::new(Semaphore::new(permits)),
        polls: Arc::default(),
        error: Arc::default(),
        limiter: Arc::default(),
    };
    (poller, source, requeued)
}

fn observed(report: &Report<u32>) -> Option<u32> {
    match report.observation {
        Some(Observation::Present(value)) => Some(value),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_requeues_the_subscriber_and_a_finished_item_is_not_polled() {
    let (poller, source, mut requeued) = poller(false);
    assert_eq!(observed(&poller.watch(&source, "a", &"one")), None);
    assert_eq!(requeued.next().await, Some("one"));
    assert_eq!(observed(&poller.watch(&source, "a", &"one")), Some(0));
    source.value.store(99, Ordering::SeqCst);
    assert_eq!(requeued.next().await, Some("one"));
    let polls = source.polls.load(Ordering::SeqCst);
    tokio::time::sleep(BASE * 10).await;
    assert_eq!(source.polls.load(Ordering::SeqCst), polls);
    assert!(requeued.try_recv().is_err(), "nothing else changed");
}

#[tokio::test(start_paused = true)]
async fn a_finished_item_is_kept_until_its_subscribers_have_seen_it() {
    let (poller, source, mut requeued) = poller(false);
    source.value.store(99, Ordering::SeqCst);
    let both = [&"one", &"two"];
    let read = |subscriber| observed(&poller.watch(&source, "a", subscriber));
    assert_eq!(both.map(read), [None, None]);
    assert!(requeued.next().await.is_some() && requeued.next().await.is_some());
    // Many passes come before those of the two.
    tokio::time::sleep(BASE * 20).await;
    assert_eq!(read(&"one"), Some(99));
    tokio::time::sleep(BASE * 20).await;
    assert_eq!(both.map(read), [Some(99), Some(99)]);
    assert_eq!(source.polls.load(Ordering::SeqCst), 1);
    tokio::time::sleep(BASE * 2).await;
    assert_eq!(read(&"one"), None, "nothing is kept of what everybody has seen");
}

#[tokio::test(start_paused = true)]
async fn unfinished_items_are_counted() {
    let (poller, source, mut requeued) = poller(false);
    assert_eq!(poller.live(), 0);
    let _ = poller.watch(&source, "a", &"one");
    let _ = poller.watch(&source, "a", &"two");
    let _ = poller.watch(&source, "b", &"three");
    assert_eq!(poller.live(), 2, "two subscribers share one item");
    poller.forget(&"two");
    assert_eq!(poller.live(), 2);
    poller.forget(&"three");
    assert_eq!(poller.live(), 1);
    source.value.store(99, Ordering::SeqCst);
    assert_eq!(requeued.next().await, Some("one"));
    assert_eq!(poller.live(), 0, "it is finished");
    poller.refresh(&source, "a");
    assert_eq!(poller.live(), 1, "it may be unfinished again");
    assert_eq!(requeued.next().await, Some("one"));
    poller.forget(&"one");
    assert_eq!(poller.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_result_from_before_a_refresh_is_discarded() {
    let (poller, source, mut requeued) = poller(true);
    let _ = poller.watch(&source, "a", &"one");
    while source.polls.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(BASE / 10).await;
    }
    // Otherwise the poll and the refresh could have the same time.
    tokio::time::sleep(BASE / 10).await;
    // A poll with the old value is under way when the value changes.
    source.value.store(1, Ordering::SeqCst);
    poller.refresh(&source, "a");
    source.results.add_permits(1000);
    let start = Instant::now();
    assert_eq!(requeued.next().await, Some("one"));
    assert_eq!(observed(&poller.watch(&source, "a", &"one")), Some(1));
    assert!(start.elapsed() < BASE / 2, "it was polled soon, not after a whole interval");
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_of_several_items_is_requeued_for_each_until_it_drops_one() {
    let (poller, source, mut requeued) = poller(false);
    let (_, other, _) = self::poller(false);
    let both = [(source.clone(), "a".to_owned()), (other.clone(), "b".to_owned())];
    let _ = poller.watch_all(&both, &"one");
    assert_eq!((requeued.next().await, requeued.next().await), (Some("one"), Some("one")));
    let reports = poller.watch_all(&both, &"one");
    assert_eq!(reports.iter().map(observed).collect::<Vec<_>>(), [Some(0), Some(0)]);
    other.value.store(99, Ordering::SeqCst);
    assert_eq!(requeued.next().await, Some("one"));
    let _ = poller.watch(&source, "a", &"one");
    let polls = other.polls.load(Ordering::SeqCst);
    tokio::time::sleep(BASE * 10).await;
    assert_eq!(other.polls.load(Ordering::SeqCst), polls, "it has no subscriber");
    source.value.store(5, Ordering::SeqCst);
    assert_eq!(requeued.next().await, Some("one"), "the other item is still polled");
}

#[tokio::test(start_paused = true)]
async fn poll_soon_shortens_the_interval() {
    let (poller, source, mut requeued) = poller(false);
    let _ = poller.watch(&source, "a", &"one");
    poller.poll_soon(&source);
    let start = Instant::now();
    assert_eq!(requeued.next().await, Some("one"));
    assert!(start.elapsed() < BASE / 2);
}

fn error(kind: ErrorKind) -> Error {
    let (code, message) = (format!("{kind:?}"), String::new());
    Error { operation: "GetJobRuns", object: "job etl".to_owned(), kind, code, message }
}

/// Everything that was requeued until now.
fn drain(requeued: &mut UnboundedReceiver<String>) -> Vec<String> {
    let mut all: Vec<_> = std::iter::from_fn(|| requeued.try_recv().ok()).collect();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn a_passing_error_wakes_nobody_and_one_that_lasts_wakes_each_subscriber_twice() {
    let (sender, mut requeued) = unbounded();
    let poller = Poller::new(BASE, move |subscriber: String| drop(sender.unbounded_send(subscriber)), drop);
    let (_, source, _) = self::poller(false);
    let all: Vec<_> = (0..10_000).map(|run| format!("run-{run}")).collect();
    for run in &all {
        let _ = poller.watch(&source, run, run);
    }
    tokio::time::sleep(BASE * 3).await;
    assert_eq!(drain(&mut requeued).len(), all.len(), "the first observation");
    let polls = source.polls.load(Ordering::SeqCst);
    *source.error.lock().unwrap() = Some((None, error(ErrorKind::Throttled)));
    tokio::time::sleep(BASE * 3).await;
    assert!(source.polls.load(Ordering::SeqCst) >= polls + 2);
    *source.error.lock().unwrap() = None;
    tokio::time::sleep(BASE * 10).await;
    assert_eq!(drain(&mut requeued).len(), 0, "it passed");
    *source.error.lock().unwrap() = Some((None, error(ErrorKind::Throttled)));
    tokio::time::sleep(BASE * 30).await;
    assert_eq!(drain(&mut requeued).len(), all.len(), "it lasts");
    let report = poller.watch(&source, "run-7", &"run-7".to_owned());
    assert_eq!((observed(&report), report.error.map(|error| error.kind)), (Some(0), Some(ErrorKind::Throttled)));
    *source.error.lock().unwrap() = None;
    tokio::time::sleep(BASE * 30).await;
    assert_eq!(drain(&mut requeued).len(), all.len(), "it is over");
    assert_eq!(poller.watch(&source, "run-7", &"run-7".to_owned()).error, None);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_glue_refuses_blinds_no_other() {
    let (poller, source, mut requeued) = poller(false);
    let _ = poller.watch(&source, "a", &"one");
    let _ = poller.watch(&source, "b", &"two");
    *source.error.lock().unwrap() = Some((Some("a"), error(ErrorKind::Denied)));
    assert_eq!(requeued.next().await, Some("two"));
    assert_eq!(requeued.next().await, Some("one"));
    assert_eq!(poller.watch(&source, "a", &"one").error.map(|error| error.kind), Some(ErrorKind::Denied));
    assert_eq!(poller.watch(&source, "b", &"two").error, None);
    source.value.store(1, Ordering::SeqCst);
    assert_eq!(requeued.next().await, Some("two"));
    *source.error.lock().unwrap() = None;
    assert_eq!(requeued.next().await, Some("one"), "it is asked for again");
}

/// The times of polls that the source has had since the last look.
async fn polls_within(source: &Number, time: Duration) -> u32 {
    let before = source.polls.load(Ordering::SeqCst);
    tokio::time::sleep(time).await;
    source.polls.load(Ordering::SeqCst) - before
}

#[tokio::test(start_paused = true)]
async fn an_old_item_is_polled_a_third_as_often_until_a_new_one_comes() {
    let (poller, source, _requeued) = poller(false);
    source.results.add_permits(10_000);
    let _ = poller.watch(&source, "a", &"one");
    let minute = Duration::from_mins(1);
    assert!((11..=12).contains(&polls_within(&source, minute).await));
    tokio::time::sleep(Duration::from_hours(6)).await;
    let polls = polls_within(&source, minute).await;
    assert!((3..=4).contains(&polls), "{polls}");
    let _ = poller.watch(&source, "b", &"two");
    assert!(polls_within(&source, BASE + BASE / 10).await >= 1, "a pause is not waited out");
    assert!((11..=12).contains(&polls_within(&source, minute).await));
}

#[tokio::test(start_paused = true)]
async fn a_poll_asks_for_the_history_once_an_hour_until_it_is_known() {
    let mut state = State::<Number, &str>::new(BASE);
    let (_, source, _requeued) = poller(false);
    let asked = async |state: &mut State<Number, &'static str>, after: Duration| {
        tokio::time::advance(after).await;
        state.poll_requests(&source).unwrap().1.history
    };
    let _ = state.subscribe(&source, "a", &"one", |_, _| {});
    assert!(!asked(&mut state, Duration::from_mins(1)).await, "it may end before that helps");
    assert!(asked(&mut state, Duration::from_mins(2)).await);
    assert!(!asked(&mut state, Duration::from_mins(30)).await, "it was asked for");
    assert!(asked(&mut state, Duration::from_mins(31)).await);
    let usual = UsualDuration::of([Duration::from_mins(5); 3]);
    let polled = Polled { results: Vec::new(), calls: 1, usual, seen: HashMap::new() };
    let _ = state.apply(&source, Instant::now(), Timestamp::UNIX_EPOCH, polled);
    assert!(!asked(&mut state, Duration::from_hours(2)).await, "it is known");
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_panics_is_a_failed_poll_and_the_group_goes_on() {
    let (poller, source, mut requeued) = poller(false);
    source.value.store(PANICS, Ordering::SeqCst);
    let _ = poller.watch(&source, "a", &"one");
    assert_eq!(requeued.next().await, Some("one"), "the error is reported once it has lasted");
    let report = poller.watch(&source, "a", &"one");
    assert_eq!(report.error.map(|error| error.code.clone()).as_deref(), Some("Panicked"));
    source.value.store(5, Ordering::SeqCst);
    while observed(&poller.watch(&source, "a", &"one")).is_none() {
        assert_eq!(requeued.next().await, Some("one"));
    }
    assert_eq!(observed(&poller.watch(&source, "a", &"one")), Some(5));
}
