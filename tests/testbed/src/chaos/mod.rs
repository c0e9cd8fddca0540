//! Chaos: objects of all kinds live while everything around them fails, and are counted in the end.
//!
//! Two replicas of the controller run against a real control plane and the double. They are killed, at random and at the
//! points that are compiled into them for this, paused for longer than their lease, and started again; the API server is
//! killed, etcd compacted, answers of AWS are lost, tokens expire, and the double's clock jumps. Meanwhile the lives of
//! [`lives`](crate::lives) are lived, a steady number at a time. In the end each must be what it is without all that, and
//! Glue must have as many runs, by its own record.
//!
//! | module | subject |
//! |---|---|
//! | [`replicas`] | the replicas, and what is done to them |
//! | [`surroundings`] | what is done to the API server, etcd and AWS |
//! | [`crowd`] | the objects, and what became of each |
//! | [`report`] | what is counted |

mod crowd;
mod replicas;
mod report;
mod surroundings;

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use kube_glue_double::Double;
use tokio::sync::watch;

use self::{crowd::Crowd, replicas::Points, report::Counts};
pub use self::{crowd::Ending, report::Report};
use crate::{
    control_plane::{ControlPlane, Options},
    custom_resources,
    error::{Error, Result},
    format_duration,
    lives::objects::Objects,
    progress::{Progress, say},
};

/// The name in the output.
const NAME: &str = "chaos";
/// The interval between two lines of progress without a terminal.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The pause between two looks at how far it came.
const LOOK: Duration = Duration::from_millis(200);
/// How much faster than ours the double's clock runs: what takes a minute in Glue takes a second.
const SPEED: f64 = 60.0;

/// What the lives take undisturbed on a machine that does nothing else. Where they take longer, replicas live longer.
const CALM_TAKES: Duration = Duration::from_secs(15);
/// How much longer at most.
const SLOWEST: f64 = 6.0;

/// How a run is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program under test.
    pub program: PathBuf,
    /// Whether it has the feature `failpoints`.
    pub has_points: bool,
    /// The kills.
    pub kills: usize,
    /// The seed of everything that is random. What happens also depends on the machine's speed.
    pub seed: u64,
    /// The objects that live at once.
    pub objects: usize,
    /// The first lives of each kind; all without it.
    pub lives: Option<usize>,
    /// The guards ([`crate::guards`]) that are taken away while there is chaos: their absence must be found.
    pub without: Vec<String>,
    /// Whether it ends when something was found.
    pub until_found: bool,
    /// The most time for the kills. After it the disturbances end, however many kills there were.
    pub limit: Duration,
}

/// When what ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Era {
    /// Nothing is disturbed: each life is lived once, as a reference.
    Calm,
    /// Everything is disturbed.
    Chaos,
    /// Nothing is disturbed, and no new objects are created.
    Recovery,
    /// Everything stops.
    Over,
}

/// From time to time nobody is killed. Whether a start without an answer may be repeated decides a controller that has known
/// of it for the settle time by its own clock: if all were killed before, every object would wait for that in the end.
#[derive(Debug, Clone, Copy)]
struct Lulls {
    began: Instant,
}

impl Lulls {
    /// The time from the end of one to the next.
    const AFTER: Duration = Duration::from_secs(52);
    /// How long: the settle time, and the time that a controller takes to lead and to begin.
    const TIME: Duration = Duration::from_secs(20);

    /// How much is left of one.
    fn left(self) -> Option<Duration> {
        Self::left_after(self.began.elapsed())
    }

    fn left_after(elapsed: Duration) -> Option<Duration> {
        let period = (Self::AFTER + Self::TIME).as_secs_f64();
        let into = Duration::from_secs_f64(elapsed.as_secs_f64() % period);
        (into >= Self::AFTER).then(|| (Self::AFTER + Self::TIME).saturating_sub(into))
    }

    /// Waits for the end of one.
    async fn over(self) {
        if let Some(left) = self.left() {
            tokio::time::sleep(left).await;
        }
    }
}

/// Runs it.
pub async fn run(settings: &Settings) -> Result<Report> {
    let plane = ControlPlane::start(Options { controller_manager: false, audit: false, ..Options::default() }).await?;
    custom_resources::install(&plane).await?;
    let client = plane.client().await?;
    let double =
        Double::start().await.map_err(|error| Error::io("starting the double")(std::io::Error::other(error)))?;
    double.clock().set_speed(SPEED);
    double.requests().keep(kube_glue_double::Keep::Counts);
    let objects = Objects::watch(&client);
    let counts = Counts::default();
    let (era, eras) = watch::channel(Era::Calm);
    let points = Arc::new(Points::default());
    let pace = OnceLock::new();
    let lulls = Lulls { began: Instant::now() };
    let crowd = Crowd::new(client, &objects, &double, settings);
    let (folder, kubeconfig) = (plane.folder().to_path_buf(), plane.kubeconfig());
    let replica = |name: &'static str, number: u64| replicas::Runner {
        name,
        settings,
        folder: folder.clone(),
        kubeconfig: kubeconfig.clone(),
        double: &double,
        era: eras.clone(),
        counts: &counts,
        points: Arc::clone(&points),
        pace: &pace,
        lulls,
        random: fastrand::Rng::with_seed(settings.seed.wrapping_mul(3).wrapping_add(number)),
    };
    let surroundings = surroundings::disturb(plane, &double, settings, eras.clone(), &counts, lulls);
    let acting = async {
        let began = Instant::now();
        say(NAME, &format!("seed {}: each life once, undisturbed", settings.seed));
        crowd.learn().await?;
        let slowness = began.elapsed().div_duration_f64(CALM_TAKES).clamp(1.0, SLOWEST);
        pace.set(slowness).ok();
        say(NAME, &format!("and now disturbed, after {}", format_duration(began.elapsed())));
        era.send_replace(Era::Chaos);
        let mut progress = Progress::new(NAME, HEARTBEAT);
        let chaos = Instant::now();
        let living = crowd.live(eras.clone());
        let watching = async {
            while counts.kills() < settings.kills && chaos.elapsed() < settings.limit {
                tokio::time::sleep(LOOK).await;
                progress.show(|| counts.line(settings.kills, &crowd, began.elapsed()));
            }
            progress.clear();
            say(NAME, &format!("{}; now undisturbed", counts.line(settings.kills, &crowd, began.elapsed())));
            era.send_replace(Era::Recovery);
        };
        tokio::select! {
            _ = async { tokio::join!(living, watching) } => {
                say(NAME, &format!("all have ended after {}", format_duration(began.elapsed())));
            }
            () = crowd.found(), if settings.until_found => {}
        }
        Ok::<_, Error>(began.elapsed())
    };
    let acting = async {
        let took = acting.await;
        // The replicas would live on, also after a failure.
        era.send_replace(Era::Over);
        took
    };
    let (took, a, b, around) = tokio::join!(acting, replica("a", 1).run(), replica("b", 2).run(), surroundings);
    a.and(b).and(around)?;
    Ok(report::report(settings, &counts, &crowd, &points, took?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lulls_come_again_and_end() {
        let left = |seconds| Lulls::left_after(Duration::from_secs(seconds)).map(|left| left.as_secs());
        let at = [0, 51, 52, 71, 72, 123, 124, 143].map(left);
        assert_eq!(at, [None, None, Some(20), Some(1), None, None, Some(20), Some(1)]);
    }
}
