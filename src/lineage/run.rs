//! What is known of one run, and the event that says it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use uuid::Uuid;

use super::dataset::{DatasetId, Evidence, Findings, Place};
use super::openlineage::facets::{
    Documentation, Edge, EdgeEnd, Edges, ErrorMessage, ExtractionError, ExtractionErrorEntry, GlueRun, JobDependencies,
    JobDependency, JobFacets, JobName, JobType, KnownBy, NominalTime, Owner, Ownership, Parent, ProcessingEngine, Root,
    RunFacets, RunName, SourceCodeLocation, Tag, Tags,
};
use super::openlineage::{Dataset, EventType, Job, Run, RunEvent, facets::DatasetFacets};
use super::progress::{End, Stage};
use super::scripts::Language;

/// What a run is a run of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// A job of Glue.
    Job,
    /// A crawler.
    Crawler,
    /// A workflow.
    Workflow,
    /// A trigger that an object fires.
    Trigger,
}

impl JobKind {
    /// The word before the name, as in ARNs of Glue: a job and a crawler can have one name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Crawler => "crawler",
            Self::Workflow => "workflow",
            Self::Trigger => "trigger",
        }
    }
}

/// A job, crawler, workflow or trigger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// What it is.
    pub kind: JobKind,
    /// Its name in Glue.
    pub name: String,
}

impl Target {
    /// A target of this name.
    #[must_use]
    pub fn new(kind: JobKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }

    /// Its name in OpenLineage.
    #[must_use]
    pub fn job_name(&self, namespace: &str) -> JobName {
        JobName { namespace: namespace.to_owned(), name: format!("{}/{}", self.kind.word(), self.name) }
    }
}

/// The OpenLineage id of a run: the UUIDv5 of Glue's id of it, in the namespace for URLs. Whoever knows Glue's id can
/// compute it, in Python by `uuid.uuid5(uuid.NAMESPACE_URL, run_id)`.
#[must_use]
pub fn run_id(id: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes())
}

/// The run that started another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentRun {
    /// A run of Glue.
    Glue {
        /// What it is a run of.
        target: Target,
        /// Glue's id.
        id: String,
        /// The run of an orchestrator that started that one.
        root: Option<OuterRun>,
    },
    /// A run of an orchestrator.
    Outer(OuterRun),
}

/// A run of an orchestrator, with the first run of its hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OuterRun {
    /// What it is a run of.
    pub job: JobName,
    /// Its id.
    pub run_id: Uuid,
    /// The first run of the hierarchy, where it is another one.
    pub root: Option<Box<OuterRun>>,
}

impl OuterRun {
    /// Reads `namespace/job name/run id`, as Airflow's macro `lineage_parent_id` writes it. The namespace may have slashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (job, run) = text.trim().rsplit_once('/')?;
        let (namespace, name) = job.rsplit_once('/')?;
        let run_id = Uuid::parse_str(run).ok()?;
        let is_name = |text: &str| !text.is_empty() && text.len() <= 512 && !text.contains(char::is_control);
        if !is_name(namespace) || !is_name(name) {
            return None;
        }
        Some(Self { job: JobName { namespace: namespace.to_owned(), name: name.to_owned() }, run_id, root: None })
    }
}

/// A run as it was seen: in the status of an object, or in Glue's lists.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSight {
    /// What it is a run of.
    pub target: Target,
    /// Glue's id of it.
    pub id: String,
    /// How far it has come.
    pub stage: Stage,
    /// The state in Glue's words.
    pub state: String,
    /// When its start was asked for, by the controller's clock, or by Glue's where that is not known.
    pub requested: Option<Timestamp>,
    /// When it began, by Glue's clock.
    pub started: Option<Timestamp>,
    /// When it ended, by Glue's clock.
    pub ended: Option<Timestamp>,
    /// Why it failed, as it may be shown.
    pub message: Option<String>,
    /// The version of Glue that runs it.
    pub glue_version: Option<String>,
    /// What started it.
    pub parent: Option<ParentRun>,
    /// When it was meant to run.
    pub nominal: Option<Timestamp>,
    /// The jobs and crawlers of the workflow that had to end before it, with Glue's ids of their runs where known.
    pub upstream: Vec<(Target, Option<String>)>,
    /// The arguments that the spec gives it in clear text.
    pub arguments: BTreeMap<String, String>,
    /// The datasets that its owner declared.
    pub declared: Declared,
    /// The object that started or follows it, as `namespace/name`.
    pub object: Option<String>,
}

