//! The search for secret values in all output of a controller: status, events, logs, metrics and probes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use kube_glue_double::Double;
use kube_glue_testbed::{ControlPlane, Kubelet};

use super::TestEnv;

/// Keys of credential Secrets whose values are not secret.
const PUBLIC_KEYS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_EXTERNAL_ID",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SOURCE_IDENTITY",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_GLUE",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_S3",
];
/// Shorter values are not searched for: they occur in many texts by chance.
const MIN_LENGTH: usize = 8;
/// The paths that a controller serves.
const HTTP_PATHS: [&str; 3] = ["/metrics", "/readyz", "/livez"];

impl TestEnv {
    pub(super) fn remember_secret_values(&self, data: &[(&str, &str)]) {
        let secret = data.iter().filter(|(key, _)| !PUBLIC_KEYS.contains(key));
        let values = secret.map(|(_, value)| value.trim().to_owned());
        self.secret_values.lock().expect("the values").extend(values);
    }

    /// What the running controllers serve over HTTP, by controller and path.
    pub(super) async fn http_output(&self) -> BTreeMap<String, String> {
        let mut output = BTreeMap::new();
        for (name, controller) in &self.controllers {
            if !controller.is_running() {
                continue;
            }
            for path in HTTP_PATHS {
                output.insert(format!("{name}{path}"), controller.get(path).await.1);
            }
        }
        output
    }

    /// Requests and responses of the controllers in the audit log: every status and event, those of deleted objects
    /// included, and the lists of Secrets.
    pub(super) async fn written_objects(&self) -> String {
        audit_lines(self.plane, self.audit_start, &self.namespace).await
    }

    /// All output of this test's controllers so far, by its place.
    pub async fn collect_output(&self) -> BTreeMap<String, String> {
        let mut output = self.http_output().await;
        output.insert("written".to_owned(), self.written_objects().await);
        output.insert("logs".to_owned(), self.logs());
        output
    }

    /// Searches all output so far for secret values.
    pub async fn assert_no_secret_leaked(&self) {
        let output = self.collect_output().await;
        self.assert_no_secret_in(&output);
    }

    /// Searches these texts, which are named by their place, for secret values.
    pub(super) fn assert_no_secret_in(&self, texts: &BTreeMap<String, String>) {
        let written = self.secret_values.lock().expect("the values").clone();
        let values = self.secrets.iter().cloned().chain(written).chain(self.double.iam().secret_values());
        let places = places_with_any(values, texts);
        assert!(places.is_empty(), "a secret value occurs in {places:?}\n{}", self.log_tail());
    }
}

/// The same search for controllers that helm installed, and for all Secrets of their cluster.
pub async fn assert_no_secret_leaked(plane: &ControlPlane, kubelet: &Kubelet, double: &Double) {
    let mut texts = BTreeMap::from([("written".to_owned(), audit_lines(plane, 0, "").await)]);
    for pod in kubelet.pods() {
        texts.insert(format!("the logs of {}", pod.name), kubelet.logs(&pod.name).unwrap_or_default());
        for path in HTTP_PATHS {
            if let Ok((_, text)) = kubelet.get(&pod.name, path).await {
                texts.insert(format!("{path} of {}", pod.name), text);
            }
        }
    }
    let secrets: Api<Secret> = Api::all(plane.client().await.expect("a client"));
    let secrets = secrets.list(&ListParams::default()).await.expect("the Secrets");
    // Helm keeps its releases in Secrets of another type.
    let secrets = secrets.into_iter().filter(|secret| secret.type_.as_deref() == Some("Opaque"));
    let values = secrets.flat_map(|secret| secret.data.unwrap_or_default());
    let values = values.filter(|(key, _)| !PUBLIC_KEYS.contains(&key.as_str()));
    let values = values.filter_map(|(_, value)| String::from_utf8(value.0).ok());
    let places = places_with_any(values.chain(double.iam().secret_values()), &texts);
    assert!(places.is_empty(), "a secret value occurs in {places:?}");
}

/// The controllers' lines of the audit log after `position` that mention the namespace.
async fn audit_lines(plane: &ControlPlane, position: u64, namespace: &str) -> String {
    let log = plane.audit().log(position).await.expect("the audit log");
    let is_relevant = |line: &&str| line.contains("\"userAgent\":\"kube-glue/") && line.contains(namespace);
    log.lines().filter(is_relevant).fold(String::new(), |text, line| text + line + "\n")
}

fn places_with_any(values: impl Iterator<Item = String>, texts: &BTreeMap<String, String>) -> BTreeSet<&str> {
    let values: BTreeSet<_> = values.filter(|value| value.len() >= MIN_LENGTH).collect();
    values.iter().flat_map(|value| places_with(value, texts)).collect()
}

/// The places whose text contains a value: as it is, in base64 as in a Secret, or percent-encoded as in a form.
pub fn places_with<'a>(value: &str, texts: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let base64 = serde_json::to_value(ByteString(value.as_bytes().to_vec())).expect("JSON");
    let base64 = base64.as_str().expect("text").trim_end_matches('=').to_owned();
    let percent = value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => text.push(byte.into()),
            other => write!(text, "%{other:02X}").expect("text"),
        }
        text
    });
    let forms = [value, &base64, &percent];
    let contains = |text: &str| forms.iter().any(|form| text.contains(form));
    texts.iter().filter(|(_, text)| contains(text)).map(|(place, _)| place.as_str()).collect()
}
