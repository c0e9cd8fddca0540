//! Eventual stability: from every state that is reached, once faults stop, every fair continuation comes to its end, and
//! then writes nothing. (Sun et al., "Anvil: Verifying Liveness of Cluster Management Controllers", OSDI 2024.)
//!
//! Every reachable state is the beginning of a calm: no fault happens any more, and nobody else starts or changes anything.
//! The calm is explored to the end, as a graph. What goes on for ever is a cycle of the graph, so each strongly connected
//! component is looked at, unless no fair continuation stays in it. Fair is:
//!
//! - Controller 0 goes on to begin passes on the newest version with the newest observation while there is news. What it
//!   begins besides, and all that controller 1 begins, is left to chance.
//! - A pass that has begun goes on, what was sent takes effect or is lost, and what is live ends.
//! - Time goes on. It passes when no pass and no start is under way, and controller 0 has seen all news: passes take less
//!   time than the settle time.
//!
//! A component in which something is written, or in which the object is not at its end, is a violation.

use std::collections::{HashMap, HashSet, VecDeque};

use kube_glue_testbed::Proof;

use super::connection::Connection;
use super::crawl::Crawl;
use super::firing::Firing;
use super::job_run::JobRun;
use super::object::{Pass, hash};
use super::workflow_run::ResumedRun;
use super::world::{SETTLE, Transition, World};
use super::{Exploration, Mutation, Subject};

/// How much longer than before a calm lasts, in settle times.
const LASTS: i64 = 2;

/// What a fair continuation does again and again while it can, as bits of [`Edge::does`].
const TIME_PASSES: u8 = 1;
const SENT_ARRIVES: u8 = 1 << 1;
const LIVE_ENDS: u8 = 1 << 2;
const FRESH_PASS: u8 = 1 << 3;
const STEP: [u8; 2] = [1 << 4, 1 << 5];
/// What is not owed to anybody.
const WRITE: u8 = 1 << 7;
const FAIR: u8 = !WRITE;

/// A transition of a calm.
#[derive(Clone, Copy, Debug)]
struct Edge {
    to: usize,
    does: u8,
}

/// How many states were explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Those that are reached while faults happen.
    pub reached: usize,
    /// Those of the calms after them.
    pub calm: usize,
}

/// What is known of a calm in one state.
#[derive(Clone, Copy, Debug, Default, Hash)]
pub struct Calm {
    /// Whether something changed since controller 0 last began a pass on the newest version with the newest observation.
    news: bool,
    /// Whether controller 0 has ended such a pass, and nothing has changed since it began.
    rested: bool,
}

/// A continuation that does not end.
#[derive(Debug)]
pub struct Livelock {
    /// What happens in it, again and again, and where the object is then.
    pub description: String,
}

impl<S: Subject> Exploration<S> {
    /// Explores every reachable state, and the calm after each.
    pub fn stabilizes(&self) -> Result<Size, Livelock> {
        let (mut reached, mut graph, mut next) = (HashSet::new(), Graph::default(), vec![World::new(self)]);
        while let Some(world) = next.pop() {
            if !reached.insert(hash(&world)) {
                continue;
            }
            graph.explore(world.calmed());
            next.extend(world.transitions().into_iter().map(|transition| *transition.next));
        }
        match graph.livelock() {
            None => Ok(Size { reached: reached.len(), calm: graph.edges.len() }),
            Some(states) => Err(self.describe(&states.into_iter().map(|state| graph.hashes[state]).collect())),
        }
    }

    /// Finds the states of a livelock again, and says what happens in them.
    fn describe(&self, livelock: &HashSet<u64>) -> Livelock {
        let (mut reached, mut next) = (HashSet::new(), vec![World::new(self)]);
        let mut calms = Vec::new();
        while let Some(world) = next.pop() {
            if reached.insert(hash(&world)) {
                next.extend(world.transitions().into_iter().map(|transition| *transition.next));
                calms.push(world.calmed());
            }
        }
        let mut seen = HashSet::new();
        while let Some(world) = calms.pop() {
            let number = hash(&world);
            if livelock.contains(&number) {
                return Livelock { description: world.walk(livelock) };
            }
            if seen.insert(number) {
                calms.extend(world.calm_transitions().into_iter().map(|(_, _, next)| next));
            }
        }
        Livelock { description: "the states were not found again".to_owned() }
    }
}

impl<S: Subject> World<S> {
    /// The same state when faults stop.
    fn calmed(&self) -> Self {
        let limit = self.limit() + LASTS * SETTLE;
        let mut calmed = self.clone();
        (calmed.faults, calmed.others) = (0, 0);
        calmed.calm = Some((limit, Calm { news: true, rested: false }));
        calmed
    }

