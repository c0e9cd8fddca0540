//! Reads what is known of a job, crawler or workflow itself: what it is, and which datasets it reads and writes.
//!
//! Whatever cannot be read is left out, and the event says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tracing::debug;

use super::sights::item_type;
use crate::glue::documents::Collection;
use crate::glue::inventory::source::InventoryReader;
use crate::glue::scripts::ScriptLocation;
use crate::glue::{Error, ErrorKind, Glue};
use crate::lineage::connection::Connection;
use crate::lineage::dataset::{Findings, Locator, Place};
use crate::lineage::run::{JobFacts, JobKind, RunSight, Target, job_namespace};
use crate::lineage::scripts::{self, Language};
use crate::lineage::{crawl, definition, graph, visual};

/// The most connections of one job that are read.
const MAX_CONNECTIONS: usize = 20;
/// The most pages of a database's tables that are read.
const MAX_PAGES: usize = 20;
/// How often a call is made that fails in passing.
const TRIES: u32 = 3;
/// The pause before the second try. It doubles.
const PAUSE: Duration = Duration::from_secs(2);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Where it is; `None` where AWS did not say which account that is.
    place: Option<Place>,
    /// What is known of it.
    pub(super) facts: JobFacts,
    /// The script of a job of which nothing else says what it reads and writes.
    script: Option<Script>,
}

/// The script of a job.
#[derive(Debug)]
struct Script {
    language: Language,
    text: String,
    default_arguments: BTreeMap<String, String>,
    connections: BTreeMap<String, Connection>,
    /// What Glue's graph of it names, or why there is none.
    graph: Findings,
}

/// A job, and its script where that is to be followed.
type JobAndScript = (JobFacts, Option<Script>);

impl Read {
    /// The namespace of its job in OpenLineage; `None` where neither the operator nor AWS says it.
    pub(super) fn job_namespace(&self, configured: Option<&str>) -> Option<String> {
        match &self.place {
            Some(place) => Some(job_namespace(configured, place)),
            None => configured.map(str::to_owned),
        }
    }

    /// What is known of the job as this run ran it: a script names datasets by the run's arguments.
    pub(super) async fn facts_of(self: Arc<Self>, run: &RunSight) -> JobFacts {
        let (Some(script), Some(place)) = (&self.script, self.place.clone()) else { return self.facts.clone() };
        let mut arguments = script.default_arguments.clone();
        arguments.extend(run.arguments.clone());
        let read = Arc::clone(&self);
        let followed = spawn_blocking(move || {
            let script = read.script.as_ref()?;
            let report = scripts::read(script.language, &script.text, &arguments);
            let mut findings = report.findings(&place, &script.connections);
            findings.merge(script.graph.clone());
            Some(findings)
        });
        let findings = followed.await.ok().flatten();
        JobFacts { findings: findings.unwrap_or_default(), ..self.facts.clone() }
    }
}

/// Reads what is known of `target`.
pub(super) async fn read(client: Glue, target: Target, from_scripts: bool) -> Read {
    let account = match tried(|| client.identify()).await {
        Ok(caller) => caller.account_id,
        Err(error) => {
            debug!(error = error.summary(), "the account of a run is not known: its events have no datasets");
            return Read::default();
        }
    };
    let place = Place { region: client.identity().region.clone(), account };
    let facts = match target.kind {
        JobKind::Job => job(&client, &target.name, &place, from_scripts).await,
        JobKind::Crawler => crawler(&client, &target.name, &place).await.map(|facts| (facts, None)),
        JobKind::Workflow | JobKind::Trigger => Ok(JobAndScript::default()),
    };
    let (mut facts, script) = facts.unwrap_or_else(|error| {
        debug!(error = error.summary(), "the datasets of a run cannot be read");
        (JobFacts { findings: unread(target.kind.word(), &error), ..JobFacts::default() }, None)
    });
    if let Some(type_) = item_type(target.kind) {
        match tried(|| client.tags(type_, &target.name)).await {
            Ok(tags) => facts.tags = tags.into_iter().collect(),
            Err(error) => debug!(error = error.summary(), "the tags of a job cannot be read"),
        }
    }
    Read { place: Some(place), facts, script }
}

