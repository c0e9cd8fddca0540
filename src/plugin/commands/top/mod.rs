//! The runs that are live.

mod watch;

use futures::future::try_join_all;
use jiff::Timestamp;
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::{Api, ResourceExt};
use serde_json::Value;

use crate::plugin::cli::{TopArgs, TopFormat};
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::outcome::Outcome;
use crate::plugin::output;
use crate::plugin::server_table;
use crate::plugin::table::{self, age, table, terminal_width};

/// The objects of a page of a list.
const PAGE: u32 = 500;
/// The titles of the columns.
const HEAD: [&str; 6] = ["NAME", "STATE", "CAPACITY", "AGE", "DPU HOURS", "WAITS FOR"];
/// The most columns of a message in a row; `status` has all of it.
const MESSAGE: usize = 80;
/// The fewest, on however narrow a terminal.
const LEAST: usize = 20;

/// Prints a table of them, the oldest first.
pub(in crate::plugin) async fn execute(cluster: &Cluster, args: &TopArgs) -> Result<Exit, PluginError> {
    let all_namespaces = args.all_namespaces;
    let format = args.output.unwrap_or_default();
    if format == TopFormat::Wide {
        return wide(cluster, all_namespaces).await;
    }
    let lists = Kind::runs().map(|kind| async move {
        let objects = live(cluster, &kind, all_namespaces).await?;
        Ok::<_, PluginError>(objects.into_iter().map(|object| (kind.clone(), object)).collect::<Vec<_>>())
    });
    let mut all: Vec<_> = try_join_all(lists).await?.into_iter().flatten().collect();
    all.sort_by_key(|(_, object)| object.metadata.creation_timestamp.as_ref().map(|time| time.0));
    if args.watch {
        return watch::execute(cluster, all_namespaces, &all).await;
    }
    if all.is_empty() {
        output::say("no run is live");
        return Ok(Exit::Succeeded);
    }
    if format == TopFormat::Name {
        let names = all.iter().map(|(kind, object)| kind.full_name(&object.name_any()));
        names.into_iter().try_for_each(output::line)?;
        return Ok(Exit::Succeeded);
    }
    let now = Timestamp::now();
    let rows: Vec<_> = all.iter().map(|(kind, object)| row(kind, object, all_namespaces, now)).collect();
    output::line(table(HEAD, fitted(rows, terminal_width())))?;
    Ok(Exit::Succeeded)
}

/// The API server's own tables, one for each kind.
async fn wide(cluster: &Cluster, all_namespaces: bool) -> Result<Exit, PluginError> {
    let tables = Kind::runs().map(|kind| async move {
        let mut table = server_table::list(cluster, &kind, all_namespaces).await?;
        table.rows.retain(|row| Outcome::of(&kind, &row.object).end.is_none());
        Ok::<_, PluginError>(table)
    });
    let tables = try_join_all(tables).await?;
    let shown: Vec<_> = tables.iter().filter(|table| !table.rows.is_empty()).collect();
    if shown.is_empty() {
        output::say("no run is live");
    }
    for (n, table) in shown.iter().enumerate() {
        let separator = if n == 0 { "" } else { "\n" };
        output::line(format_args!("{separator}{}", table.print(true, all_namespaces)))?;
    }
    Ok(Exit::Succeeded)
}

/// The runs of a kind that have not ended, page by page.
async fn live(cluster: &Cluster, kind: &Kind, all_namespaces: bool) -> Result<Vec<DynamicObject>, PluginError> {
    let objects = objects(cluster, kind, all_namespaces);
    let mut live = Vec::new();
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = objects.list(&page).await.map_err(PluginError::api(format!("listing {}", kind.resource.plural)))?;
        live.extend(list.items.into_iter().filter(|object| Outcome::of(kind, object).end.is_none()));
        match list.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(live),
        }
    }
}

fn objects(cluster: &Cluster, kind: &Kind, all_namespaces: bool) -> Api<DynamicObject> {
    if all_namespaces { cluster.everywhere(kind) } else { cluster.objects(kind) }
}

fn row(kind: &Kind, object: &DynamicObject, with_namespace: bool, now: Timestamp) -> [String; 6] {
    let outcome = Outcome::of(kind, object);
    let status = &object.data["status"];
    let metadata = &object.metadata;
    let name = kind.short_name(metadata.name.as_deref().unwrap_or_default());
    let namespace = metadata.namespace.as_deref().filter(|_| with_namespace);
    let name = namespace.map_or_else(|| name.clone(), |namespace| format!("{namespace}/{name}"));
    let created = metadata.creation_timestamp.as_ref().map_or_else(String::new, |time| age(time.0, now));
    let waits = if matches!(outcome.state.as_str(), "Running") { String::new() } else { first_line(&outcome.message) };
    [name, outcome.state.clone(), capacity(status), created, dpu_hours(status, now), waits]
}

/// The capacity as Glue granted it.
fn capacity(status: &Value) -> String {
    let workers = &status["workers"];
    match (workers["count"].as_i64(), workers["type"].as_str(), status["maxCapacity"].as_f64()) {
        (Some(count), Some(type_), _) => format!("{count} x {type_}"),
        (_, _, Some(capacity)) => format!("{capacity} DPU"),
        _ => String::new(),
    }
}

/// What the run has cost: as Glue says, or else the capacity times the time since the start.
fn dpu_hours(status: &Value, now: Timestamp) -> String {
    let started = status["startedAt"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    let estimate = || {
        let capacity = status["maxCapacity"].as_f64()?;
        let seconds = now.duration_since(started?).as_secs_f64();
        Some(capacity * seconds.max(0.0))
    };
    let seconds = status["dpuSeconds"].as_f64().or_else(estimate);
    seconds.map_or_else(String::new, |seconds| format!("{:.2}", seconds / 3600.0))
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

/// The rows with messages that end at the edge of the terminal, or else with [`MESSAGE`].
fn fitted(mut rows: Vec<[String; 6]>, terminal: Option<usize>) -> Vec<[String; 6]> {
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| table::width(&row[column]));
        cells.max().unwrap_or_default().max(HEAD[column].len()) + 2
    };
    let taken: usize = (0..HEAD.len() - 1).map(widest).sum();
    let left = terminal.map_or(MESSAGE, |terminal| terminal.saturating_sub(taken).clamp(LEAST, MESSAGE.max(terminal)));
    for row in &mut rows {
        row[5] = table::shortened(&row[5], left);
    }
    rows
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_live_run_shows_its_capacity_and_its_cost_so_far() {
        let kind = Kind::job_run();
        let mut object = DynamicObject::new("nightly", &kind.resource).within("team");
        object.data = json!({ "status": {
            "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "maxCapacity": 10.0,
            "workers": { "type": "G.1X", "count": 10 },
        } });
        let row = row(&kind, &object, true, "2026-01-01T00:30:00Z".parse().unwrap());
        assert_eq!(row, ["team/gjr/nightly", "Running", "10 x G.1X", "", "5.00", ""]);
        let long = |name: &str| [name, "Waiting", "", "1s", "", &"ä".repeat(200)].map(str::to_owned);
        for (terminal, columns) in [(None, MESSAGE), (Some(200), 200 - 45), (Some(10), LEAST)] {
            let [.., message] = &fitted(vec![long("gjr/a"), long("gjr/日本")], terminal)[0];
            assert_eq!((table::width(message), message.ends_with("...")), (columns, true), "{terminal:?}");
        }
    }
}
