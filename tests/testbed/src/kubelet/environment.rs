//! A container's environment variables and arguments, from the Pod's spec.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod, Probe, Secret};
use kube::{Api, ResourceExt as _};

use super::{HTTP_ADDRESS_FLAG, HTTP_ADDRESS_VARIABLE, container::StartFailure, pod::PodContext};

/// The variables and arguments of a process.
pub(super) struct Resolved {
    pub(super) variables: BTreeMap<String, String>,
    /// Without the program's name.
    pub(super) args: Vec<String>,
}

type Values = BTreeMap<String, String>;

/// The first part of the Pod's spec that the test bed does not support. Such Pods are refused.
pub(super) fn unsupported(pod: &Pod, container: &Container) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    if spec.init_containers.as_ref().is_some_and(|init| !init.is_empty()) {
        return Some("the test bed does not support init containers".to_owned());
    }
    if container.lifecycle.is_some() {
        return Some("the test bed does not support lifecycle hooks".to_owned());
    }
    let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
    let is_unsupported = |probe: &Probe| probe.exec.is_some() || probe.grpc.is_some();
    probes
        .into_iter()
        .flatten()
        .any(is_unsupported)
        .then(|| "the test bed supports HTTP and TCP probes, not exec and gRPC".to_owned())
}

/// The variables and arguments of a container; `address` is where it must serve HTTP.
pub(super) async fn resolve(
    context: &PodContext,
    container: &Container,
    address: &str,
) -> Result<Resolved, StartFailure> {
    let mut variables = Values::from([
        ("PATH".to_owned(), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned()),
        ("HOME".to_owned(), context.folder.display().to_string()),
        ("HOSTNAME".to_owned(), context.pod.name_any()),
    ]);
    for source in container.env_from.iter().flatten() {
        let prefix = source.prefix.clone().unwrap_or_default();
        let mut add = |values: Option<Values>| {
            let named = values.unwrap_or_default().into_iter();
            variables.extend(named.map(|(name, value)| (format!("{prefix}{name}"), value)));
        };
        if let Some(from) = &source.config_map_ref {
            add(config_map(context, &from.name, from.optional).await?);
        }
        if let Some(from) = &source.secret_ref {
            add(secret(context, &from.name, from.optional).await?);
        }
    }
    for one in container.env.iter().flatten() {
        if let Some(value) = value_of(context, one, &variables).await? {
            variables.insert(one.name.clone(), value);
        }
    }
    variables.extend(context.settings.environment.clone());
    variables.insert(HTTP_ADDRESS_VARIABLE.to_owned(), address.to_owned());

    // The program replaces the image's entrypoint, and the first word of the command.
    let command = container.command.iter().flatten().skip(1);
    let args = command.chain(container.args.iter().flatten()).map(|arg| expand(arg, &variables));
    let args = with_address(args.collect(), address);
    Ok(Resolved { variables, args })
}

async fn value_of(context: &PodContext, one: &EnvVar, so_far: &Values) -> Result<Option<String>, StartFailure> {
    match &one.value_from {
        None => Ok(Some(expand(one.value.as_deref().unwrap_or_default(), so_far))),
        Some(source) => referenced(context, &one.name, source).await,
    }
}

async fn referenced(
    context: &PodContext,
    variable: &str,
    source: &EnvVarSource,
) -> Result<Option<String>, StartFailure> {
    let (values, kind, name, key, optional) = if let Some(from) = &source.secret_key_ref {
        (secret(context, &from.name, from.optional).await?, "secret", &from.name, &from.key, from.optional)
    } else if let Some(from) = &source.config_map_key_ref {
        let values = config_map(context, &from.name, from.optional).await?;
        (values, "configmap", &from.name, &from.key, from.optional)
    } else if let Some(field) = &source.field_ref {
        return Ok(Some(field_of(context, field)?));
    } else {
        return Err(config_error(format!("the test bed cannot resolve the source of variable {variable}")));
    };
    match values.and_then(|mut values| values.remove(key)) {
        None if optional != Some(true) => Err(config_error(format!("couldn't find key {key} in {kind} {name}"))),
        value => Ok(value),
    }
}