    /// What can happen next in a calm: what it does, how it is called, and the state that it leads to.
    fn calm_transitions(&self) -> Vec<(u8, String, Self)> {
        let Some((limit, calm)) = self.calm else { return Vec::new() };
        if self.violation().is_some() {
            return Vec::new();
        }
        let mut next = Vec::new();
        for (who, step) in STEP.into_iter().enumerate().take(self.active()) {
            let is_idle = self.controllers[who].pass.is_none();
            if who == 0 && is_idle && calm.rested && self.clock < limit {
                continue;
            }
            for transition in self.of_controller(who) {
                let begun = transition.next.controllers[who].pass.as_ref().filter(|_| is_idle);
                let is_fresh = |pass: &Pass<S>| pass.newest && pass.object.version == self.object.version;
                let does = match begun {
                    Some(pass) if who == 0 && is_fresh(pass) => FRESH_PASS,
                    Some(_) => 0,
                    None => step,
                };
                next.push((does, transition));
            }
        }
        next.extend(self.arrivals().into_iter().map(|transition| (SENT_ARRIVES, transition)));
        next.extend(self.live_ends().map(|transition| (LIVE_ENDS, transition)));
        let at_rest = self.in_flight.is_empty() && self.controllers.iter().all(|controller| controller.pass.is_none());
        if at_rest && calm.rested && self.clock < limit {
            next.push((TIME_PASSES, self.then("the settle time passes", Self::settle)));
        }
        let with_news = |(does, transition): (u8, Transition<S>)| {
            let mut next = *transition.next;
            let writes = next.object.version != self.object.version;
            let changes = writes || next.started != self.started || next.clock != self.clock;
            let ended = self.controllers[0].pass.as_ref().filter(|_| next.controllers[0].pass.is_none());
            let mut after = Calm { news: calm.news || changes, rested: calm.rested && !changes };
            if does == FRESH_PASS {
                after = Calm { news: false, rested: false };
            } else if ended.is_some_and(|pass| pass.newest) {
                after.rested = !after.news;
            }
            next.calm = Some((limit, after));
            (if writes { does | WRITE } else { does }, transition.label, next)
        };
        next.into_iter().map(with_news).collect()
    }

    /// What happens again and again within a livelock, from this state of it on: the way to its next writes.
    fn walk(self, livelock: &HashSet<u64>) -> String {
        let (mut world, mut said) = (self, Vec::new());
        for _ in 0..4 {
            let Some((labels, next)) = world.next_write(livelock) else { break };
            said.extend(labels);
            world = next;
        }
        format!("{}\n{:#?}", said.join("\n"), world.object.status)
    }

    /// The shortest way within a livelock to a write, and where it leads to.
    fn next_write(&self, livelock: &HashSet<u64>) -> Option<(Vec<String>, Self)> {
        let mut seen = HashSet::from([hash(self)]);
        let mut ways = VecDeque::from([(Vec::new(), self.clone())]);
        while let Some((labels, world)) = ways.pop_front() {
            for (does, label, next) in world.calm_transitions() {
                let number = hash(&next);
                let longer = || [&labels[..], std::slice::from_ref(&label)].concat();
                if livelock.contains(&number) && does & WRITE != 0 {
                    return Some((longer(), next));
                }
                if livelock.contains(&number) && seen.insert(number) {
                    ways.push_back((longer(), next));
                }
            }
        }
        None
    }
}

/// The states of calms, by number.
#[derive(Debug, Default)]
struct Graph {
    numbers: HashMap<u64, usize>,
    hashes: Vec<u64>,
    edges: Vec<Vec<Edge>>,
    /// Whether the object is at its end.
    at_end: Vec<bool>,
}

impl Graph {
    /// The number of a state, and whether it is new.
    fn number<S: Subject>(&mut self, world: &World<S>) -> (usize, bool) {
        let (hash, next) = (hash(world), self.edges.len());
        let number = *self.numbers.entry(hash).or_insert(next);
        if number == next {
            self.hashes.push(hash);
            self.edges.push(Vec::new());
            self.at_end.push(world.violation().is_none() && world.subject.is_settled(world));
        }
        (number, number == next)
    }

    /// Adds all that this state leads to.
    fn explore<S: Subject>(&mut self, calmed: World<S>) {
        let (number, is_new) = self.number(&calmed);
        let mut next = if is_new { vec![(number, calmed)] } else { Vec::new() };
        while let Some((number, world)) = next.pop() {
            for (does, _, after) in world.calm_transitions() {
                let (to, is_new) = self.number(&after);
                self.edges[number].push(Edge { to, does });
                if is_new {
                    next.push((to, after));
                }
            }
        }
    }

