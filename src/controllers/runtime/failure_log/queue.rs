//! The failed runs whose log is to be read. Pure.
//!
//! Reading is bounded: in how many wait, of one namespace and in all, and in how many are read at once, one of each
//! namespace. What has no room is not read.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

/// The most runs that wait.
const CAPACITY: usize = 500;
/// The most runs of one namespace that wait.
const OF_NAMESPACE: usize = 50;
/// The most runs whose log is read at once.
const AT_ONCE: usize = 4;
/// The time between two reads.
const GAP: Duration = Duration::from_millis(100);
/// When a log is read, after the end of its run: the last lines come late. Where nothing is there yet, the next time
/// follows.
const AFTER: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(8), Duration::from_secs(30)];

/// What waits.
#[derive(Debug)]
pub(super) struct Queue<T> {
    waiting: BTreeMap<(Instant, u64), Waiting<T>>,
    by_namespace: HashMap<String, usize>,
    /// The namespaces of which a log is being read.
    reading: Vec<String>,
    next_read: Option<Instant>,
    added: u64,
}

/// A run that waits, and how often its log was read.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    pub(super) namespace: String,
    pub(super) tries: usize,
    pub(super) request: T,
}

/// What follows.
#[derive(Debug)]
pub(super) enum Next<T> {
    Read(Waiting<T>),
    /// Nothing before this time.
    At(Instant),
    /// Nothing before something is added or read.
    Nothing,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), by_namespace: HashMap::new(), reading: Vec::new(), next_read: None, added: 0 }
    }
}

impl<T> Queue<T> {
    /// Adds a run that has just failed. Whether it has room.
    pub(super) fn add(&mut self, namespace: String, request: T, now: Instant) -> bool {
        self.insert(Waiting { namespace, tries: 0, request }, now)
    }

    /// The log of a run was read. With `again`, nothing was there yet: it is read once more, if it was not read too often.
    pub(super) fn done(&mut self, namespace: &str, again: Option<Waiting<T>>, now: Instant) {
        if let Some(at) = self.reading.iter().position(|reading| reading == namespace) {
            self.reading.swap_remove(at);
        }
        if let Some(again) = again {
            self.insert(Waiting { tries: again.tries + 1, ..again }, now);
        }
    }

    /// What follows at this time.
    pub(super) fn next(&mut self, now: Instant) -> Next<T> {
        if self.reading.len() >= AT_ONCE {
            return Next::Nothing;
        }
        let free = self.waiting.iter().find(|(_, waiting)| !self.reading.contains(&waiting.namespace));
        let Some(key) = free.map(|(key, _)| *key) else { return Next::Nothing };
        let due = self.next_read.map_or(key.0, |next| next.max(key.0));
        if due > now {
            return Next::At(due);
        }
        let Some(waiting) = self.waiting.remove(&key) else { return Next::Nothing };
        if let Some(count) = self.by_namespace.get_mut(&waiting.namespace) {
            *count -= 1;
            if *count == 0 {
                self.by_namespace.remove(&waiting.namespace);
            }
        }
        self.reading.push(waiting.namespace.clone());
        self.next_read = Some(now + GAP);
        Next::Read(waiting)
    }

    fn insert(&mut self, waiting: Waiting<T>, now: Instant) -> bool {
        let Some(after) = AFTER.get(waiting.tries) else { return false };
        let count = self.by_namespace.get(&waiting.namespace).copied().unwrap_or_default();
        if self.waiting.len() >= CAPACITY || count >= OF_NAMESPACE {
            return false;
        }
        self.by_namespace.insert(waiting.namespace.clone(), count + 1);
        self.added += 1;
        self.waiting.insert((now + *after, self.added), waiting);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(queue: &mut Queue<usize>, now: Instant) -> Option<Waiting<usize>> {
        match queue.next(now) {
            Next::Read(waiting) => Some(waiting),
            Next::At(_) | Next::Nothing => None,
        }
    }

    #[test]
    fn a_log_is_read_some_time_after_the_end_and_again_while_it_is_empty() {
        let (mut queue, start) = (Queue::default(), Instant::now());
        assert!(queue.add("a".to_owned(), 1, start));
        let mut now = start;
        for after in AFTER {
            assert!(matches!(queue.next(now), Next::At(at) if at == now + after));
            now += after;
            let waiting = read(&mut queue, now).expect("it is due");
            queue.done("a", Some(waiting), now);
        }
        assert!(matches!(queue.next(now + Duration::from_hours(1)), Next::Nothing), "not for ever");
        assert!(queue.by_namespace.is_empty());
    }

    #[test]
    fn no_namespace_takes_the_room_of_others_or_reads_two_at_once() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        let added = (0..1000).filter(|number| queue.add("loud".to_owned(), *number, now)).count();
        assert_eq!(added, OF_NAMESPACE);
        assert!(queue.add("quiet".to_owned(), 7, now));
        let mut at = now + AFTER[0];
        assert_eq!(read(&mut queue, at).map(|waiting| waiting.namespace).as_deref(), Some("loud"));
        at += GAP;
        let quiet = read(&mut queue, at).expect("the other namespace comes next");
        assert_eq!((quiet.namespace.as_str(), quiet.request), ("quiet", 7));
        assert!(read(&mut queue, at + GAP).is_none(), "both are being read");
        queue.done("loud", None, at);
        assert!(read(&mut queue, at).is_none(), "not at once");
        assert!(read(&mut queue, at + GAP).is_some());
        for number in 0..1000 {
            queue.add(number.to_string(), 0, now);
        }
        assert_eq!(queue.waiting.len(), CAPACITY);
        let begun = (0..100).filter(|gap| read(&mut queue, at + GAP * (2 + gap)).is_some()).count();
        assert_eq!(begun + 2, AT_ONCE);
    }
}
