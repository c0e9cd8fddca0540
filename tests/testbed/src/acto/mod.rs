//! Acto's method ("Automatic End-to-End Testing for Operation Correctness of Cloud System Management", SOSP 2023): each
//! property of each kind is changed through several values and back, as the schemas of the custom resource definitions
//! have them.
//!
//! At the API server, every valid value is admitted, and every invalid one, and every change of what cannot be changed,
//! is refused with a message that names the property and what is admitted. At the controller, an object that was changed ends
//! like one that was created so, and like before when it is changed back; that holds for values that are wrong only for
//! Glue, such as a Secret that does not exist. Nothing is stuck: each is deleted in the end.
//!
//! | module | subject |
//! |---|---|
//! | [`schema`] | the properties of a schema |
//! | [`values`] | valid and invalid values for a schema |
//! | [`contexts`] | specs in which properties are tried |
//! | [`refusals`] | what the API server says |
//! | [`sequences`] | what the controller makes of it |

mod contexts;
mod refusals;
pub mod schema;
mod sequences;
mod server;
pub mod values;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use kube_glue_double::{Double, Keep};
use serde_json::Value;

use self::{
    refusals::{Change, Tried},
    sequences::{Stage, Subject},
    server::Server,
};
use crate::{
    control_plane::{ControlPlane, Options},
    custom_resources,
    error::{Error, Result},
    format_duration,
    lives::{KINDS, Kind, objects::Objects},
    progress::{Progress, say},
    replica::{Replica, Setup},
    sieve::plan::sample,
};

/// The name in the output.
const NAME: &str = "acto";
/// The interval between two lines of progress without a terminal.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a sequence may take, in seconds.
const SOON: u64 = 300;
/// How much faster than ours the double's clock runs.
const SPEED: f64 = 60.0;

/// The flags of the controller.
const FLAGS: &[(&str, &str)] = &[
    ("--http-address", "127.0.0.1:0"),
    ("--log", "warn"),
    ("--leader-election", "false"),
    ("--poll-interval", "500ms"),
    ("--poll-calls-per-minute", "60000"),
    ("--start-settle", "24s"),
    ("--aws-timeout", "10s"),
    ("--deletion-timeout", "10s"),
];

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program under test.
    pub program: PathBuf,
    /// These kinds only; all when empty.
    pub kinds: Vec<String>,
    /// Properties with this in their name only; all without it.
    pub matching: Option<String>,
    /// The most properties of each kind; all without it.
    pub properties: Option<usize>,
    /// The most sequences of each kind; all without it.
    pub sequences: Option<usize>,
    /// Which sequences, where not all are run.
    pub seed: u64,
    /// The sequences that run at once.
    pub at_once: usize,
    /// How long sequences may be started.
    pub limit: Duration,
}