/// Datasets that the owner of an object declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// What the run reads.
    pub inputs: BTreeSet<DatasetId>,
    /// What it writes.
    pub outputs: BTreeSet<DatasetId>,
}

impl RunSight {
    /// A run of which only this is known.
    #[must_use]
    pub fn new(target: Target, id: impl Into<String>, glue_state: impl Into<String>, stage: Stage) -> Self {
        Self {
            target,
            id: id.into(),
            stage,
            state: glue_state.into(),
            requested: None,
            started: None,
            ended: None,
            message: None,
            glue_version: None,
            parent: None,
            nominal: None,
            upstream: Vec::new(),
            arguments: BTreeMap::new(),
            declared: Declared::default(),
            object: None,
        }
    }

    /// When an event of this type happened. Whoever sees the same times makes the same event.
    #[must_use]
    pub fn time_of(&self, event: EventType) -> Option<Timestamp> {
        let candidates = match event {
            EventType::Other => [self.requested, self.started, self.ended],
            EventType::Start | EventType::Running => [self.started, self.requested, self.ended],
            EventType::Complete | EventType::Fail | EventType::Abort => [self.ended, self.started, self.requested],
        };
        candidates.into_iter().flatten().next()
    }
}

/// What is known of a job, crawler or workflow itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobFacts {
    /// Its description.
    pub description: Option<String>,
    /// The URL of its script.
    pub script: Option<String>,
    /// The language of its script.
    pub language: Option<Language>,
    /// Whether it is a streaming job.
    pub is_streaming: bool,
    /// The version of Glue of its definition.
    pub glue_version: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it reads and writes.
    pub findings: Findings,
}

/// The name of jobs in OpenLineage.
#[must_use]
pub fn job_namespace(configured: Option<&str>, place: &Place) -> String {
    configured.map_or_else(|| format!("arn:aws:glue:{}:{}", place.region, place.account), str::to_owned)
}

/// The tags that name an owner, in lower case.
const OWNER_TAGS: [&str; 2] = ["owner", "owners"];
/// The most characters of an error message.
const MAX_MESSAGE: usize = 4096;

/// The event of this type about the run. `None` where nothing says when it happened.
#[must_use]
pub fn event(kind: EventType, sight: &RunSight, facts: &JobFacts, namespace: &str) -> Option<RunEvent> {
    let time = sight.time_of(kind)?;
    let run = Run { run_id: run_id(&sight.id), facets: run_facets(kind, sight, facts, namespace) };
    let JobName { namespace, name } = sight.target.job_name(namespace);
    let job = Job { namespace, name, facets: job_facets(kind, sight, facts) };
    let mut event = RunEvent::new(kind, time, run, job);
    if kind != EventType::Other {
        let Findings { inputs, outputs, .. } = &facts.findings;
        event.inputs = datasets(inputs, &sight.declared.inputs);
        event.outputs = datasets(outputs, &sight.declared.outputs);
    }
    Some(event)
}

fn run_facets(kind: EventType, sight: &RunSight, facts: &JobFacts, namespace: &str) -> RunFacets {
    let failed = matches!(sight.stage, Stage::Ended(End::Fail | End::Abort)) && kind.is_end();
    let error_message = sight.message.as_ref().filter(|message| failed && !message.is_empty()).map(|message| {
        let message = message.chars().take(MAX_MESSAGE).collect();
        ErrorMessage { message, programming_language: facts.language.map_or("AWS Glue", Language::as_str).to_owned() }
            .into()
    });
    let version = sight.glue_version.as_ref().or(facts.glue_version.as_ref());
    let processing_engine = version.map(|version| {
        let adapter = env!("CARGO_PKG_VERSION").to_owned();
        ProcessingEngine { version: version.clone(), name: "AWS Glue".to_owned(), openlineage_adapter_version: adapter }
            .into()
    });
    let findings = &facts.findings;
    let extraction_error = (findings.unknown_count > 0 && kind != EventType::Other).then(|| {
        let errors = findings
            .unknown
            .iter()
            .map(|unknown| ExtractionErrorEntry { error_message: unknown.why.clone(), task: unknown.at.clone() });
        ExtractionError { total_tasks: findings.seen, failed_tasks: findings.unknown_count, errors: errors.collect() }
            .into()
    });
    let upstream = sight.upstream.iter().map(|(target, id)| JobDependency {
        job: target.job_name(namespace),
        run: id.as_deref().map(|id| RunName { run_id: run_id(id) }),
        dependency_type: "DIRECT_INVOCATION".to_owned(),
        sequence_trigger_rule: "FINISH_TO_START".to_owned(),
    });
    let state = if kind.is_end() || kind == EventType::Other { sight.state.clone() } else { "RUNNING".to_owned() };
    RunFacets {
        parent: sight.parent.as_ref().map(|parent| parent_facet(parent, namespace).into()),
        nominal_time: sight.nominal.map(|nominal_start_time| NominalTime { nominal_start_time }.into()),
        error_message,
        processing_engine,
        extraction_error,
        job_dependencies: (!sight.upstream.is_empty()).then(|| JobDependencies { upstream: upstream.collect() }.into()),
        glue: Some(GlueRun { id: sight.id.clone(), state, object: sight.object.clone() }.into()),
    }
}

