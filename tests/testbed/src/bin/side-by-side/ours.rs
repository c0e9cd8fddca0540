//! What kube-glue sees: the controller on a control plane, with a GlueInventory that sends lineage.

use std::{collections::BTreeSet, time::Duration};

use kube_glue_double::Double;
use kube_glue_testbed::{
    ControlPlane, Options, controller, custom_resources,
    openlineage::{
        Receiver,
        events::{is_end, of_run},
        graph::{self, Dataset},
    },
    progress,
    replica::{Replica, Setup},
};
use serde_json::{Value, json};

use crate::{PROGRAM, account::REGION, error::SideBySideError, glue::Account, lineage::Edge, view::View};

/// How long the events may take after the account has been read.
const LIMIT: Duration = Duration::from_mins(1);
/// How long the read may take: its calls are polls, one after the other.
const TIMEOUT: &str = "--timeout=5m";

const FLAGS: &[(&str, &str)] = &[
    ("--http-address", "127.0.0.1:0"),
    ("--log", "info"),
    ("--namespaces", "default"),
    ("--lease-namespace", "default"),
    ("--poll-calls-per-minute", "60000"),
    ("--lineage-from-scripts", "true"),
];

/// What it sees.
pub(crate) async fn read(double: &Double, account: &Account) -> Result<View, SideBySideError> {
    let program = controller::build(controller::Profile::Dev).await?;
    let plane = ControlPlane::start(Options { controller_manager: false, ..Options::default() }).await?;
    custom_resources::install(&plane).await?;
    let receiver = Receiver::start().await?;
    progress::say(PROGRAM, "kube-glue reads the account");
    let env = [("AWS_ENDPOINT_URL", double.url()), ("AWS_REGION", REGION.to_owned())];
    let mut setup = Setup {
        program,
        flags: FLAGS.iter().map(|(flag, value)| ((*flag).to_owned(), (*value).to_owned())).collect(),
        kubeconfig: plane.kubeconfig(),
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
        log: plane.folder().join("controller.log"),
    };
    setup.flag("--openlineage-url", &receiver.url());
    let controller = Replica::start(&setup)?;
    plane.kubectl(["apply", "-f", "-"]).input(objects(double).to_string()).await?;
    plane.kubectl(["wait", "glueinventory/account", "--for=condition=Ready", TIMEOUT]).await?;
    let have_ended = |events: &[Value]| account.ended.iter().all(|run| has_ended(events, run));
    let events = receiver.wait_until("the end of each newest run", LIMIT, have_ended).await?;
    drop(controller);
    let shown = plane.kubectl(["get", "glueinventory/account", "-o", "json"]).await?.stdout;
    let shown: Value = serde_json::from_str(&shown)?;
    let mut view = view(&shown["status"]);
    view.edges = edges(&events);
    Ok(view)
}

fn has_ended(events: &[Value], run: &str) -> bool {
    of_run(events, run).any(is_end)
}

/// The inventory, and the Secret that objects use which name none.
fn objects(double: &Double) -> Value {
    let key = double.default_key();
    let keys = json!({"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret});
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "kube-glue-credentials"},
        "stringData": keys});
    let spec = json!({"region": REGION, "includeTags": true, "maxItems": 1000, "runsPerJob": 50,
        "lineage": {"fromScripts": true}});
    let inventory = json!({"apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueInventory",
        "metadata": {"name": "account"}, "spec": spec});
    json!({"apiVersion": "v1", "kind": "List", "items": [secret, inventory]})
}

/// What the status of the inventory shows.
fn view(status: &Value) -> View {
    let requests = status["calls"].as_u64().unwrap_or_default();
    let mut view = View { requests, ..View::default() };
    for item in status["items"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (name, state) = (text(&item["name"]), text(&item["state"]));
        let has_run = item["lastRun"].is_object();
        view.tags += item["tags"].as_object().map_or(0, serde_json::Map::len);
        match item["type"].as_str() {
            Some("Workflow") => {
                view.workflow_runs += usize::from(has_run);
                view.workflows.insert(name);
            }
            Some("Crawler") => {
                view.crawls += usize::from(has_run);
                view.crawlers.insert(name);
            }
            Some("Trigger") => {
                view.triggers.insert(name);
            }
            Some("Job") => {
                let rated = item["endedRuns"]["total"].as_u64().unwrap_or_default();
                view.runs_rated += usize::try_from(rated).unwrap_or(usize::MAX);
                view.runs_shown += usize::from(has_run);
                if has_run {
                    view.newest.insert(name.clone(), state);
                }
                view.jobs.insert(name);
            }
            _ => {}
        }
    }
    view
}

fn edges(events: &[Value]) -> BTreeSet<Edge> {
    let jobs = graph::of(events).into_values();
    jobs.flat_map(|job| job.edges).map(|(from, to)| (dataset(&from), dataset(&to))).collect()
}

/// The name of a dataset: the path of a file, and `database.table` of a table.
fn dataset(Dataset { namespace, name }: &Dataset) -> String {
    match name.strip_prefix("table/") {
        Some(table) => table.replacen('/', ".", 1),
        None => format!("{namespace}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use kube_glue_testbed::openlineage::graph::Dataset;

    use super::dataset;

    #[test]
    fn datasets_have_the_names_of_the_account() {
        let named =
            |namespace: &str, name: &str| dataset(&Dataset { namespace: namespace.to_owned(), name: name.to_owned() });
        assert_eq!(named("arn:aws:glue:eu-west-1:123456789012", "table/sales/orders"), "sales.orders");
        assert_eq!(named("s3://lake", "raw/orders"), "s3://lake/raw/orders");
    }
}
