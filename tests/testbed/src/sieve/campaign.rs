//! All plans of all lives, many at once.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::atomic::AtomicUsize,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    case::{Ran, Stage},
    plan::{self, Pattern, Plan},
};
use crate::{
    control_plane::{ControlPlane, Options},
    custom_resources,
    error::{Error, Result},
    format_duration,
    lives::{KINDS, Kind, Life, objects::Objects, outcome::Outcome},
    progress::{Progress, say},
    relay::Relay,
};

/// The interval between two lines of progress without a terminal.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The name in the output.
const NAME: &str = "sieve";

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program under test.
    pub program: PathBuf,
    /// The most plans of each kind; all without it.
    pub plans: Option<usize>,
    /// These kinds only; all when empty.
    pub kinds: Vec<String>,
    /// The first lives of each kind; all without it.
    pub lives: Option<usize>,
    /// Plans with this in their name only, as what was found is named; all without it.
    pub matching: Option<String>,
    /// Which plans, where not all are run.
    pub seed: u64,
    /// The plans that run at once.
    pub at_once: usize,
    /// How long plans may be started.
    pub limit: Duration,
    /// The guards ([`crate::guards`]) that are taken away from the controller: their absence must be found.
    pub without: Vec<String>,
    /// Whether it ends when something was found.
    pub until_found: bool,
}

/// What a campaign has shown.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The plans that were generated for each kind.
    pub generated: BTreeMap<&'static str, usize>,
    /// How many were left out because nothing can come of them.
    pub pruned: usize,
    /// The plans that were run and came to pass, of each kind.
    pub run: BTreeMap<&'static str, usize>,
    /// The same by pattern.
    pub patterns: BTreeMap<Pattern, usize>,
    /// The plans whose moment did not come.
    pub unmet: usize,
    /// The kills.
    pub kills: usize,
    /// What was found.
    pub found: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// A plan of a life.
struct Case<'a> {
    kind: &'static Kind,
    life: &'a Life,
    plan: Plan,
    reference: &'a Outcome,
}

/// Traces all lives, and runs the plans that follow from them.
pub async fn run(settings: &Settings) -> Result<Report> {
    let began = Instant::now();
    let plane = ControlPlane::start(Options { controller_manager: false, audit: false, ..Options::default() }).await?;
    custom_resources::install(&plane).await?;
    let client = plane.client().await?;
    let relay = Relay::start(client.clone()).await.map_err(Error::io("starting the relay"))?;
    let objects = Objects::watch(&client);
    let (program, number) = (settings.program.clone(), AtomicUsize::new(0));
    let stage = Stage { plane, client, objects, relay, program, number, without: settings.without.clone() };
    let mut report = Report::default();

    let asked = |kind: &&Kind| settings.kinds.is_empty() || settings.kinds.iter().any(|one| one == kind.kind);
    let of_kind = |kind: &'static Kind| {
        let lives = (kind.lives)().into_iter().take(settings.lives.unwrap_or(usize::MAX));
        lives.map(move |life| (kind, life))
    };
    let lives: Vec<(&'static Kind, Life)> = KINDS.iter().filter(asked).flat_map(of_kind).collect();
    say(NAME, &format!("tracing {} lives of {} kinds", lives.len(), KINDS.iter().filter(asked).count()));
    let traced = stream::iter(&lives).map(|(kind, life)| trace(&stage, kind, life)).buffered(settings.at_once / 2 + 1);
    let traced: Vec<(Outcome, Vec<Plan>, usize)> = traced.try_collect().await?;

    let mut queues = Vec::new();
    for kind in KINDS.iter().filter(asked) {
        let mut of_kind = Vec::new();
        for ((_, life), (reference, plans, pruned)) in
            lives.iter().zip(&traced).filter(|((owner, _), _)| owner.kind == kind.kind)
        {
            report.pruned += pruned;
            let is_asked =
                |plan: &&Plan| settings.matching.as_ref().is_none_or(|text| name(kind, life, plan).contains(text));
            of_kind.extend(plans.iter().filter(is_asked).map(|plan| (life, plan.clone(), reference)));
        }
        report.generated.insert(kind.kind, of_kind.len());
        let amount = settings.plans.unwrap_or(of_kind.len());
        let chosen = plan::sample(of_kind, amount, settings.seed);
        queues.push(chosen.into_iter().map(|(life, plan, reference)| Case { kind, life, plan, reference }).collect());
    }
    // Kinds take turns, so that all of them have had their share when the time is over.
    let cases = take_turns(queues);
    let total = cases.len();
    say(NAME, &format!("{total} plans, {} left out because nothing can come of them", report.pruned));
    let (mut progress, mut done) = (Progress::new(NAME, HEARTBEAT), 0);
    let is_in_time = |_: &Case<'_>| std::future::ready(began.elapsed() < settings.limit);
    let mut results = std::pin::pin!(
        stream::iter(cases)
            .take_while(is_in_time)
            .map(|case| run_case(&stage, case))
            .buffer_unordered(settings.at_once)
    );
    while let Some(result) = results.next().await {
        let (case, ran) = result?;
        done += 1;
        report.add(&case, &ran);
        for problem in &ran.problems {
            progress.clear();
            say(NAME, &format!("{}: {problem}", name(case.kind, case.life, &case.plan)));
        }
        if settings.until_found && !report.found.is_empty() {
            break;
        }
        progress.show(|| {
            let took = format_duration(began.elapsed());
            format!("{done} of {total} plans, {} kills, {} found, {took}", report.kills, report.found.len())
        });
    }
    progress.clear();
    report.took = began.elapsed();
    Ok(report)
}

