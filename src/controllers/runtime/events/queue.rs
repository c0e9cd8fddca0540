//! The Events that wait to be filed. Pure.
//!
//! Filing is slower than a burst of transitions, so the queue is bounded, as client-go's is. What it cannot hold is lost:
//! Normal Events first, and of one sort the oldest. Events of one reason about one object that wait together are one, the
//! latest. An object that changes to and fro has [`BURST`] Events at once, and then one per [`REFILL`], as client-go's
//! spam filter has it.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event, EventType};
use tokio::time::Instant;

/// The most Events that wait.
pub(super) const CAPACITY: usize = 5000;
/// How many of the latest Events are compared with a new one.
const LOOK_BACK: usize = 32;
/// How many Events an object may have at once.
const BURST: u32 = 25;
/// After this time an object may have one more.
const REFILL: Duration = Duration::from_mins(1);

/// An Event, and when it happened.
pub(super) struct Waiting {
    pub(super) object: ObjectReference,
    pub(super) event: Event,
    pub(super) at: jiff::Timestamp,
}

/// The queue.
#[derive(Default)]
pub(super) struct EventQueue {
    warnings: VecDeque<Waiting>,
    normal: VecDeque<Waiting>,
    /// By the object's uid, for objects that had Events lately.
    allowances: HashMap<String, Allowance>,
    /// When the allowances that are whole again were removed last.
    swept_at: Option<Instant>,
}

/// What an object may still have.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: u32,
    refilled_at: Instant,
}

impl EventQueue {
    /// Adds an Event. Returns how many are lost by that: this one or an older one.
    pub(super) fn push(&mut self, waiting: Waiting, now: Instant) -> usize {
        let is_warning = matches!(waiting.event.type_, EventType::Warning);
        let queue = if is_warning { &mut self.warnings } else { &mut self.normal };
        let is_same = |other: &Waiting| {
            other.object.uid == waiting.object.uid
                && other.object.name == waiting.object.name
                && other.event.reason == waiting.event.reason
                && other.event.secondary == waiting.event.secondary
        };
        if let Some(other) = queue.iter_mut().rev().take(LOOK_BACK).find(|other| is_same(other)) {
            *other = waiting;
            return 0;
        }
        if !self.allows(waiting.object.uid.as_deref().unwrap_or_default(), now) {
            return 1;
        }
        let queue = if is_warning { &mut self.warnings } else { &mut self.normal };
        queue.push_back(waiting);
        if self.len() <= CAPACITY {
            return 0;
        }
        if self.normal.pop_front().is_none() {
            self.warnings.pop_front();
        }
        1
    }

    /// The next Event to file: Warnings first. An empty queue gives back the memory of the last burst.
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let next = self.warnings.pop_front().or_else(|| self.normal.pop_front());
        if self.len() == 0 {
            self.warnings.shrink_to(LOOK_BACK);
            self.normal.shrink_to(LOOK_BACK);
        }
        next
    }

    fn len(&self) -> usize {
        self.warnings.len() + self.normal.len()
    }

    /// Whether the object may have an Event now; takes it from its allowance.
    fn allows(&mut self, uid: &str, now: Instant) -> bool {
        if self.swept_at.is_none_or(|at| now.saturating_duration_since(at) >= REFILL) {
            self.allowances.retain(|_, allowance| allowance.at(now).left < BURST);
            self.allowances.shrink_to(LOOK_BACK);
            self.swept_at = Some(now);
        }
        let whole = Allowance { left: BURST, refilled_at: now };
        let allowance = self.allowances.get(uid).copied().unwrap_or(whole).at(now);
        let left = allowance.left.checked_sub(1);
        self.allowances.insert(uid.to_owned(), Allowance { left: left.unwrap_or_default(), ..allowance });
        left.is_some()
    }
}

impl Allowance {
    fn at(self, now: Instant) -> Self {
        let refills = now.saturating_duration_since(self.refilled_at).as_secs() / REFILL.as_secs();
        let refills = u32::try_from(refills).unwrap_or(BURST).min(BURST);
        let left = (self.left + refills).min(BURST);
        let refilled_at = if left == BURST { now } else { self.refilled_at + REFILL * refills };
        Self { left, refilled_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(object: usize, type_: EventType, reason: &str) -> Waiting {
        let object = ObjectReference { uid: Some(object.to_string()), ..ObjectReference::default() };
        let (reason, action) = (reason.to_owned(), "Testing".to_owned());
        let at = jiff::Timestamp::UNIX_EPOCH;
        Waiting { object, event: Event { type_, reason, note: None, action, secondary: None }, at }
    }

    fn reasons(queue: &mut EventQueue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop()).map(|waiting| waiting.event.reason).collect()
    }

    #[test]
    fn a_burst_loses_the_oldest_normal_events_and_no_warning() {
        let (mut queue, now) = (EventQueue::default(), Instant::now());
        let mut lost = 0;
        for object in 0..CAPACITY {
            lost += queue.push(event(object, EventType::Normal, &format!("n{object}")), now);
        }
        for object in 0..3 {
            lost += queue.push(event(object, EventType::Warning, &format!("w{object}")), now);
        }
        assert_eq!(lost, 3);
        let filed = reasons(&mut queue);
        assert_eq!(filed.len(), CAPACITY);
        assert_eq!(filed[..4], ["w0", "w1", "w2", "n3"]);
        assert!(queue.normal.capacity() <= 2 * LOOK_BACK, "{}", queue.normal.capacity());
    }

    #[test]
    fn events_of_one_reason_that_wait_are_one() {
        let (mut queue, now) = (EventQueue::default(), Instant::now());
        for reason in ["Started", "Running", "Started"] {
            assert_eq!(queue.push(event(1, EventType::Normal, reason), now), 0);
        }
        queue.push(event(2, EventType::Normal, "Started"), now);
        assert_eq!(reasons(&mut queue), ["Started", "Running", "Started"]);
    }

    #[test]
    fn an_object_that_changes_to_and_fro_has_a_bounded_number_of_events() {
        let (mut queue, start) = (EventQueue::default(), Instant::now());
        let mut filed = 0;
        for second in 0..3600 {
            let reason = if second % 2 == 0 { "Denied" } else { "Running" };
            queue.push(event(1, EventType::Warning, reason), start + Duration::from_secs(second));
            filed += reasons(&mut queue).len();
        }
        assert_eq!(filed, 25 + 59);
        queue.push(event(2, EventType::Warning, "Denied"), start + Duration::from_hours(3));
        assert_eq!(queue.allowances.len(), 1, "only of objects that had Events lately");
    }
}
