//! The tap of one plan: it records what the controller sees and does, and disturbs it as planned.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;

use super::{
    plan::{CatchUp, Kill, Plan, When},
    trace::{Action, Entry, as_decided_on},
};
use crate::{
    lives::OBJECT,
    relay::{Fate, Tap, Verdict, WatchEvent, Write},
    replica::Process,
};

/// After so long without a successor, a missed event comes after all: a watch loses none for ever.
const MISSED_FOR: Duration = Duration::from_secs(2);
/// After so long without a write, the older view ends.
const STALE_FOR: Duration = Duration::from_millis(1500);

/// What the taps of the controllers of one plan share.
#[derive(Debug)]
pub(super) struct Disturbance {
    plural: &'static str,
    plan: Option<Plan>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    process: Option<Process>,
    /// How many controllers there were.
    epoch: usize,
    is_dead: bool,
    kills: usize,
    /// The versions of the object that a controller was to be shown, oldest first.
    history: Vec<WatchEvent>,
    entries: Vec<(Timestamp, Entry)>,
    writes: usize,
    /// The writes of the controller that runs now.
    writes_of_this: usize,
    /// Events that are held back, since when.
    held: Vec<WatchEvent>,
    held_since: Option<Instant>,
    stale: Option<Stale>,
    /// Whether the plan came to pass.
    is_met: bool,
}

/// An older view that a controller is shown.
#[derive(Debug)]
struct Stale {
    /// The events after this number have not been shown.
    view: Option<usize>,
    until: CatchUp,
    /// Whether the list had the object.
    listed: bool,
    /// Since the end of the list.
    since: Option<Instant>,
    written: bool,
}