fn field_of(context: &PodContext, field: &ObjectFieldSelector) -> Result<String, StartFailure> {
    let pod = &context.pod;
    let spec = pod.spec.as_ref();
    let path = field.field_path.as_str();
    let quoted = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(label) = quoted("metadata.labels") {
        return Ok(pod.labels().get(label).cloned().unwrap_or_default());
    }
    if let Some(annotation) = quoted("metadata.annotations") {
        return Ok(pod.annotations().get(annotation).cloned().unwrap_or_default());
    }
    Ok(match path {
        "metadata.name" => pod.name_any(),
        "metadata.namespace" => pod.namespace().unwrap_or_default(),
        "metadata.uid" => pod.uid().unwrap_or_default(),
        "spec.nodeName" => context.settings.node.clone(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".to_owned())
        }
        "status.podIP" | "status.podIPs" | "status.hostIP" | "status.hostIPs" => "127.0.0.1".to_owned(),
        other => {
            return Err(config_error(format!("the test bed cannot resolve the field {other}")));
        }
    })
}

async fn secret(context: &PodContext, name: &str, optional: Option<bool>) -> Result<Option<Values>, StartFailure> {
    let secrets: Api<Secret> = Api::namespaced(context.settings.client.clone(), &namespace(context));
    let found = secrets.get_opt(name).await;
    let data = present("secret", name, optional, found)?.map(|secret| secret.data.unwrap_or_default());
    let text = |(key, value): (String, k8s_openapi::ByteString)| (key, String::from_utf8_lossy(&value.0).into_owned());
    Ok(data.map(|data| data.into_iter().map(text).collect()))
}

async fn config_map(context: &PodContext, name: &str, optional: Option<bool>) -> Result<Option<Values>, StartFailure> {
    let maps: Api<ConfigMap> = Api::namespaced(context.settings.client.clone(), &namespace(context));
    let found = maps.get_opt(name).await;
    Ok(present("configmap", name, optional, found)?.map(|map| map.data.unwrap_or_default()))
}

fn present<K>(
    kind: &str,
    name: &str,
    optional: Option<bool>,
    found: kube::Result<Option<K>>,
) -> Result<Option<K>, StartFailure> {
    match found {
        Ok(None) if optional != Some(true) => Err(config_error(format!("{kind} \"{name}\" not found"))),
        Ok(found) => Ok(found),
        Err(error) => Err(config_error(format!("reading {kind} {name}: {error}"))),
    }
}

fn namespace(context: &PodContext) -> String {
    context.pod.namespace().unwrap_or_default()
}

fn config_error(message: String) -> StartFailure {
    StartFailure { reason: "CreateContainerConfigError", message }
}

/// Replaces `$(NAME)` by the variable's value and `$$` by a dollar sign. Unknown names are not replaced.
fn expand(text: &str, variables: &Values) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded += &rest[..at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|named| named.split_once(')')) {
            match variables.get(name) {
                Some(value) => expanded += value,
                None => expanded.extend(["$(", name, ")"]),
            }
            rest = after;
        } else {
            expanded.push('$');
        }
    }
    expanded + rest
}

/// Replaces the value of the flag `--http-address`.
fn with_address(mut args: Vec<String>, address: &str) -> Vec<String> {
    for nth in 0..args.len() {
        let Some(value) = args[nth].strip_prefix(HTTP_ADDRESS_FLAG) else {
            continue;
        };
        if value.starts_with('=') {
            args[nth] = format!("{HTTP_ADDRESS_FLAG}={address}");
        } else if value.is_empty() && nth + 1 < args.len() {
            address.clone_into(&mut args[nth + 1]);
        }
    }
    args
}
