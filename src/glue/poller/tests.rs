//! Whom the poller wakes, and which answers count.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use tokio::sync::Semaphore;

use super::*;

const BASE: Duration = Duration::from_secs(5);

/// A Glue with one number in it, whose answers can be held back.
#[derive(Clone, Debug)]
struct Number {
    value: Arc<AtomicU32>,
    answers: Arc<Semaphore>,
    asked: Arc<AtomicU32>,
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

    async fn ask(&self, wanted: Vec<Wanted<u32>>) -> Result<Vec<Observed<u32>>, Error> {
        let value = self.value.load(Ordering::SeqCst);
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answers.acquire().await.unwrap().forget();
        Ok(wanted
            .into_iter()
            .map(|one| Observed { id: one.id, observation: Observation::Present(value), page: None })
            .collect())
    }

    fn is_finished(item: &u32) -> bool {
        *item == 99
    }
}

/// A poller whose answers come at once, unless `held`; and whom it wakes.
fn poller(held: bool) -> (Poller<Number, &'static str>, Number, UnboundedReceiver<&'static str>) {
    let (woken, wakes) = unbounded();
    let poller = Poller::new(BASE, move |who| drop(woken.unbounded_send(who)));
    let permits = if held { 0 } else { 1000 };
    let source = Number { value: Arc::default(), answers: Arc::new(Semaphore::new(permits)), asked: Arc::default() };
    (poller, source, wakes)
}

fn seen(report: &Report<u32>) -> Option<u32> {
    match report.observation {
        Some(Observation::Present(value)) => Some(value),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn whose_thing_changed_is_woken_and_what_is_over_is_asked_for_no_more() {
    let (poller, source, mut wakes) = poller(false);
    assert_eq!(seen(&poller.watch(&source, "a", &"one")), None);
    assert_eq!(wakes.next().await, Some("one"));
    assert_eq!(seen(&poller.watch(&source, "a", &"one")), Some(0));
    source.value.store(99, Ordering::SeqCst);
    assert_eq!(wakes.next().await, Some("one"));
    let asked = source.asked.load(Ordering::SeqCst);
    tokio::time::sleep(BASE * 10).await;
    assert_eq!(source.asked.load(Ordering::SeqCst), asked);
    assert!(wakes.try_recv().is_err(), "nothing else happened");
}

#[tokio::test(start_paused = true)]
async fn what_lives_is_counted() {
    let (poller, source, mut wakes) = poller(false);
    assert_eq!(poller.live(), 0);
    let _ = poller.watch(&source, "a", &"one");
    let _ = poller.watch(&source, "a", &"two");
    let _ = poller.watch(&source, "b", &"three");
    assert_eq!(poller.live(), 2, "two subscribers wait for one thing");
    poller.forget(&"two");
    assert_eq!(poller.live(), 2);
    poller.forget(&"three");
    assert_eq!(poller.live(), 1);
    source.value.store(99, Ordering::SeqCst);
    assert_eq!(wakes.next().await, Some("one"));
    assert_eq!(poller.live(), 0, "it is over");
    poller.refresh(&source, "a");
    assert_eq!(poller.live(), 1, "it may have come back to life");
    assert_eq!(wakes.next().await, Some("one"));
    poller.forget(&"one");
    assert_eq!(poller.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_a_change_of_ours_says_nothing_after_it() {
    let (poller, source, mut wakes) = poller(true);
    let _ = poller.watch(&source, "a", &"one");
    while source.asked.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(BASE / 10).await;
    }
    // It may have been asked in this very moment, and be of no earlier time than the change.
    tokio::time::sleep(BASE / 10).await;
    // The question is on its way with the old value in its answer; then we change the thing.
    source.value.store(1, Ordering::SeqCst);
    poller.refresh(&source, "a");
    source.answers.add_permits(1000);
    let from = Instant::now();
    assert_eq!(wakes.next().await, Some("one"));
    assert_eq!(seen(&poller.watch(&source, "a", &"one")), Some(1));
    assert!(from.elapsed() < BASE / 2, "it was asked for again soon, not after a whole pause");
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_several_things_hears_of_each_until_it_asks_for_fewer() {
    let (poller, source, mut wakes) = poller(false);
    let (_, other, _) = self::poller(false);
    let both = [(source.clone(), "a".to_owned()), (other.clone(), "b".to_owned())];
    let _ = poller.watch_all(&both, &"one");
    assert_eq!((wakes.next().await, wakes.next().await), (Some("one"), Some("one")));
    let reports = poller.watch_all(&both, &"one");
    assert_eq!(reports.iter().map(seen).collect::<Vec<_>>(), [Some(0), Some(0)]);
    other.value.store(99, Ordering::SeqCst);
    assert_eq!(wakes.next().await, Some("one"));
    let _ = poller.watch(&source, "a", &"one");
    let asked = other.asked.load(Ordering::SeqCst);
    tokio::time::sleep(BASE * 10).await;
    assert_eq!(other.asked.load(Ordering::SeqCst), asked, "nobody waits for it");
    source.value.store(5, Ordering::SeqCst);
    assert_eq!(wakes.next().await, Some("one"), "the one that is left is asked for as before");
}

#[tokio::test(start_paused = true)]
async fn who_is_in_a_hurry_does_not_wait_for_a_whole_pause() {
    let (poller, source, mut wakes) = poller(false);
    let _ = poller.watch(&source, "a", &"one");
    poller.poll_soon(&source);
    let from = Instant::now();
    assert_eq!(wakes.next().await, Some("one"));
    assert!(from.elapsed() < BASE / 2);
}