/// What a campaign has shown.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The kinds, each with its properties.
    pub properties: Vec<(&'static str, usize)>,
    /// The valid values.
    pub admitted: usize,
    /// The invalid values, and the changes of what cannot be changed.
    pub refused: usize,
    /// The properties that cannot be changed.
    pub fixed: usize,
    /// Properties that a kind shares with others and does not admit itself.
    pub never: Vec<String>,
    /// Properties of which a rule admits fewer of the values than the schema.
    pub thin: Vec<String>,
    /// The sequences that were run, and those that there are.
    pub sequences: (usize, usize),
    /// What was found.
    pub found: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// A change at the controller.
struct Sequence {
    subject: Subject,
    change: Change,
    after: Value,
}

/// Runs it.
pub async fn run(settings: &Settings) -> Result<Report> {
    let began = Instant::now();
    let plane = ControlPlane::start(Options { controller_manager: false, audit: false, ..Options::default() }).await?;
    custom_resources::install(&plane).await?;
    let client = plane.client().await?;
    let mut report = Report::default();
    let mut sequences = Vec::new();
    let asked = |kind: &&Kind| settings.kinds.is_empty() || settings.kinds.iter().any(|one| one == kind.kind);
    for kind in KINDS.iter().filter(asked) {
        let namespace = plane.namespace(NAME).await?;
        let tried = refusals::try_all(&Server::new(client.clone(), kind, &namespace), kind, settings).await?;
        say(
            NAME,
            &format!(
                "{}: {} properties, {} values admitted, {} refused, {} found",
                kind.kind,
                tried.properties,
                tried.admitted,
                tried.refused,
                tried.found.len()
            ),
        );
        for problem in &tried.found {
            say(NAME, problem);
        }
        let of_kind = sequences_of(kind, &tried, settings);
        report.sequences.1 += of_kind.len();
        let amount = settings.sequences.unwrap_or(of_kind.len());
        sequences.extend(sample(of_kind, amount, settings.seed));
        report.properties.push((kind.kind, tried.properties));
        report.admitted += tried.admitted;
        report.refused += tried.refused;
        report.fixed += tried.fixed;
        report.never.extend(tried.never);
        report.thin.extend(tried.thin);
        report.found.extend(tried.found);
    }
    run_sequences(&plane, settings, sequences, &mut report, began).await?;
    report.took = began.elapsed();
    Ok(report)
}

fn sequences_of(kind: &'static Kind, tried: &Tried, settings: &Settings) -> Vec<Sequence> {
    let subject = Subject::of(kind);
    let is_asked = |change: &&Change| {
        let verb = contexts::VERBS.iter().any(|verb| change.property == format!("spec.{verb}"));
        let named = format!("{} {}", kind.kind, change.property);
        !verb && settings.matching.as_ref().is_none_or(|text| named.contains(text))
    };
    // What a few seconds lead to depends on how fast the machine is.
    let is_soon = |property: &str, spec: &Value| {
        let seconds = spec.pointer(&property.trim_start_matches("spec").replace('.', "/")).and_then(Value::as_u64);
        property.ends_with("Seconds") && seconds.is_some_and(|seconds| seconds < SOON)
    };
    let of_change = |change: &Change| {
        let (subject, change) = (subject.clone(), change.clone());
        let after = change.after.iter().filter(|spec| !is_soon(&change.property, spec)).cloned();
        let specs = after.collect::<Vec<_>>().into_iter();
        specs.map(move |after| Sequence { subject: subject.clone(), change: change.clone(), after })
    };
    tried.changes.iter().filter(is_asked).flat_map(of_change).collect()
}

async fn run_sequences(
    plane: &ControlPlane,
    settings: &Settings,
    sequences: Vec<Sequence>,
    report: &mut Report,
    began: Instant,
) -> Result<()> {
    let double =
        Double::start().await.map_err(|error| Error::io("starting the double")(std::io::Error::other(error)))?;
    double.clock().set_speed(SPEED);
    double.requests().keep(Keep::Counts);
    let client = plane.client().await?;
    let log = plane.folder().join("controller.log");
    let setup = Setup {
        program: settings.program.clone(),
        flags: FLAGS.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect(),
        kubeconfig: plane.kubeconfig(),
        env: vec![("AWS_ENDPOINT_URL".to_owned(), double.url()), ("AWS_REGION".to_owned(), "eu-west-1".to_owned())],
        log: log.clone(),
    };
    let mut replica = Replica::start(&setup)?;
    let stage = Stage { objects: Objects::watch(&client), client, double };
    let total = sequences.len();
    say(NAME, &format!("{total} sequences of {}", report.sequences.1));
    let mut progress = Progress::new(NAME, HEARTBEAT);
    let is_in_time = |_: &(usize, Sequence)| std::future::ready(began.elapsed() < settings.limit);
    let running = stream::iter(sequences.into_iter().enumerate())
        .take_while(is_in_time)
        .map(async |(number, sequence)| {
            let Sequence { subject, change, after } = sequence;
            let found = stage.run(&subject, &change, &after, &format!("acto-{number}")).await?;
            let name =
                format!("{} {} to {}", subject.kind.kind, change.property, schema::patch(&change.before, &after));
            Ok::<_, Error>(found.into_iter().map(|problem| format!("{name}: {problem}")).collect::<Vec<_>>())
        })
        .buffer_unordered(settings.at_once);
    let mut results = std::pin::pin!(running);
    let running = async {
        while let Some(found) = results.next().await {
            report.sequences.0 += 1;
            for problem in found? {
                progress.clear();
                say(NAME, &problem);
                report.found.push(problem);
            }
            progress.show(|| {
                let took = format_duration(began.elapsed());
                format!("{} of {total} sequences, {} found, {took}", report.sequences.0, report.found.len())
            });
        }
        progress.clear();
        Ok::<_, Error>(())
    };
    tokio::select! {
        done = running => done?,
        ended = replica.ended() => {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            report.found.push(format!("the controller ended: {}: {}", ended?, crate::error::tail(&said, 10)));
        }
    }
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    report.found.extend(said.lines().filter(|line| line.contains("panicked at")).map(str::to_owned));
    Ok(())
}