    /// The states of a fair continuation that writes for ever, or does not come to its end.
    fn livelock(&self) -> Option<Vec<usize>> {
        let all = || 0..self.edges.len();
        if let Some(stuck) = all().find(|state| self.edges[*state].is_empty() && !self.at_end[*state]) {
            return Some(vec![stuck]);
        }
        let mut parts = vec![all().collect::<Vec<_>>()];
        while let Some(part) = parts.pop() {
            for component in components(&self.edges, &part) {
                let within: HashSet<_> = component.iter().copied().collect();
                let (mut possible, mut done) = (0, None);
                for edge in component.iter().flat_map(|state| &self.edges[*state]) {
                    possible |= edge.does;
                    if within.contains(&edge.to) {
                        done = Some(done.unwrap_or(0) | edge.does);
                    }
                }
                let Some(done) = done else { continue };
                // A fair continuation leaves the component, unless it keeps away from where it can do what is owed.
                let owed = possible & !done & FAIR;
                if owed == 0 {
                    if done & WRITE != 0 || component.iter().any(|state| !self.at_end[*state]) {
                        return Some(component);
                    }
                    continue;
                }
                let owes_nothing = |state: &usize| self.edges[*state].iter().all(|edge| edge.does & owed == 0);
                parts.push(component.into_iter().filter(owes_nothing).collect());
            }
        }
        None
    }
}

/// The strongly connected components of a part of a graph, by Tarjan's algorithm.
fn components(edges: &[Vec<Edge>], part: &[usize]) -> Vec<Vec<usize>> {
    let mut order: HashMap<usize, Option<usize>> = part.iter().map(|state| (*state, None)).collect();
    let mut lowest: HashMap<usize, usize> = HashMap::new();
    let (mut found, mut open, mut is_open, mut count) = (Vec::new(), Vec::new(), HashSet::new(), 0);
    for root in part {
        // Each state on the way, and how many of its edges were followed.
        let mut way = if order[root].is_none() { vec![(*root, 0)] } else { Vec::new() };
        while let Some((state, followed)) = way.pop() {
            if followed == 0 {
                order.insert(state, Some(count));
                lowest.insert(state, count);
                count += 1;
                open.push(state);
                is_open.insert(state);
            } else {
                let child = edges[state][followed - 1].to;
                if is_open.contains(&child) {
                    let low = lowest[&state].min(lowest[&child]);
                    lowest.insert(state, low);
                }
            }
            let next = (followed..edges[state].len()).find(|at| order.contains_key(&edges[state][*at].to));
            if let Some(at) = next {
                way.push((state, at + 1));
                let child = edges[state][at].to;
                if order[&child].is_none() {
                    way.push((child, 0));
                }
                continue;
            }
            if Some(lowest[&state]) == order[&state] {
                let begin = open.iter().rposition(|other| *other == state).unwrap_or_default();
                let component = open.split_off(begin);
                for state in &component {
                    is_open.remove(state);
                }
                found.push(component);
            }
        }
    }
    found
}

/// Explores the calms of these, and prints how many states there are.
fn stabilize<S: Subject>(explorations: impl IntoIterator<Item = Exploration<S>>) {
    for exploration in explorations {
        let Size { reached, calm } =
            exploration.stabilizes().unwrap_or_else(|livelock| panic!("{exploration:?}:\n{}", livelock.description));
        println!(
            "{} controllers, {} faults: {reached} states, {calm} of their calms",
            exploration.controllers, exploration.faults
        );
        Proof::new(calm, "states", 0).print();
    }
}

#[test]
fn once_faults_stop_every_fair_continuation_ends_and_then_writes_nothing() {
    stabilize([Exploration::new(JobRun, 1, 1), Exploration::new(JobRun, 2, 0)]);
    stabilize([Exploration::new(ResumedRun, 1, 1)]);
    stabilize([Exploration { others: 1, ..Exploration::new(Crawl { coalesce: true }, 1, 1) }]);
    stabilize([Exploration { others: 1, ..Exploration::new(Crawl { coalesce: false }, 1, 1) }]);
    stabilize([Exploration::new(Firing { replaceable: false }, 1, 1)]);
    stabilize([Exploration::new(Connection::new(), 1, 1)]);
}

#[test]
#[ignore = "takes minutes"]
fn once_more_faults_stop_every_fair_continuation_ends() {
    stabilize([Exploration::new(JobRun, 1, 2), Exploration::new(JobRun, 2, 1)]);
    stabilize([Exploration::new(ResumedRun, 1, 2), Exploration::new(ResumedRun, 2, 0)]);
    stabilize([Exploration { others: 1, ..Exploration::new(Crawl { coalesce: true }, 1, 2) }]);
    stabilize([Exploration { others: 1, ..Exploration::new(Crawl { coalesce: false }, 1, 2) }]);
    stabilize([
        Exploration::new(Firing { replaceable: false }, 1, 2),
        Exploration::new(Firing { replaceable: true }, 1, 1),
    ]);
    stabilize([Exploration::new(Connection::new(), 1, 2), Exploration::new(Connection::new(), 2, 0)]);
}

/// No property of single states shows it, and neither does a controller that is alone.
#[test]
fn controllers_that_undo_each_others_writes_are_found() {
    let mutation = Some(Mutation::ControllersUndoEachOther);
    let exploration = Exploration { mutation, ..Exploration::new(JobRun, 2, 0) };
    assert!(!exploration.clone().finds_a_violation());
    let livelock = exploration.stabilizes().expect_err("a livelock").description;
    assert!(livelock.contains("0 adds the finalizer") && livelock.contains("1 undoes the finalizer"), "{livelock}");
}