/// Lets an object live twice, undisturbed: the oracle must not depend on chance.
async fn trace(stage: &Stage, kind: &'static Kind, life: &Life) -> Result<(Outcome, Vec<Plan>, usize)> {
    let first = stage.run(kind, life, None, None).await?;
    let again = stage.run(kind, life, None, Some(&first.outcome)).await?;
    let problems: Vec<_> = first.problems.iter().chain(&again.problems).cloned().collect();
    if !problems.is_empty() {
        return Err(Error::Life { life: format!("{} {}", kind.kind, life.name), problem: problems.join("\n") });
    }
    let (plans, pruned) = plan::generate(&first.trace);
    say(
        NAME,
        &format!(
            "{} {}: {} actions, {} events, {} plans",
            kind.kind,
            life.name,
            first.trace.actions().count(),
            first.trace.events().len(),
            plans.len()
        ),
    );
    Ok((first.outcome, plans, pruned))
}

async fn run_case<'a>(stage: &Stage, case: Case<'a>) -> Result<(Case<'a>, Ran)> {
    let mut ran = stage.run(case.kind, case.life, Some(case.plan.clone()), Some(case.reference)).await?;
    if !ran.is_met && ran.problems.is_empty() {
        // The order of what happens at once differs from run to run.
        ran = stage.run(case.kind, case.life, Some(case.plan.clone()), Some(case.reference)).await?;
    }
    Ok((case, ran))
}

fn name(kind: &Kind, life: &Life, plan: &Plan) -> String {
    format!("{} {}, {plan}", kind.kind, life.name)
}

fn take_turns<T>(queues: Vec<Vec<T>>) -> Vec<T> {
    let mut queues: Vec<_> = queues.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(queues.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

impl Report {
    fn add(&mut self, case: &Case<'_>, ran: &Ran) {
        self.kills += ran.kills;
        // What has found something has run.
        if ran.is_met || !ran.problems.is_empty() {
            *self.run.entry(case.kind.kind).or_default() += 1;
            *self.patterns.entry(case.plan.pattern()).or_default() += 1;
        } else {
            self.unmet += 1;
        }
        if !ran.problems.is_empty() {
            let problems = ran.problems.join("; ");
            self.found.push(format!("{}: {problems}", name(case.kind, case.life, &case.plan)));
        }
    }
}
