//! Creates objects that run something: `run` and `rerun`.

use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::api::{ListParams, PostParams};
use kube::core::DynamicObject;
use serde_json::{Map, Value, json};

use super::{logs, wait};
use crate::plugin::cli::{Changes, Follow, RerunArgs, RunArgs, Runnable};
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output;
use crate::plugin::target::{Target, object_name, read_one};

/// Fields of a spec that belong to one run only.
const OF_ONE_RUN: [&str; 7] = ["runId", "crawlId", "stop", "suspend", "resume", "resumeNodes", "idempotencyKey"];

/// `kubectl glue run`.
pub(in crate::plugin) async fn run(cluster: &Cluster, args: &RunArgs) -> Result<Exit, PluginError> {
    let (kind, field) = match args.what {
        Runnable::Job => (Kind::job_run(), "jobName"),
        Runnable::Crawler => (Kind::crawler_run(), "crawlerName"),
        Runnable::Workflow => (Kind::workflow_run(), "workflowName"),
    };
    let mut spec = match &args.from {
        Some(name) => repeated(&read_one(cluster, name).await?.1),
        None if args.last => repeated(&last(cluster, &kind, field, &args.glue_name).await?),
        None => Map::new(),
    };
    spec.insert(field.to_owned(), json!(args.glue_name));
    if let Some(region) = &args.region {
        spec.insert("region".to_owned(), json!(region));
    }
    if let Some(secret) = &args.secret {
        spec.insert("credentials".to_owned(), json!({ "secretName": secret }));
    }
    change(&kind, &mut spec, &args.changes)?;
    let name = args.object.as_deref().map_or_else(|| Name::From(&args.glue_name), Name::Is);
    create(cluster, &kind, name, spec, &args.follow).await
}

/// `kubectl glue rerun`.
pub(in crate::plugin) async fn rerun(cluster: &Cluster, args: &RerunArgs) -> Result<Exit, PluginError> {
    let (target, object) = read_one(cluster, &args.name).await?;
    if !target.kind.is_run {
        let message = format!("{} is no run. A trigger is fired by `kubectl glue fire`", target.full_name());
        return Err(PluginError::Usage(message));
    }
    let mut spec = repeated(&object);
    change(&target.kind, &mut spec, &args.changes)?;
    let prefix = object.metadata.generate_name.clone().unwrap_or_else(|| target.name.clone());
    create(cluster, &target.kind, Name::From(prefix.trim_end_matches('-')), spec, &args.follow).await
}

