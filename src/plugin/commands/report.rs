//! Collects what a question about the objects needs, in an archive or a folder: `report`.
//!
//! Nothing of a Secret but the names of its keys is in it. Values of the Secrets that the user may read, and values under
//! names that say they are secret, are hidden everywhere.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::ListParams;
use kube::core::DynamicObject;
use kube::{Api, ResourceExt};
use regex::Regex;
use serde_json::{Value, json};

use crate::api::connection::properties;
use crate::plugin::cli::ReportArgs;
use crate::plugin::connect::Cluster;
use crate::plugin::error::PluginError;
use crate::plugin::exit::Exit;
use crate::plugin::kind::Kind;
use crate::plugin::output;
use crate::redaction::{HIDDEN, Redactor, Sensitive};

/// The objects of a kind that are collected, the newest ones.
const OBJECTS: usize = 500;

/// Files by their paths in the report.
type Files = BTreeMap<String, String>;

/// Writes the report, and prints where it is.
pub(in crate::plugin) async fn execute(cluster: &Cluster, args: &ReportArgs) -> Result<Exit, PluginError> {
    let now = Timestamp::now();
    let name = format!("kube-glue-report-{}-{}", cluster.namespace, now.strftime("%Y%m%d-%H%M%S"));
    let path = args.path.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tar.gz")));
    let files = collect(cluster, now).await?;
    let is_archive = path.to_string_lossy().ends_with(".tar.gz") || path.to_string_lossy().ends_with(".tgz");
    if is_archive {
        write_archive(&path, &name, &files)?;
    } else {
        write_folder(&path, &files)?;
    }
    output::say("look through it before you pass it on: arguments and messages may name what is yours");
    output::line(path.display())?;
    Ok(Exit::Succeeded)
}

/// Reads everything. What may not be read is named in the report.
async fn collect(cluster: &Cluster, now: Timestamp) -> Result<Files, PluginError> {
    let secrets = read_secrets(cluster).await;
    let redaction = Redaction::new(secrets.as_deref().unwrap_or_default());
    let mut files = Files::new();
    let mut missing = Vec::new();
    for kind in Kind::all() {
        match cluster.objects(&kind).list(&ListParams::default()).await {
            Ok(list) => {
                let mut objects = list.items;
                objects.sort_by_key(|object| std::cmp::Reverse(object.creation_timestamp().map(|at| at.0)));
                objects.truncate(OBJECTS);
                for object in objects {
                    let path = format!("{}/{}.yaml", kind.resource.plural, object.name_any());
                    files.insert(path, redaction.yaml(stripped(object))?);
                }
            }
            Err(error) => missing.push(format!("{}: {error}", kind.resource.plural)),
        }
    }
    match Api::<Event>::namespaced(cluster.client.clone(), &cluster.namespace).list(&ListParams::default()).await {
        Ok(list) => {
            let of_group = |event: &Event| {
                let api_version = event.regarding.as_ref().and_then(|object| object.api_version.as_deref());
                api_version.is_some_and(|version| version.starts_with("kube-glue.dev/"))
            };
            let events: Vec<_> = list.items.iter().filter(|event| of_group(event)).collect();
            files.insert("events.yaml".to_owned(), redaction.yaml(events)?);
        }
        Err(error) => missing.push(format!("events: {error}")),
    }
    match &secrets {
        Ok(secrets) => drop(files.insert("secret-keys.yaml".to_owned(), redaction.yaml(keys(secrets))?)),
        Err(error) => missing.push(format!("secrets: {error}")),
    }
    let settings = settings(cluster, now, &missing).await;
    files.insert("report.yaml".to_owned(), redaction.yaml(settings)?);
    Ok(files)
}

/// Versions, and what could not be read.
async fn settings(cluster: &Cluster, now: Timestamp, missing: &[String]) -> Value {
    let server = cluster.client.apiserver_version().await.map(|version| version.git_version);
    let crds = Api::<CustomResourceDefinition>::all(cluster.client.clone()).list(&ListParams::default()).await;
    let installed: Vec<_> = crds.map(|list| list.items).unwrap_or_default().iter().filter_map(definition).collect();
    json!({
        "at": now.to_string(),
        "namespace": cluster.namespace,
        "kubectlGlue": env!("CARGO_PKG_VERSION"),
        "apiServer": server.unwrap_or_else(|error| format!("unknown: {error}")),
        "customResources": installed,
        "notRead": missing,
    })
}