fn parent_facet(parent: &ParentRun, namespace: &str) -> Parent {
    let outer = |outer: &OuterRun| (RunName { run_id: outer.run_id }, outer.job.clone());
    match parent {
        ParentRun::Glue { target, id, root } => {
            let root = root.as_ref().map(|run| run.root.as_deref().unwrap_or(run)).map(outer);
            Parent {
                run: RunName { run_id: run_id(id) },
                job: target.job_name(namespace),
                root: root.map(|(run, job)| Root { run, job }),
            }
        }
        ParentRun::Outer(run) => {
            let root = run.root.as_deref().map(outer).map(|(run, job)| Root { run, job });
            let (run, job) = outer(run);
            Parent { run, job, root }
        }
    }
}

fn job_facets(kind: EventType, sight: &RunSight, facts: &JobFacts) -> JobFacets {
    let processing_type = if facts.is_streaming { "STREAMING" } else { "BATCH" };
    let tags =
        facts.tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone(), source: "AWS".to_owned() });
    let owners = facts.tags.iter().filter(|(key, _)| OWNER_TAGS.contains(&key.to_ascii_lowercase().as_str()));
    let owners: Vec<_> =
        owners.filter(|(_, value)| !value.is_empty()).map(|(_, name)| Owner { name: name.clone() }).collect();
    let description = facts.description.as_ref().filter(|description| !description.is_empty());
    JobFacets {
        job_type: Some(
            JobType {
                processing_type: processing_type.to_owned(),
                integration: "GLUE".to_owned(),
                job_type: sight.target.kind.word().to_ascii_uppercase(),
            }
            .into(),
        ),
        documentation: description.map(|text| Documentation { description: text.clone() }.into()),
        source_code_location: facts
            .script
            .as_ref()
            .filter(|url| is_uri(url))
            .map(|url| SourceCodeLocation { type_: "s3".to_owned(), url: url.clone() }.into()),
        ownership: (!owners.is_empty()).then(|| Ownership { owners }.into()),
        tags: (!facts.tags.is_empty()).then(|| Tags { tags: tags.collect() }.into()),
        lineage: edges(&facts.findings).filter(|_| kind != EventType::Other).map(Into::into),
    }
}

/// Whether the text is a URI as the schema asks for one.
fn is_uri(text: &str) -> bool {
    text.contains("://")
        && text
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`'))
}

fn edges(findings: &Findings) -> Option<Edges> {
    let mut by_output: BTreeMap<&DatasetId, Vec<EdgeEnd>> = BTreeMap::new();
    for (input, output) in &findings.edges {
        let end = EdgeEnd { namespace: input.namespace.clone(), name: input.name.clone(), type_: "DATASET".to_owned() };
        by_output.entry(output).or_default().push(end);
    }
    let entries = by_output.into_iter().map(|(output, inputs)| Edge {
        namespace: output.namespace.clone(),
        name: output.name.clone(),
        type_: "DATASET".to_owned(),
        inputs,
    });
    let entries: Vec<_> = entries.collect();
    (!entries.is_empty()).then_some(Edges { entries })
}

fn datasets(found: &BTreeMap<DatasetId, BTreeSet<Evidence>>, declared: &BTreeSet<DatasetId>) -> Vec<Dataset> {
    let mut all: BTreeMap<&DatasetId, BTreeSet<Evidence>> =
        found.iter().map(|(dataset, evidence)| (dataset, evidence.clone())).collect();
    for dataset in declared {
        all.entry(dataset).or_default().insert(Evidence::Declared);
    }
    let dataset = |(id, evidence): (&DatasetId, BTreeSet<Evidence>)| Dataset {
        namespace: id.namespace.clone(),
        name: id.name.clone(),
        facets: DatasetFacets {
            known_by: Some(
                KnownBy { known_by: evidence.into_iter().map(|by| by.as_str().to_owned()).collect() }.into(),
            ),
        },
    };
    all.into_iter().map(dataset).collect()
}

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod tests;