impl Disturbance {
    pub(super) fn new(plural: &'static str, plan: Option<Plan>) -> Arc<Self> {
        Arc::new(Self { plural, plan, state: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tap of the next controller, which is to be admitted before it runs.
    pub(super) fn next(self: &Arc<Self>) -> Arc<dyn Tap> {
        let mut state = self.lock();
        state.epoch += 1;
        state.is_dead = false;
        state.process = None;
        state.writes_of_this = 0;
        state.held.clear();
        Arc::new(SieveTap { epoch: state.epoch, shared: Arc::clone(self) })
    }

    /// The controller runs as this process.
    pub(super) fn runs_as(&self, process: Process) {
        let mut state = self.lock();
        if state.is_dead {
            process.kill();
        }
        state.process = Some(process);
    }

    /// Kills the controller, as the plan has it.
    pub(super) fn kill(&self) {
        self.lock().kill();
    }

    /// Whether the plan came to pass, and how many kills there were.
    pub(super) fn met(&self) -> (bool, usize) {
        let state = self.lock();
        (state.is_met, state.kills)
    }

    /// What the controller saw and wrote, each with its time.
    pub(super) fn entries(&self) -> Vec<(Timestamp, Entry)> {
        self.lock().entries.clone()
    }

    /// The kill that the plan has for the first controller.
    pub(super) fn first_kill(&self) -> Option<&Kill> {
        match &self.plan {
            Some(Plan::Kill(kill) | Plan::KillTwice(kill, ..)) => Some(kill),
            _ => None,
        }
    }

    fn verdict(&self, state: &mut State) -> Verdict {
        let of = |when| match when {
            When::Before | When::Late => Verdict::Drop,
            When::After => Verdict::LoseAnswer,
        };
        if let Some(Kill { action: Action::Write(nth), when }) = self.first_kill()
            && state.epoch == 1
            && state.writes == *nth
        {
            return of(*when);
        }
        match &self.plan {
            Some(Plan::KillTwice(_, nth, when)) if state.epoch == 2 && state.writes_of_this == *nth => of(*when),
            _ => Verdict::Send,
        }
    }
}

impl State {
    fn kill(&mut self) {
        self.is_dead = true;
        self.is_met = true;
        self.kills += 1;
        if let Some(process) = self.process {
            process.kill();
        }
    }

    /// The number of an event, which is new or has been seen.
    fn number(&mut self, event: &WatchEvent) -> usize {
        let version = |event: &WatchEvent| event.object["metadata"]["resourceVersion"].clone();
        if let Some(number) = self.history.iter().position(|seen| version(seen) == version(event)) {
            return number;
        }
        let number = self.history.len();
        self.history.push(event.clone());
        self.entries.push((Timestamp::now(), Entry::Event(number, as_decided_on(&event.kind, &event.object))));
        number
    }

    /// The events that the older view has hidden, if it ends now.
    fn catch_up(&mut self) -> Vec<WatchEvent> {
        let is_due = self.stale.as_ref().is_some_and(|stale| {
            let Some(since) = stale.since else { return false };
            stale.until == CatchUp::AfterList || stale.written || since.elapsed() > STALE_FOR
        });
        if !is_due {
            return Vec::new();
        }
        let stale = self.stale.take();
        let shown = stale.and_then(|stale| stale.view).map_or(0, |view| view + 1);
        self.history[shown.min(self.history.len())..].to_vec()
    }
}

/// The tap of one controller.
#[derive(Debug)]
struct SieveTap {
    epoch: usize,
    shared: Arc<Disturbance>,
}

impl SieveTap {
    fn concerns(&self, event: &WatchEvent) -> bool {
        event.plural == self.shared.plural && event.object["metadata"]["name"] == OBJECT
    }
}

impl Tap for SieveTap {
    fn on_write(&self, write: &Write) -> Verdict {
        if write.plural != self.shared.plural {
            return Verdict::Send;
        }
        let mut state = self.shared.lock();
        let verdict = self.shared.verdict(&mut state);
        let entry = Entry::Acted(Action::Write(state.writes));
        state.entries.push((Timestamp::now(), entry));
        state.writes += 1;
        state.writes_of_this += 1;
        if verdict == Verdict::Drop {
            state.kill();
        }
        verdict
    }

    fn on_written(&self, write: &Write, verdict: Verdict, _code: u16) {
        if write.plural != self.shared.plural {
            return;
        }
        let mut state = self.shared.lock();
        if verdict == Verdict::LoseAnswer {
            state.kill();
        }
        if let Some(stale) = &mut state.stale {
            stale.written = true;
        }
    }

    fn on_list(&self, plural: &str) {
        let Some(Plan::Stale { view, until, .. }) = self.shared.plan else { return };
        let mut state = self.shared.lock();
        if plural == self.shared.plural && state.epoch == 2 && state.stale.is_none() {
            state.stale = Some(Stale { view, until, listed: false, since: None, written: false });
        }
    }

    fn on_event(&self, event: WatchEvent, in_list: bool) -> Fate {
        if !self.concerns(&event) {
            return Fate::Deliver(vec![event]);
        }
        let mut state = self.shared.lock();
        let number = state.number(&event);
        if let Some(stale) = &mut state.stale {
            stale.listed |= in_list;
            let shown = stale.view.filter(|_| in_list);
            let shown = shown.and_then(|view| as_listed(&state.history[view]));
            return Fate::Deliver(shown.into_iter().collect());
        }
        match self.shared.plan {
            Some(Plan::Stale { at, .. }) if state.epoch == 1 && number == at => {
                state.kill();
                Fate::Close
            }
            Some(Plan::Miss { from, count }) if (from..from + count).contains(&number) => {
                state.held = vec![event];
                state.held_since.get_or_insert_with(Instant::now);
                Fate::Deliver(Vec::new())
            }
            Some(Plan::Miss { from, count }) if number == from + count => {
                state.is_met = true;
                state.held.clear();
                Fate::Deliver(vec![event])
            }
            Some(Plan::Delay { event: first, .. }) if number == first || !state.held.is_empty() => {
                state.is_met = true;
                if state.held.is_empty() {
                    state.held_since = Some(Instant::now());
                }
                state.held.push(event);
                Fate::Deliver(Vec::new())
            }
            _ => Fate::Deliver(vec![event]),
        }
    }

    fn on_listed(&self, plural: &str) -> Vec<WatchEvent> {
        let mut state = self.shared.lock();
        if plural != self.shared.plural {
            return Vec::new();
        }
        let Some(mut older) = state.stale.take() else { return Vec::new() };
        let mut shown = Vec::new();
        if !older.listed {
            // It has been deleted since, which nobody has seen.
            if let Some(last) = state.history.last().filter(|last| last.kind != "DELETED").cloned() {
                state.history.push(WatchEvent { kind: "DELETED".to_owned(), ..last });
            }
            shown.extend(older.view.and_then(|view| as_listed(&state.history[view])));
        }
        older.since = Some(Instant::now());
        state.stale = Some(older);
        shown
    }

    fn turn(&self, plural: &str) -> Fate {
        if plural != self.shared.plural {
            return Fate::Deliver(Vec::new());
        }
        let mut state = self.shared.lock();
        let hidden = state.catch_up();
        if !hidden.is_empty() {
            return Fate::Deliver(hidden);
        }
        let limit = match self.shared.plan {
            Some(Plan::Delay { by, .. }) => by,
            _ => MISSED_FOR,
        };
        let is_due = !state.held.is_empty() && state.held_since.is_some_and(|since| since.elapsed() >= limit);
        Fate::Deliver(if is_due { std::mem::take(&mut state.held) } else { Vec::new() })
    }

    fn is_alive(&self) -> bool {
        let state = self.shared.lock();
        state.epoch == self.epoch && !state.is_dead
    }
}

/// An event as a list shows it; none for a deletion.
fn as_listed(event: &WatchEvent) -> Option<WatchEvent> {
    (event.kind != "DELETED").then(|| WatchEvent { kind: "ADDED".to_owned(), ..event.clone() })
}
