//! The Pod's credentials: a token of its `ServiceAccount`, and a kubeconfig that names the token's file.
//!
//! As with a real kubelet, the token is bound to the Pod. It is in a file of its own that clients read again, so that
//! it can be renewed while the process runs.

use std::{path::PathBuf, sync::Arc, time::Duration};

use k8s_openapi::api::{
    authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, ResourceExt as _, api::PostParams};
use serde_json::json;
use tracing::warn;

use super::{container::StartFailure, pod::PodContext};

/// The lifetime that a kubelet requests, in seconds.
const LIFETIME: i64 = 3607;
/// The interval between two renewals; shorter than the lifetime.
const RENEW_EVERY: Duration = Duration::from_mins(40);
/// The interval after a failed renewal.
const RETRY: Duration = Duration::from_secs(10);

/// The kubeconfig for the Pod's containers; none when the Pod does not mount a token.
pub(super) async fn kubeconfig(context: &PodContext) -> Result<Option<PathBuf>, StartFailure> {
    if !mounts_token(context).await.map_err(|error| config_error(context, &error))? {
        return Ok(None);
    }
    let token = context.folder.join("token");
    if !token.exists() {
        renew(context).await.map_err(|error| config_error(context, &error))?;
    }
    let path = context.folder.join("kubeconfig");
    let namespace = context.pod.namespace().unwrap_or_default();
    match context.settings.cluster.write_kubeconfig(&path, &json!({ "tokenFile": token }), &namespace) {
        Ok(()) => Ok(Some(path)),
        Err(error) => Err(StartFailure { reason: "CreateContainerError", message: error.to_string() }),
    }
}

fn config_error(context: &PodContext, error: &kube::Error) -> StartFailure {
    let message = format!("the token of ServiceAccount {}: {error}", account(context));
    StartFailure { reason: "CreateContainerConfigError", message }
}

/// Renews the token until it is aborted.
pub(super) async fn keep(context: Arc<PodContext>) {
    let mut pause = RENEW_EVERY;
    loop {
        tokio::time::sleep(pause).await;
        pause = RENEW_EVERY;
        if context.folder.join("token").exists()
            && let Err(error) = renew(&context).await
        {
            warn!(pod = context.pod.name_any(), "renewing the token: {error}");
            pause = RETRY;
        }
    }
}

async fn renew(context: &PodContext) -> kube::Result<()> {
    let request = TokenRequest {
        spec: Some(TokenRequestSpec {
            expiration_seconds: Some(LIFETIME),
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(context.pod.name_any()),
                uid: context.pod.uid(),
            }),
            ..TokenRequestSpec::default()
        }),
        ..TokenRequest::default()
    };
    let answer = accounts(context).create_token_request(&account(context), &PostParams::default(), &request).await?;
    let token = answer.status.and_then(|status| status.token).unwrap_or_default();
    // Renamed into place, so that a reader never gets a part of a token.
    let next = context.folder.join("token.next");
    std::fs::write(&next, token)
        .and_then(|()| std::fs::rename(&next, context.folder.join("token")))
        .map_err(|error| kube::Error::Service(Box::new(error)))
}

/// `automountServiceAccountToken` of the Pod, else of its `ServiceAccount`, else true.
async fn mounts_token(context: &PodContext) -> kube::Result<bool> {
    let spec = context.pod.spec.as_ref();
    if let Some(automount) = spec.and_then(|spec| spec.automount_service_account_token) {
        return Ok(automount);
    }
    let account = accounts(context).get(&account(context)).await?;
    Ok(account.automount_service_account_token.unwrap_or(true))
}

fn accounts(context: &PodContext) -> Api<ServiceAccount> {
    let namespace = context.pod.namespace().unwrap_or_default();
    Api::namespaced(context.settings.client.clone(), &namespace)
}

fn account(context: &PodContext) -> String {
    let spec = context.pod.spec.as_ref();
    spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".to_owned())
}