/// The name of an object to create.
enum Name<'a> {
    Is(&'a str),
    /// The API server generates it from this one.
    From(&'a str),
}

async fn create(
    cluster: &Cluster,
    kind: &Kind,
    name: Name<'_>,
    spec: Map<String, Value>,
    follow: &Follow,
) -> Result<Exit, PluginError> {
    let mut object = DynamicObject::new("", &kind.resource).within(&cluster.namespace).data(json!({ "spec": spec }));
    (object.metadata.name, object.metadata.generate_name) = match name {
        Name::Is(name) => (Some(name.to_owned()), None),
        Name::From(name) => (None, Some(format!("{}-", object_name(name)))),
    };
    if follow.logs && kind.resource.kind != Kind::job_run().resource.kind {
        return Err(PluginError::Usage("only the log of a job run is shown".to_owned()));
    }
    if follow.dry_run {
        output::object(kind, &object, follow.output, "created (dry run)")?;
        return Ok(Exit::Succeeded);
    }
    let doing = format!("creating a {}", kind.resource.kind);
    let created = cluster.objects(kind).create(&PostParams::default(), &object).await;
    let created = created.map_err(PluginError::api(doing))?;
    let target = Target { kind: kind.clone(), name: created.name_any() };
    output::object(kind, &output::manifest(created.clone()), follow.output, "created")?;
    if !follow.wait {
        return Ok(Exit::Succeeded);
    }
    let begun = Instant::now();
    if follow.logs {
        show_log(cluster, &target, created, follow.timeout).await?;
    }
    // No time is no end.
    let left = follow.timeout.saturating_sub(begun.elapsed()).max(Duration::from_millis(1));
    wait::execute(cluster, &[target], if follow.timeout.is_zero() { Duration::ZERO } else { left }).await
}

/// Shows the log of the run, to its end or for this time; zero is for ever. What keeps it from being read does not end the
/// wait.
async fn show_log(
    cluster: &Cluster,
    target: &Target,
    created: DynamicObject,
    most: Duration,
) -> Result<(), PluginError> {
    let following = Box::pin(logs::follow(cluster, target, created));
    let followed = if most.is_zero() { Ok(following.await) } else { tokio::time::timeout(most, following).await };
    match followed {
        Ok(Err(error @ PluginError::Output(_))) => Err(error),
        Ok(Err(error)) => {
            output::error(&error);
            Ok(())
        }
        Ok(Ok(())) | Err(_) => Ok(()),
    }
}

/// The run of this job, crawler or workflow that was created last.
async fn last(cluster: &Cluster, kind: &Kind, field: &str, name: &str) -> Result<DynamicObject, PluginError> {
    let selector = ListParams::default().fields(&format!("spec.{field}={name}"));
    let listed = cluster.objects(kind).list(&selector).await;
    let listed = listed.map_err(PluginError::api(format!("listing the runs of {name}")))?;
    let newest = listed.items.into_iter().max_by_key(|object| object.creation_timestamp().map(|time| time.0));
    newest.ok_or_else(|| PluginError::NotFound(format!("a {} of {name} in {}", kind.resource.kind, cluster.namespace)))
}

/// The spec of another run of the same.
fn repeated(object: &DynamicObject) -> Map<String, Value> {
    let mut spec = object.data["spec"].as_object().cloned().unwrap_or_default();
    spec.retain(|field, _| !OF_ONE_RUN.contains(&field.as_str()));
    spec
}

/// Changes a spec.
fn change(kind: &Kind, spec: &mut Map<String, Value>, changes: &Changes) -> Result<(), PluginError> {
    let Changes { arguments, workers, timeout_minutes } = changes;
    let is = |other: Kind| kind.resource.kind == other.resource.kind;
    if (workers.is_some() || timeout_minutes.is_some()) && !is(Kind::job_run()) {
        return Err(PluginError::Usage("only a job takes workers and a timeout".to_owned()));
    }
    if is(Kind::job_run()) {
        set_values(spec, "arguments", arguments.iter().map(|(key, value)| (key.as_str(), value)));
    } else if is(Kind::workflow_run()) {
        // Jobs read run properties by their names, which have no dashes.
        let properties = arguments.iter().map(|(key, value)| (key.trim_start_matches('-'), value));
        set_values(spec, "runProperties", properties);
    } else if !arguments.is_empty() {
        return Err(PluginError::Usage("only a job and a workflow take --arg".to_owned()));
    }
    if let Some((type_, count)) = workers {
        spec.remove("maxCapacity");
        spec.remove("allocatedCapacity");
        spec.insert("workers".to_owned(), json!({ "type": type_, "count": count }));
    }
    if let Some(minutes) = timeout_minutes {
        spec.insert("timeoutMinutes".to_owned(), json!(minutes));
    }
    Ok(())
}

/// Sets values in a map of the spec. A value of a Secret or ConfigMap with the same name is replaced, too.
fn set_values<'a>(spec: &mut Map<String, Value>, field: &str, values: impl Iterator<Item = (&'a str, &'a String)>) {
    for (key, value) in values {
        let all = spec.entry(field).or_insert_with(|| json!({}));
        all[key] = json!(value);
        if let Some(Value::Array(references)) = spec.get_mut(&format!("{field}From")) {
            references.retain(|reference| reference["name"] != json!(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_repeated_without_what_belongs_to_it_alone() {
        let mut object = DynamicObject::new("one", &Kind::job_run().resource);
        object.data = json!({ "spec": {
            "jobName": "etl", "runId": "jr_1", "stop": true, "suspend": true, "idempotencyKey": "k", "maxCapacity": 2.0,
            "arguments": { "--day": "monday", "--x": "1" },
            "argumentsFrom": [{ "name": "--day", "secretKeyRef": {} }, { "name": "--y", "secretKeyRef": {} }],
        } });
        let mut spec = repeated(&object);
        let arguments = vec![("--day".to_owned(), "tuesday".to_owned())];
        let changes = Changes { arguments, workers: Some(("G.1X".to_owned(), 2)), timeout_minutes: None };
        change(&Kind::job_run(), &mut spec, &changes).unwrap();
        let expected = json!({
            "jobName": "etl", "workers": { "type": "G.1X", "count": 2 },
            "arguments": { "--day": "tuesday", "--x": "1" },
            "argumentsFrom": [{ "name": "--y", "secretKeyRef": {} }],
        });
        assert_eq!(Value::Object(spec.clone()), expected);
        for kind in [Kind::crawler_run(), Kind::workflow_run()] {
            assert_eq!(change(&kind, &mut spec, &changes).unwrap_err().exit(), Exit::Usage);
        }
    }

    #[test]
    fn the_arguments_of_a_workflow_are_its_run_properties() {
        let from = json!([{ "name": "day", "secretKeyRef": {} }, { "name": "y", "secretKeyRef": {} }]);
        let spec = json!({ "workflowName": "daily", "runProperties": { "x": "1" }, "runPropertiesFrom": from });
        let mut spec = spec.as_object().cloned().unwrap();
        let arguments = vec![("--day".to_owned(), "tuesday".to_owned())];
        let changes = Changes { arguments, ..Changes::default() };
        change(&Kind::workflow_run(), &mut spec, &changes).unwrap();
        let expected = json!({
            "workflowName": "daily", "runProperties": { "day": "tuesday", "x": "1" },
            "runPropertiesFrom": [{ "name": "y", "secretKeyRef": {} }],
        });
        assert_eq!(Value::Object(spec.clone()), expected);
        assert_eq!(change(&Kind::crawler_run(), &mut spec, &changes).unwrap_err().exit(), Exit::Usage);
    }
}
