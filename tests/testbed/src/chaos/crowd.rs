//! The objects: a steady number of them lives at a time, each in a namespace and a region of Glue of its own.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use kube_glue_double::Double;
use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    time::sleep,
};

use super::{Era, Settings};
use crate::{
    error::{Error, Result},
    lives::{
        KINDS, Kind, Life, Step,
        objects::Objects,
        outcome::Outcome,
        site::{Glue, Site},
    },
    progress::say,
};

/// How long each wait of a life may take: it may begin in the chaos.
const LIMIT: Duration = Duration::from_hours(1);
/// How long each wait may take without a disturbance.
const CALM: Duration = Duration::from_mins(2);
/// How long everybody has to come to an end, once nothing is disturbed any more.
const RECOVERY: Duration = Duration::from_mins(5);
/// How long an end may take to look like the undisturbed one.
const SETTLES_WITHIN: Duration = Duration::from_mins(2);
/// How long an undisturbed end must stay as it is.
const QUIET: Duration = Duration::from_secs(2);

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The kind and the life.
    pub life: String,
    /// Its namespace.
    pub namespace: String,
    /// How many starts Glue has more than it has without disturbances.
    pub extra_starts: usize,
    /// How many it has less.
    pub missing_starts: usize,
    /// The keys that two runs have.
    pub keys_used_twice: Vec<String>,
    /// Whether it did not come to its end, and where it waits.
    pub stuck: Option<String>,
    /// How its end differs.
    pub differences: Vec<String>,
}

impl Ending {
    /// Whether it is what it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.extra_starts == 0
            && self.missing_starts == 0
            && self.keys_used_twice.is_empty()
            && self.stuck.is_none()
            && self.differences.is_empty()
    }
}

