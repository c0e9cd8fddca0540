//! The facets that are sent, each with the version of its schema.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::lineage::PRODUCER;

/// A facet: its content, who made it, and its schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facet<T> {
    #[serde(rename = "_producer")]
    producer: String,
    #[serde(rename = "_schemaURL")]
    schema_url: String,
    /// What it says.
    #[serde(flatten)]
    pub content: T,
}

/// What a facet can say.
pub trait Content {
    /// The schema of the facet.
    const SCHEMA: &'static str;
}

impl<T: Content> From<T> for Facet<T> {
    fn from(content: T) -> Self {
        Self { producer: PRODUCER.to_owned(), schema_url: T::SCHEMA.to_owned(), content }
    }
}

macro_rules! schemas {
    ($($content:ty => $schema:literal;)*) => {
        $(impl Content for $content {
            const SCHEMA: &'static str = $schema;
        })*
    };
}

schemas! {
    Parent => "https://openlineage.io/spec/facets/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet";
    NominalTime => "https://openlineage.io/spec/facets/1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet";
    ErrorMessage => "https://openlineage.io/spec/facets/1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet";
    ProcessingEngine => "https://openlineage.io/spec/facets/1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet";
    ExtractionError => "https://openlineage.io/spec/facets/1-1-2/ExtractionErrorRunFacet.json#/$defs/ExtractionErrorRunFacet";
    JobDependencies => "https://openlineage.io/spec/facets/1-0-1/JobDependenciesRunFacet.json#/$defs/JobDependenciesRunFacet";
    Tags => "https://openlineage.io/spec/facets/1-0-0/TagsJobFacet.json#/$defs/TagsJobFacet";
    Ownership => "https://openlineage.io/spec/facets/1-0-1/OwnershipJobFacet.json#/$defs/OwnershipJobFacet";
    SourceCodeLocation => "https://openlineage.io/spec/facets/1-1-0/SourceCodeLocationJobFacet.json#/$defs/SourceCodeLocationJobFacet";
    Documentation => "https://openlineage.io/spec/facets/1-1-0/DocumentationJobFacet.json#/$defs/DocumentationJobFacet";
    JobType => "https://openlineage.io/spec/facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet";
    Edges => "https://openlineage.io/spec/facets/1-0-0/LineageFacet.json#/$defs/LineageJobFacet";
    GlueRun => "https://kube-glue.dev/openlineage/1-0-0/GlueRunFacet.json#/$defs/GlueRunFacet";
    KnownBy => "https://kube-glue.dev/openlineage/1-0-0/KnownByDatasetFacet.json#/$defs/KnownByDatasetFacet";
}

/// The facets of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFacets {
    /// The run that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Facet<Parent>>,
    /// When it was meant to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nominal_time: Option<Facet<NominalTime>>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Facet<ErrorMessage>>,
    /// What ran it.
    #[serde(default, rename = "processing_engine", skip_serializing_if = "Option::is_none")]
    pub processing_engine: Option<Facet<ProcessingEngine>>,
    /// What of its reads and writes could not be named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction_error: Option<Facet<ExtractionError>>,
    /// The runs that had to end before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_dependencies: Option<Facet<JobDependencies>>,
    /// What Glue calls it.
    #[serde(default, rename = "kubeGlue_run", skip_serializing_if = "Option::is_none")]
    pub glue: Option<Facet<GlueRun>>,
}

/// The facets of a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobFacets {
    /// What sort of job it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_type: Option<Facet<JobType>>,
    /// Its description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documentation: Option<Facet<Documentation>>,
    /// Where its script is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_code_location: Option<Facet<SourceCodeLocation>>,
    /// Who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<Facet<Ownership>>,
    /// Its tags in AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Facet<Tags>>,
    /// Which of its inputs each of its outputs is made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Facet<Edges>>,
}

