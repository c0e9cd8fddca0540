//! The replicas: each runs, is killed or paused, and is started again.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::ExitStatus,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use kube_glue_double::Double;
use rustix::process::Signal;
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{Era, Lulls, Settings, report::Counts};
use crate::{
    error::Result,
    guards,
    replica::{Replica, Setup},
};

/// The lease. A replica that renews it for so long no more loses it.
const LEASE: Duration = Duration::from_secs(4);
/// The most calls of AWS after the start of a replica that are waited for before its time runs: on a busy machine replicas
/// that are killed by the clock alone come to nothing.
const CALLS: u64 = 120;
/// The longest that a replica lives then.
const LIFE: Duration = Duration::from_secs(4);
/// The pause between two looks at the number of calls, and how long they are waited for.
const LOOK: Duration = Duration::from_millis(50);
const CALLS_WITHIN: Duration = Duration::from_secs(20);
/// How long a replica is paused: longer than its lease, and short enough that a call that it was about to send is sent
/// within the settle time. A longer pause at that very moment is what no controller can know of itself.
const PAUSE: Duration = Duration::from_secs(5);
/// The parts of replicas that get points to end at, that are paused, and that are started again only after their lease
/// has ended, so that the other one takes over.
const WITH_POINTS: f64 = 0.75;
const PAUSED: f64 = 0.03;
const LATE: f64 = 0.05;
/// How many points a replica gets: it ends at the first that it reaches.
const POINTS: usize = 8;
/// What begins the name of a point in the log, and what comes before it where the replica ended.
const POINT: &str = "failpoint: ";
const ENDED: &str = "ended at ";

/// The flags of the replicas. Starts are settled soon.
const FLAGS: &[(&str, &str)] = &[
    ("--http-address", "127.0.0.1:0"),
    ("--log-format", "text"),
    ("--log", "warn,failpoint=info"),
    ("--lease-namespace", "default"),
    ("--poll-interval", "500ms"),
    ("--poll-calls-per-minute", "60000"),
    ("--start-settle", "12s"),
    ("--aws-timeout", "4s"),
];

/// The points that replicas have been seen to reach, and how many ended at each.
#[derive(Debug, Default)]
pub(super) struct Points(Mutex<BTreeMap<String, usize>>);

impl Points {
    /// Notes the points in a replica's log. Whether it ended at one.
    fn note(&self, log: &str) -> bool {
        let mut points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut has_ended = false;
        for name in log.lines().filter_map(|line| line.split_once(POINT)).map(|(_, name)| name.trim()) {
            if let Some(name) = name.strip_prefix(ENDED) {
                *points.entry(name.to_owned()).or_default() += 1;
                has_ended = true;
            } else {
                points.entry(name.to_owned()).or_default();
            }
        }
        has_ended
    }

    /// Some of them: half of them those at which the fewest have ended, which may be hard to reach.
    fn choose(&self, random: &mut fastrand::Rng) -> Vec<String> {
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = points.iter().map(|(name, ended)| (*ended, random.u32(..), name)).collect();
        all.sort_unstable();
        let others = all.split_off(all.len().min(POINTS / 2));
        all.extend(random.choose_multiple(others, POINTS - POINTS / 2));
        all.into_iter().map(|(_, _, name)| name.clone()).collect()
    }

    /// How many there are, and how many replicas ended at the one where the fewest did.
    pub(super) fn figures(&self) -> (usize, usize) {
        let points = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (points.len(), points.values().min().copied().unwrap_or_default())
    }
}

/// What runs one replica.
pub(super) struct Runner<'a> {
    pub(super) name: &'static str,
    pub(super) settings: &'a Settings,
    pub(super) folder: PathBuf,
    pub(super) kubeconfig: PathBuf,
    pub(super) double: &'a Double,
    pub(super) era: watch::Receiver<Era>,
    pub(super) counts: &'a Counts,
    pub(super) points: Arc<Points>,
    /// How much slower than one that does nothing else the machine is.
    pub(super) pace: &'a OnceLock<f64>,
    pub(super) lulls: Lulls,
    pub(super) random: fastrand::Rng,
}