/// The objects.
pub(super) struct Crowd<'a> {
    client: Client,
    objects: &'a Objects,
    double: &'a Double,
    at_once: usize,
    lives: Vec<(&'static Kind, Life)>,
    /// The undisturbed ends, in the order of the lives.
    references: Mutex<Vec<Outcome>>,
    number: AtomicUsize,
    endings: Mutex<Vec<Ending>>,
    /// One of them is not what it should be.
    found: Notify,
    starts: AtomicUsize,
    order: Mutex<fastrand::Rng>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(client: Client, objects: &'a Objects, double: &'a Double, settings: &Settings) -> Self {
        let most = settings.lives.unwrap_or(usize::MAX);
        let of_kind = |kind: &'static Kind| (kind.lives)().into_iter().take(most).map(move |life| (kind, life));
        let lives = KINDS.iter().flat_map(of_kind).collect();
        Self {
            client,
            objects,
            double,
            at_once: settings.objects,
            lives,
            references: Mutex::default(),
            number: AtomicUsize::new(0),
            endings: Mutex::default(),
            found: Notify::new(),
            starts: AtomicUsize::new(0),
            order: Mutex::new(fastrand::Rng::with_seed(settings.seed)),
        }
    }

    /// Lives each life once, undisturbed.
    pub(super) async fn learn(&self) -> Result<()> {
        let learned = stream::iter(&self.lives).map(async |(kind, life)| {
            let site = self.site(kind, CALM);
            site.prepare(life).await?;
            let uids = site.live(life).await.map_err(|stuck| Error::Life {
                life: format!("{} {}", kind.kind, life.name),
                problem: format!("{}; the object: {}", stuck.at, stuck.object["status"]),
            })?;
            Ok::<_, Error>(site.settle(&uids, None, QUIET, SETTLES_WITHIN).await)
        });
        let learned: Vec<_> = learned.buffered(self.at_once).try_collect().await?;
        *lock(&self.references) = learned;
        Ok(())
    }

    /// Lets objects live until the recovery begins, and those that live then to their ends.
    pub(super) async fn live(&self, era: watch::Receiver<Era>) {
        let is_chaos = era.clone();
        let numbers = stream::iter(0..).take_while(move |_: &usize| {
            let goes_on = *is_chaos.borrow() == Era::Chaos;
            std::future::ready(goes_on)
        });
        let lives = numbers.map(|number| self.live_one(number, era.clone()));
        lives.buffer_unordered(self.at_once).for_each(|ending| async { self.record(ending) }).await;
    }

    fn record(&self, ending: Ending) {
        if !ending.is_good() {
            say(super::NAME, &format!("{ending:?}"));
            self.found.notify_one();
        }
        lock(&self.endings).push(ending);
    }

    async fn live_one(&self, number: usize, mut era: watch::Receiver<Era>) -> Ending {
        // Each once in turn, in an order that is another in each turn.
        let chosen = if number < self.lives.len() { number } else { lock(&self.order).usize(0..self.lives.len()) };
        let (kind, life) = &self.lives[chosen];
        let reference = lock(&self.references)[chosen].clone();
        let site = self.site(kind, LIMIT);
        let overdue = async {
            let _ = era.wait_for(|era| *era >= Era::Recovery).await;
            sleep(RECOVERY).await;
        };
        let lived = async {
            site.prepare(life).await.map_err(|error| error.to_string())?;
            site.live(life).await.map_err(|stuck| stuck.at)
        };
        let mut stuck = None;
        let outcome = tokio::select! {
            lived = lived => match lived {
                Ok(uids) => site.settle(&uids, Some(&reference), QUIET, SETTLES_WITHIN).await,
                Err(at) => {
                    stuck = Some(format!("{at}; the object: {}", site.object()["status"]));
                    site.outcome(&[])
                }
            },
            () = overdue => {
                stuck = Some(format!("the object: {}", site.object()["status"]));
                site.outcome(&[])
            }
        };
        let (starts, expected) = (outcome.starts(), reference.starts());
        self.starts.fetch_add(starts, Ordering::Relaxed);
        let ending = Ending {
            life: format!("{} {}", kind.kind, life.name),
            extra_starts: starts.saturating_sub(expected),
            missing_starts: expected.saturating_sub(starts),
            keys_used_twice: keys_used_twice(&outcome.glue),
            differences: if stuck.is_some() { Vec::new() } else { outcome.differences(&reference) },
            namespace: site.namespace.clone(),
            stuck,
        };
        if ending.is_good() {
            // Those that live have the controllers for themselves. What cannot be deleted now stays, as one that is bad does.
            let _ = site.live(&Life { name: "is over", prepare: |_| {}, steps: vec![Step::Delete] }).await;
        }
        ending
    }

    fn site(&self, kind: &'static Kind, limit: Duration) -> Site<'a> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        Site {
            client: self.client.clone(),
            objects: self.objects,
            kind,
            namespace: format!("chaos-{number}"),
            glue: Glue { double: self.double.clone(), region: format!("eu-chaos-{number}") },
            clock_is_held: false,
            limit,
        }
    }

    /// Waits for one that is not what it should be.
    pub(super) async fn found(&self) {
        self.found.notified().await;
    }

    /// What became of those that have ended.
    pub(super) fn endings(&self) -> Vec<Ending> {
        lock(&self.endings).clone()
    }

    /// How many starts Glue has for those that have ended.
    pub(super) fn starts(&self) -> usize {
        self.starts.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys of attempts that more than one run in Glue has.
fn keys_used_twice(glue: &Value) -> Vec<String> {
    let runs = |list: &str, keys: &str| -> Vec<String> {
        let items = glue[list].as_array().cloned().unwrap_or_default();
        // A run that a workflow or a trigger started carries no key, and one that resumes another has the key of that.
        let own = items.iter().filter(|run| run["PreviousRunId"].is_null());
        own.filter_map(|run| run[keys].as_object().cloned())
            .flat_map(|arguments| {
                arguments
                    .into_iter()
                    .filter(|(name, _)| name.ends_with("kube-glue-run"))
                    .map(|(_, key)| key.to_string())
            })
            .collect()
    };
    let mut counts = BTreeMap::<String, usize>::new();
    for key in runs("jobs", "Arguments").into_iter().chain(runs("workflow", "WorkflowRunProperties")) {
        *counts.entry(key).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(key, _)| key).collect()
}
