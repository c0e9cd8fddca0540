//! Lineage: which runs there were, and which datasets they read and wrote, as OpenLineage events.
//!
//! Everything here is pure: values in, values out. It knows neither Kubernetes nor the AWS SDK.
//!
//! | module | what it does |
//! |---|---|
//! | [`openlineage`] | the events and facets of the specification, as they are sent |
//! | [`run`] | what is known of one run, and the event that says it |
//! | [`progress`] | which events a change of a run's state asks for: one start, and exactly one end |
//! | [`watermark`] | which events the lists of an account ask for, each time they are read |
//! | [`dataset`] | datasets by OpenLineage's naming rules, how each is known, and the edges between them |
//! | [`connection`] | the place that a connection of the Data Catalog leads to |
//! | [`visual`] | the nodes of a visual job: sources, targets, and the edges from node to node |
//! | [`graph`] | the nodes of `GetDataflowGraph` |
//! | [`definition`] | what Glue's answers say of jobs, connections and crawlers |
//! | [`crawl`] | the targets of a crawler, and the tables that it wrote |
//! | [`scripts`] | what a script of a job reads and writes, by its syntax tree |
//! | [`spark_parent`] | the parent of a run, for the listener in Spark |
//! | [`queue`] | the events that wait for a receiver |
//!
//! What cannot be known is left out and counted ([`dataset::Findings::unknown`]); nothing is guessed.

pub mod connection;
pub mod crawl;
pub mod dataset;
pub mod definition;
pub mod graph;
pub mod openlineage;
pub mod progress;
pub mod queue;
pub mod run;
pub mod scripts;
pub mod spark_parent;
pub mod visual;
pub mod watermark;

/// Who makes the events (`producer`, `_producer`).
pub const PRODUCER: &str = concat!("https://kube-glue.dev/kube-glue/", env!("CARGO_PKG_VERSION"));
