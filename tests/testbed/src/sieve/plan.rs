//! Plans of disturbances, generated from a trace.
//!
//! They are Sieve's three patterns. *Intermediate states*: the controller is killed between two of its actions.
//! *Unobserved states*: events of the watch are missed or late. *Stale states*: the controller is killed, and the next one
//! is shown an older state at first. A plan is left out when nothing can come of it: when the controller does not act on
//! what is disturbed.

use std::{fmt, time::Duration};

use super::trace::{Action, Trace};

/// When a controller is killed, in relation to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum When {
    /// The action was sent and never takes place.
    Before,
    /// The action has taken place, and nobody has its answer.
    After,
    /// The action takes place when the next controller runs. Only calls of AWS.
    Late,
}

/// Where a controller is killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kill {
    /// The action.
    pub action: Action,
    /// When.
    pub when: When,
}

/// When a controller that was shown an older state sees the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// After its first write, or after a time if it does not write.
    AfterWrite,
    /// At once after the list.
    AfterList,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The controller is killed.
    Kill(Kill),
    /// It is killed, and the next one at its nth write, from 0.
    KillTwice(Kill, usize, When),
    /// Events from this one on are not delivered before the next one, which replaces them.
    Miss {
        /// The first of them.
        from: usize,
        /// How many.
        count: usize,
    },
    /// The event, and all that follow, come this much later.
    Delay {
        /// The event.
        event: usize,
        /// How much.
        by: Duration,
    },
    /// The controller is killed at an event, and the next one is shown the state of an earlier event.
    Stale {
        /// The event that it never sees.
        at: usize,
        /// What the next one sees; none for a time before the object.
        view: Option<usize>,
        /// Until when.
        until: CatchUp,
    },
}

/// The pattern of a plan, as Sieve calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pattern {
    /// Killed between two actions.
    Intermediate,
    /// Events missed or late.
    Unobserved,
    /// Restarted against an older view.
    Stale,
}

impl Plan {
    /// Its pattern.
    #[must_use]
    pub fn pattern(&self) -> Pattern {
        match self {
            Self::Kill(_) | Self::KillTwice(..) => Pattern::Intermediate,
            Self::Miss { .. } | Self::Delay { .. } => Pattern::Unobserved,
            Self::Stale { .. } => Pattern::Stale,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// The writes of the second controller at which it is killed, too.
const SECOND_KILLS: usize = 3;
/// The most events that are missed in a row.
const MISSED: usize = 4;
/// How late events come.
const DELAYS: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1500)];

/// All plans of a trace, and how many were left out because nothing can come of them.
#[must_use]
pub fn generate(trace: &Trace) -> (Vec<Plan>, usize) {
    let mut plans = Vec::new();
    let mut pruned = 0;
    let mut add = |counts: bool, plan: Plan| {
        if counts {
            plans.push(plan);
        } else {
            pruned += 1;
        }
    };
    for (place, action) in trace.actions() {
        let whens = match action {
            Action::Write(_) => &[When::Before, When::After][..],
            Action::Call(..) => &[When::Before, When::After, When::Late],
        };
        for &when in whens {
            let kill = Kill { action: action.clone(), when };
            // After the last action nothing is left to do.
            let acts = when != When::After || trace.acts_within(place, None);
            add(acts, Plan::Kill(kill.clone()));
            for nth in 0..SECOND_KILLS {
                // The second controller writes at most what the first one had left to write.
                let left =
                    trace.actions().filter(|(later, action)| *later > place && matches!(action, Action::Write(_)));
                let has_so_many = left.count() + usize::from(when != When::After) > nth;
                for second in [When::Before, When::After] {
                    add(acts && has_so_many, Plan::KillTwice(kill.clone(), nth, second));
                }
            }
        }
    }
    let events = trace.events();
    for from in 0..events.len() {
        for count in (1..=MISSED).filter(|count| from + count < events.len()) {
            // What is missed must have been acted on.
            let acted = trace.acts_within(events[from], Some(events[from + count]));
            add(acted, Plan::Miss { from, count });
        }
        for by in DELAYS {
            add(trace.acts_within(events[from], None), Plan::Delay { event: from, by });
        }
        for view in (0..from).map(Some).chain([None]) {
            // The older view must look different, and lead to something.
            let differs = view.is_none_or(|view| trace.differ(view, from));
            let next = |view: usize| events.get(view + 1).copied();
            let led_to_something = view.is_none_or(|view| trace.acts_within(events[view], next(view)));
            for until in [CatchUp::AfterWrite, CatchUp::AfterList] {
                add(differs && led_to_something, Plan::Stale { at: from, view, until });
            }
        }
    }
    (plans, pruned)
}

/// So many of the plans, spread evenly over all; `seed` says which.
#[must_use]
pub fn sample<T>(plans: Vec<T>, amount: usize, seed: u64) -> Vec<T> {
    let total = plans.len();
    if amount >= total {
        return plans;
    }
    let first = usize::try_from(seed).unwrap_or_default() % total.max(1);
    let chosen: std::collections::BTreeSet<_> =
        (0..amount).map(|nth| (first + nth * total / amount.max(1)) % total).collect();
    plans.into_iter().enumerate().filter(|(number, _)| chosen.contains(number)).map(|(_, plan)| plan).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::trace::Entry, *};

    /// An object that is shown, gets a finalizer, and whose run is started and recorded.
    fn trace() -> Trace {
        let event = |nth: usize| Entry::Event(nth, json!(nth));
        let acted = |action| Entry::Acted(action);
        Trace(vec![
            event(0),
            acted(Action::Write(0)),
            event(1),
            acted(Action::Write(1)),
            acted(Action::Call("StartJobRun".to_owned(), 1)),
            acted(Action::Write(2)),
            event(2),
            event(3),
        ])
    }

    #[test]
    fn every_action_is_killed_at_but_what_nothing_follows() {
        let (plans, pruned) = generate(&trace());
        let kills: Vec<_> = plans.iter().filter(|plan| matches!(plan, Plan::Kill(_))).collect();
        // Two for each write and three for the call, without the one after the last write.
        assert_eq!(kills.len(), 8);
        assert!(!plans.contains(&Plan::Kill(Kill { action: Action::Write(2), when: When::After })));
        assert!(pruned > 0);
    }

    #[test]
    fn events_that_were_not_acted_on_are_not_missed() {
        let (plans, _) = generate(&trace());
        assert!(plans.contains(&Plan::Miss { from: 0, count: 1 }));
        assert!(!plans.contains(&Plan::Miss { from: 2, count: 1 }));
        assert!(!plans.iter().any(|plan| matches!(plan, Plan::Delay { event: 3, .. })));
        assert!(plans.contains(&Plan::Stale { at: 3, view: Some(1), until: CatchUp::AfterWrite }));
        assert!(!plans.contains(&Plan::Stale { at: 3, view: Some(2), until: CatchUp::AfterWrite }));
    }

    #[test]
    fn a_sample_is_spread_over_all_plans() {
        let (plans, _) = generate(&trace());
        for seed in 0..5 {
            let some = sample(plans.clone(), 10, seed);
            assert_eq!(some.len(), 10);
            let patterns: std::collections::BTreeSet<_> = some.iter().map(Plan::pattern).collect();
            assert!(patterns.len() > 1, "{patterns:?}");
        }
        assert_eq!(sample(plans.clone(), 10_000, 1).len(), plans.len());
    }
}
