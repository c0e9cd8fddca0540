//! Which subscribers the poller requeues, and which results it applies.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use tokio::sync::Semaphore;

use super::*;

const BASE: Duration = Duration::from_secs(5);

/// A source that shows one number, and can withhold its results.
#[derive(Clone, Debug)]
struct Number {
    value: Arc<AtomicU32>,
    results: Arc<Semaphore>,
    polls: Arc<AtomicU32>,
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
    type Client = ();

    fn client(&self) -> &() {
        &()
    }

    async fn poll(&self, requests: Vec<PollRequest<u32>>) -> Result<Vec<PollResult<u32>>, Error> {
        let value = self.value.load(Ordering::SeqCst);
        self.polls.fetch_add(1, Ordering::SeqCst);
        self.results.acquire().await.unwrap().forget();
        Ok(requests
            .into_iter()
            .map(|request| PollResult { id: request.id, observation: Observation::Present(value), page: None })
            .collect())
    }

    fn is_finished(item: &u32) -> bool {
        *item == 99
    }
}

/// A poller, a source that withholds its results if asked to, and the subscribers that the poller requeues.
fn poller(withhold: bool) -> (Poller<Number, &'static str>, Number, UnboundedReceiver<&'static str>) {
    let (sender, requeued) = unbounded();
    let poller = Poller::new(BASE, move |subscriber| drop(sender.unbounded_send(subscriber)));
    let permits = if withhold { 0 } else { 1000 };
    let source = Number { value: Arc::default(), results: Arc::new(Semaphore::new(permits)), polls: Arc::default() };
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