/// The facets of a dataset.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetFacets {
    /// How it is known.
    #[serde(default, rename = "kubeGlue_knownBy", skip_serializing_if = "Option::is_none")]
    pub known_by: Option<Facet<KnownBy>>,
}

/// `ParentRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parent {
    /// The run that started it.
    pub run: RunName,
    /// What that is a run of.
    pub job: JobName,
    /// The first of all: the run that nobody's run started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Root>,
}

/// The first run of a hierarchy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// The run.
    pub run: RunName,
    /// What it is a run of.
    pub job: JobName,
}

/// A run by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunName {
    /// The id.
    pub run_id: Uuid,
}

/// A job by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobName {
    /// Where the name means something.
    pub namespace: String,
    /// The name.
    pub name: String,
}

/// `NominalTimeRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NominalTime {
    /// When it was meant to start.
    pub nominal_start_time: Timestamp,
}

/// `ErrorMessageRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorMessage {
    /// Glue's words.
    pub message: String,
    /// The language of the script, or what else reports the error.
    pub programming_language: String,
}

/// `ProcessingEngineRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessingEngine {
    /// The version of Glue.
    pub version: String,
    /// The engine.
    pub name: String,
    /// The version of this program.
    pub openlineage_adapter_version: String,
}

/// `ExtractionErrorRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtractionError {
    /// How many reads and writes were seen.
    pub total_tasks: usize,
    /// How many of them could not be named.
    pub failed_tasks: usize,
    /// Some of those.
    pub errors: Vec<ExtractionErrorEntry>,
}

/// A read or a write that could not be named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtractionErrorEntry {
    /// Why.
    pub error_message: String,
    /// Where.
    pub task: String,
}

/// `JobDependenciesRunFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobDependencies {
    /// What had to end before.
    pub upstream: Vec<JobDependency>,
}

/// A job that had to end before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobDependency {
    /// The job.
    pub job: JobName,
    /// Its run, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunName>,
    /// `DIRECT_INVOCATION`: a trigger of the workflow waited for it.
    pub dependency_type: String,
    /// `FINISH_TO_START`.
    pub sequence_trigger_rule: String,
}

/// `TagsJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// The tags.
    pub tags: Vec<Tag>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Who set it.
    pub source: String,
}

/// `OwnershipJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ownership {
    /// The owners.
    pub owners: Vec<Owner>,
}

/// An owner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owner {
    /// The owner's name.
    pub name: String,
}

/// `SourceCodeLocationJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceCodeLocation {
    /// Where the script is kept.
    #[serde(rename = "type")]
    pub type_: String,
    /// Its URL.
    pub url: String,
}

/// `DocumentationJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Documentation {
    /// The description.
    pub description: String,
}

/// `JobTypeJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobType {
    /// `BATCH` or `STREAMING`.
    pub processing_type: String,
    /// `GLUE`.
    pub integration: String,
    /// `JOB`, `CRAWLER`, `WORKFLOW` or `TRIGGER`.
    pub job_type: String,
}

/// `LineageJobFacet`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edges {
    /// One for each output of which the inputs are known.
    pub entries: Vec<Edge>,
}

/// An output, and the inputs that it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The output's data source.
    pub namespace: String,
    /// The output.
    pub name: String,
    /// `DATASET`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The inputs.
    pub inputs: Vec<EdgeEnd>,
}

/// An input of an edge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeEnd {
    /// The data source.
    pub namespace: String,
    /// The dataset.
    pub name: String,
    /// `DATASET`.
    #[serde(rename = "type")]
    pub type_: String,
}

/// What Glue calls the run; a facet of this program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GlueRun {
    /// Glue's id of the run.
    pub id: String,
    /// The state in Glue's words.
    pub state: String,
    /// The object that started or follows it, as `namespace/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// How a dataset is known; a facet of this program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KnownBy {
    /// `visual node`, `script`, `graph`, `connection`, `crawler` or `declared`.
    pub known_by: Vec<String>,
}