/// A definition of the group, with what tells its version.
fn definition(crd: &CustomResourceDefinition) -> Option<Value> {
    let is_ours = crd.spec.group == "kube-glue.dev";
    let versions: Vec<_> = crd.spec.versions.iter().map(|version| version.name.clone()).collect();
    is_ours.then(|| json!({ "name": crd.name_any(), "versions": versions, "labels": crd.metadata.labels }))
}

async fn read_secrets(cluster: &Cluster) -> Result<Vec<Secret>, kube::Error> {
    let api = Api::<Secret>::namespaced(cluster.client.clone(), &cluster.namespace);
    api.list(&ListParams::default()).await.map(|list| list.items)
}

/// The names of the keys of each Secret.
fn keys(secrets: &[Secret]) -> BTreeMap<String, Vec<String>> {
    let keys = |secret: &Secret| secret.data.iter().flat_map(BTreeMap::keys).cloned().collect();
    secrets.iter().map(|secret| (secret.name_any(), keys(secret))).collect()
}

fn stripped(mut object: DynamicObject) -> DynamicObject {
    object.metadata.managed_fields = None;
    // It has the whole object once more.
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
    object
}

/// Hides values.
struct Redaction {
    known: Redactor,
    secret_names: Option<Regex>,
}

impl Redaction {
    fn new(secrets: &[Secret]) -> Self {
        let values = secrets.iter().flat_map(|secret| secret.data.iter().flat_map(BTreeMap::values));
        let values: Vec<_> =
            values.filter_map(|value| String::from_utf8(value.0.clone()).ok()).map(Sensitive::new).collect();
        let [names, ..] = properties::secret_patterns();
        Self { known: Redactor::new(&values), secret_names: Regex::new(&names).ok() }
    }

    fn yaml(&self, document: impl serde::Serialize) -> Result<String, PluginError> {
        let failed = |error| PluginError::Json("the report".to_owned(), error);
        let document = self.redacted("", serde_json::to_value(document).map_err(failed)?);
        serde_saphyr::to_string(&document).map_err(|error| PluginError::Yaml("the report".to_owned(), Box::new(error)))
    }

    /// The document without secret values; `name` is what it stands under.
    fn redacted(&self, name: &str, document: Value) -> Value {
        match document {
            Value::String(text) => {
                let is_secret = self.secret_names.as_ref().is_none_or(|names| names.is_match(name));
                if is_secret { HIDDEN.into() } else { self.known.hide(&text).into() }
            }
            Value::Array(items) => items.into_iter().map(|item| self.redacted("", item)).collect(),
            Value::Object(members) => {
                let members = members.into_iter();
                members.map(|(name, value)| (name.clone(), self.redacted(&name, value))).collect()
            }
            scalar => scalar,
        }
    }
}

fn write_folder(path: &Path, files: &Files) -> Result<(), PluginError> {
    for (name, text) in files {
        let file = path.join(name);
        let folder = file.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(|error| unwritten(folder, error))?;
        fs::write(&file, text).map_err(|error| unwritten(&file, error))?;
    }
    Ok(())
}

fn write_archive(path: &Path, root: &str, files: &Files) -> Result<(), PluginError> {
    let write = || {
        let mut archive = tar::Builder::new(GzEncoder::new(File::create_new(path)?, Compression::default()));
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len().try_into().unwrap_or(u64::MAX));
            header.set_mode(0o600);
            header.set_cksum();
            archive.append_data(&mut header, format!("{root}/{name}"), text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.flush()
    };
    write().map_err(|error| unwritten(path, error))
}

fn unwritten(path: &Path, error: std::io::Error) -> PluginError {
    PluginError::File { path: path.to_owned(), source: error }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    #[test]
    fn values_of_secrets_and_what_is_named_like_one_are_hidden() {
        let secret = Secret {
            data: Some([("key".to_owned(), ByteString(b"hunter2-hunter2".to_vec()))].into()),
            ..Secret::default()
        };
        let redaction = Redaction::new(&[secret]);
        let document = json!({
            "spec": { "arguments": { "--db-password": "literal", "--day": "monday" } },
            "status": { "message": "login with hunter2-hunter2 failed", "reason": "Failed" },
        });
        let text = redaction.yaml(document).unwrap();
        assert!(!text.contains("literal") && !text.contains("hunter2-hunter2"), "{text}");
        assert!(text.contains("--day: monday") && text.contains("reason: Failed"), "{text}");
    }
}
