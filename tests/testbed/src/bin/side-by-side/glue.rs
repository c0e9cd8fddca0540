//! What there is: asked of the double itself, page by page.

use std::collections::{BTreeMap, BTreeSet};

use kube_glue_double::{AwsError, DEFAULT_ACCOUNT, Double};
use serde_json::{Value, json};

use crate::{
    account::{REGION, call},
    lineage,
    view::View,
};

/// What the account has.
#[derive(Debug)]
pub(crate) struct Account {
    /// All of it, with the states as Glue spells them.
    pub(crate) view: View,
    /// The jobs that no workflow has.
    pub(crate) jobs_outside: BTreeSet<String>,
    /// When the newest run of each job started, in milliseconds since 1970, by the job's name.
    pub(crate) newest_starts: BTreeMap<String, i64>,
    /// Glue's ids of the newest runs that have ended.
    pub(crate) ended: Vec<String>,
}

/// Reads it.
pub(crate) fn read(double: &Double) -> Result<Account, AwsError> {
    let workflows = names(double, "ListWorkflows", "Workflows")?;
    let mut view = View {
        jobs: names(double, "GetJobs", "Jobs")?,
        crawlers: names(double, "GetCrawlers", "Crawlers")?,
        triggers: names(double, "GetTriggers", "Triggers")?,
        edges: lineage::edges(),
        ..View::default()
    };
    let mut jobs_outside = view.jobs.clone();
    for name in &workflows {
        let shown = call(double, "GetWorkflow", &json!({"Name": name, "IncludeGraph": true}))?;
        let workflow = &shown["Workflow"];
        for node in workflow["Graph"]["Nodes"].as_array().into_iter().flatten() {
            if node["Type"] == "JOB" {
                jobs_outside.remove(node["Name"].as_str().unwrap_or_default());
            }
        }
        view.workflow_runs += usize::from(!workflow["LastRun"].is_null());
    }
    view.workflows = workflows;
    for name in &view.crawlers {
        let crawls = call(double, "ListCrawls", &json!({"CrawlerName": name}))?;
        view.crawls += usize::from(crawls["Crawls"].as_array().is_some_and(|crawls| !crawls.is_empty()));
    }
    let items =
        [("workflow", &view.workflows), ("job", &view.jobs), ("crawler", &view.crawlers), ("trigger", &view.triggers)];
    for (word, name) in items.iter().flat_map(|(word, names)| names.iter().map(move |name| (*word, name))) {
        let arn = format!("arn:aws:glue:{REGION}:{DEFAULT_ACCOUNT}:{word}/{name}");
        let tags = call(double, "GetTags", &json!({"ResourceArn": arn}))?;
        view.tags += tags["Tags"].as_object().map_or(0, serde_json::Map::len);
    }
    let (mut newest_starts, mut ended) = (BTreeMap::new(), Vec::new());
    for job in &view.jobs {
        let runs = double.runs(DEFAULT_ACCOUNT, REGION, job);
        view.runs_shown += runs.len();
        view.runs_rated += runs.iter().filter(|run| !run["CompletedOn"].is_null()).count();
        if let Some(newest) = runs.last() {
            view.newest.insert(job.clone(), newest["JobRunState"].as_str().unwrap_or_default().to_owned());
            newest_starts.insert(job.clone(), milliseconds(&newest["StartedOn"]));
            let id = newest["Id"].as_str().filter(|_| !newest["CompletedOn"].is_null());
            ended.extend(id.map(str::to_owned));
        }
    }
    Ok(Account { view, jobs_outside, newest_starts, ended })
}

/// The names of all items of a list, whose pages have objects or names.
fn names(double: &Double, operation: &str, list: &str) -> Result<BTreeSet<String>, AwsError> {
    let mut names = BTreeSet::new();
    let mut token = Value::Null;
    loop {
        let body = if token.is_null() { json!({}) } else { json!({"NextToken": token}) };
        let page = call(double, operation, &body)?;
        let items = page[list].as_array().into_iter().flatten();
        names.extend(items.filter_map(|item| item.as_str().or(item["Name"].as_str())).map(str::to_owned));
        token = page["NextToken"].clone();
        if token.is_null() {
            return Ok(names);
        }
    }
}

/// A time of Glue, which is in seconds with a fraction, in milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "times of this century")]
fn milliseconds(time: &Value) -> i64 {
    (time.as_f64().unwrap_or_default() * 1000.0).round() as i64
}