impl Runner<'_> {
    /// Runs it until everything is over.
    pub(super) async fn run(mut self) -> Result<()> {
        let log = self.folder.join(format!("controller-{}.log", self.name));
        let mut setup = Setup {
            program: self.settings.program.clone(),
            flags: FLAGS.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect(),
            kubeconfig: self.kubeconfig.clone(),
            env: Vec::new(),
            log: log.clone(),
        };
        setup.flag("--identity", self.name);
        setup.flag("--lease-duration", &format!("{}s", LEASE.as_secs()));
        let aws = [("AWS_ENDPOINT_URL", self.double.url()), ("AWS_REGION", "eu-west-1".to_owned())];
        let aws: Vec<_> = aws.map(|(name, value)| (name.to_owned(), value)).into();
        while *self.era.borrow() != Era::Over {
            setup.env.clone_from(&aws);
            let mut points: Vec<_> =
                self.points().iter().map(|point| format!("{point}={}", action(&mut self.random))).collect();
            // The recovery is without it, too: the controllers of the chaos go on.
            if *self.era.borrow() != Era::Calm {
                points.extend(guards::taken_away(&self.settings.without));
            }
            setup.env.push(("FAILPOINTS".to_owned(), points.join(";")));
            let mut replica = Replica::start(&setup)?;
            let end = self.let_live(&mut replica).await?;
            drop(replica);
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let ended_at_point = self.points.note(&text);
            match end {
                End::Stopped => {}
                End::Killed => self.counts.killed(),
                End::Exited(status) if ended_at_point || status.signal() == Some(Signal::ABORT.as_raw()) => {
                    self.counts.ended_at_point();
                }
                // It lost its lease, or the API server was not there.
                End::Exited(_) => self.counts.exited(),
            }
            self.counts.panics(text.lines().filter(|line| line.contains("panicked at")).map(str::to_owned));
            // What it said is read; the next one goes on in an empty file.
            let _ = std::fs::File::options().write(true).truncate(true).open(&log);
            if *self.era.borrow() == Era::Chaos && self.random.f64() < LATE {
                sleep(LEASE.mul_f64(1.3)).await;
            }
        }
        Ok(())
    }

    /// The points at one of which the next replica ends.
    fn points(&mut self) -> Vec<String> {
        let is_disturbed = *self.era.borrow() == Era::Chaos && self.lulls.left().is_none();
        let gets_some = self.settings.has_points && is_disturbed && self.random.f64() < WITH_POINTS;
        if gets_some { self.points.choose(&mut self.random) } else { Vec::new() }
    }

    /// Lets a replica live until it has ended: in the chaos not for long, otherwise as long as there is none.
    async fn let_live(&mut self, replica: &mut Replica) -> Result<End> {
        let mut era = self.era.clone();
        if *era.borrow_and_update() != Era::Chaos {
            return tokio::select! {
                ended = replica.ended() => ended.map(End::Exited),
                _ = era.changed() => Ok(End::Stopped),
            };
        }
        let calls = calls_are_made(self.double, self.random.u64(1..=CALLS));
        let ended_early = tokio::select! {
            ended = replica.ended() => Some(ended),
            () = calls => None,
        };
        if let Some(ended) = ended_early {
            return ended.map(End::Exited);
        }
        let life = LIFE.mul_f64(self.pace.get().copied().unwrap_or(1.0)).mul_f64(0.1 + 0.9 * self.random.f64());
        if self.random.f64() < PAUSED && self.lulls.left().is_none() {
            if let Ok(ended) = timeout(life / 2, replica.ended()).await {
                return ended.map(End::Exited);
            }
            replica.process().pause();
            self.counts.paused();
            sleep(PAUSE).await;
            replica.process().resume();
        }
        let lives = async {
            sleep(life).await;
            self.lulls.over().await;
        };
        tokio::select! {
            ended = replica.ended() => return ended.map(End::Exited),
            () = lives => {}
        }
        replica.process().kill();
        replica.ended().await?;
        Ok(End::Killed)
    }
}

/// Waits until AWS was called so often from now on: that the controllers work. At most for [`CALLS_WITHIN`].
pub(super) async fn calls_are_made(double: &Double, calls: u64) {
    let wanted = double.requests().total() + calls;
    let made = async {
        while double.requests().total() < wanted {
            sleep(LOOK).await;
        }
    };
    // Without an answer, what comes next may change something.
    let _ = timeout(CALLS_WITHIN, made).await;
}

/// What a point does: it ends the process, the first time or a later one.
fn action(random: &mut fastrand::Rng) -> String {
    match random.usize(0..3) {
        0 => "return".to_owned(),
        skipped => format!("{skipped}*off->return"),
    }
}

/// How a replica ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Another era began.
    Stopped,
    /// It was killed at random.
    Killed,
    /// By itself, or at a point.
    Exited(ExitStatus),
}