async fn job(client: &Glue, name: &str, place: &Place, from_scripts: bool) -> Result<JobAndScript, Error> {
    let document = tried(|| client.job_document(name)).await?;
    let definition::Job { facts, nodes, default_arguments } = definition::job(&document);
    let location = facts.script.as_deref().and_then(ScriptLocation::parse);
    if let (true, true, Some(location), Some(language)) = (from_scripts, nodes.is_empty(), location, facts.language) {
        let text = match tried(|| client.script(&location, scripts::MAX_SCRIPT_BYTES)).await {
            Ok(text) => text,
            Err(error) => return Ok((JobFacts { findings: unread("the script", &error), ..facts }, None)),
        };
        let script =
            Script { language, text, default_arguments, connections: BTreeMap::new(), graph: Findings::default() };
        let followed = spawn_blocking(move || {
            let report = scripts::read(script.language, &script.text, &script.default_arguments);
            let named: BTreeSet<String> = report.connections().into_iter().map(str::to_owned).collect();
            (script, named)
        });
        let Ok((script, named)) = followed.await else { return Ok((facts, None)) };
        let connections = connections(client, named.iter().map(String::as_str).collect()).await;
        let graph = graph_of(client, &script, place).await;
        return Ok((facts, Some(Script { connections, graph, ..script })));
    }
    let connections = connections(client, visual::connections(&nodes)).await;
    Ok((JobFacts { findings: visual::findings(&nodes, place, &connections), ..facts }, None))
}

/// What Glue's graph of a script names, where Glue generated the script, or why there is none.
async fn graph_of(client: &Glue, script: &Script, place: &Place) -> Findings {
    if script.language != Language::Python || !graph::is_annotated(&script.text) {
        return Findings::default();
    }
    match tried(|| client.dataflow_graph(&script.text)).await {
        // What the graph does not name either, the script has counted.
        Ok(document) => Findings {
            unknown: Vec::new(),
            unknown_count: 0,
            seen: 0,
            ..graph::findings(&graph::read(&document), place)
        },
        Err(error) => unread("the graph of the script", &error),
    }
}

async fn crawler(client: &Glue, name: &str, place: &Place) -> Result<JobFacts, Error> {
    let names = [name.to_owned()];
    let mut documents = tried(|| client.definitions(Collection::Crawlers, &names)).await?;
    let Some(document) = documents.pop() else { return Ok(JobFacts::default()) };
    let (mut crawler, database) = definition::crawler(&document);
    let connections = connections(client, crawler.targets.iter().filter_map(Locator::connection).collect()).await;
    let mut unread = None;
    if let Some(database) = database {
        match tables(client, name, &database).await {
            Ok(tables) => crawler.tables = tables.into_iter().map(|table| (database.clone(), table)).collect(),
            Err(error) => unread = Some(answered(&error)),
        }
    }
    let mut findings = crawl::findings(&crawler, place, &connections);
    if let Some(why) = unread {
        findings.add_unknown("the tables of the crawler", why);
    }
    Ok(JobFacts { description: crawler.description, findings, ..JobFacts::default() })
}

/// The tables that the crawler wrote in the database.
async fn tables(client: &Glue, crawler: &str, database: &str) -> Result<Vec<String>, Error> {
    let (mut tables, mut token) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let page = tried(|| client.table_documents(database, token.clone())).await?;
        tables.extend(definition::tables_of(crawler, &page.items).into_iter().map(str::to_owned));
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    Ok(tables)
}

/// The connections of these names, as far as they can be read.
async fn connections(client: &Glue, names: BTreeSet<&str>) -> BTreeMap<String, Connection> {
    let mut connections = BTreeMap::new();
    for name in names.into_iter().take(MAX_CONNECTIONS) {
        match tried(|| client.connection_document(None, name)).await {
            Ok(document) => drop(connections.insert(name.to_owned(), definition::connection(&document))),
            Err(error) => debug!(error = error.summary(), "a connection of a job cannot be read"),
        }
    }
    connections
}

/// What there is to find where this could not be read.
fn unread(what: &str, error: &Error) -> Findings {
    let mut findings = Findings::default();
    findings.add_unknown(what, answered(error));
    findings
}

/// Why something could not be read, without names of the account.
fn answered(error: &Error) -> String {
    format!("{} answered {}", error.operation, error.code)
}

/// Makes a call, again where it fails in passing.
async fn tried<T, F: Future<Output = Result<T, Error>>>(call: impl Fn() -> F) -> Result<T, Error> {
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match call().await {
            Err(error) if is_passing(error.kind) => tokio::time::sleep(pause).await,
            answer => return answer,
        }
        pause *= 2;
    }
    call().await
}

fn is_passing(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Throttled | ErrorKind::Transient | ErrorKind::Ambiguous | ErrorKind::ExpiredCredentials)
}
