//! All that the controllers of a test have put before people, the search through it for what must not be there,
//! and what a test says when it gives up.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use kube_glue_double::Double;
use kube_glue_testbed::{ControlPlane, Kubelet};

use super::World;

/// Keys of a Secret whose values are no secrets.
const PUBLIC: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_EXTERNAL_ID",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SOURCE_IDENTITY",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_GLUE",
    "AWS_ENDPOINT_URL_STS",
];
/// Shorter ones stand in many a text by chance.
const SHORTEST: usize = 8;

impl World {
    /// The last that the controllers have said; all of it goes into a file.
    pub fn tail(&self) -> String {
        let logs = self.logs();
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.log", self.namespace));
        let kept = std::fs::write(&file, &logs);
        let is_telling = |line: &&str| line.contains("kube_glue") || line.contains("panicked");
        let lines: Vec<_> = logs.lines().filter(is_telling).collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        kept.map_or_else(|_| last.clone(), |()| format!("{last}\n(all of it: {})", file.display()))
    }

    /// Takes note of what stands in a Secret.
    pub(super) fn keep_secret(&self, data: &[(&str, &str)]) {
        let values = data.iter().filter(|(key, _)| !PUBLIC.contains(key)).map(|(_, value)| value.trim().to_owned());
        self.kept.lock().expect("the values").extend(values);
    }

    /// What the controllers serve over HTTP.
    pub(super) async fn served(&self) -> BTreeMap<String, String> {
        let mut served = BTreeMap::new();
        for (name, controller) in &self.controllers {
            if !controller.is_running() {
                continue;
            }
            for path in ["/metrics", "/readyz", "/livez"] {
                served.insert(format!("{name}{path}"), controller.get(path).await.1);
            }
        }
        served
    }

    /// What the controllers have written: every status and event, those of objects that are gone too; and the lists
    /// of Secrets that they were given. By the API server's audit log.
    pub(super) async fn written(&self) -> String {
        written(self.plane, self.began, &self.namespace).await
    }

    /// Everything that this test's controllers have put before people by now.
    pub async fn emitted(&self) -> BTreeMap<String, String> {
        let mut emitted = self.served().await;
        emitted.insert("written".to_owned(), self.written().await);
        emitted.insert("logs".to_owned(), self.logs());
        emitted
    }

    /// Looks for secret values in all that was emitted.
    pub async fn assert_nothing_leaked(&self) {
        let emitted = self.emitted().await;
        self.assert_no_secret_in(&emitted);
    }

    /// The same in these texts, by where each stood.
    pub(super) fn assert_no_secret_in(&self, texts: &BTreeMap<String, String>) {
        let kept = self.kept.lock().expect("the values").clone();
        let all = self.secrets.iter().cloned().chain(kept).chain(self.double.iam().secret_values());
        let places = found(all, texts);
        assert!(places.is_empty(), "a secret value stands in {places:?}\n{}", self.tail());
    }
}

/// The same for a controller that helm installed, and all Secrets of its cluster.
pub async fn assert_nothing_leaked(plane: &ControlPlane, kubelet: &Kubelet, double: &Double) {
    let mut texts = BTreeMap::from([("written".to_owned(), written(plane, 0, "").await)]);
    for pod in kubelet.pods() {
        texts.insert(format!("the logs of {}", pod.name), kubelet.logs(&pod.name).unwrap_or_default());
        for path in ["/metrics", "/readyz", "/livez"] {
            if let Ok((_, text)) = kubelet.get(&pod.name, path).await {
                texts.insert(format!("{path} of {}", pod.name), text);
            }
        }
    }
    let secrets: Api<Secret> = Api::all(plane.client().await.expect("a client"));
    let secrets = secrets.list(&ListParams::default()).await.expect("the Secrets");
    // What Helm keeps of its releases is no credential.
    let secrets = secrets.into_iter().filter(|secret| secret.type_.as_deref() == Some("Opaque"));
    let values = secrets.flat_map(|secret| secret.data.unwrap_or_default());
    let values = values.filter(|(key, _)| !PUBLIC.contains(&key.as_str()));
    let values = values.filter_map(|(_, value)| String::from_utf8(value.0).ok());
    let places = found(values.chain(double.iam().secret_values()), &texts);
    assert!(places.is_empty(), "a secret value stands in {places:?}");
}

async fn written(plane: &ControlPlane, from: u64, namespace: &str) -> String {
    let log = plane.audit().log(from).await.expect("the audit log");
    let theirs = |line: &&str| line.contains("\"userAgent\":\"kube-glue/") && line.contains(namespace);
    log.lines().filter(theirs).fold(String::new(), |text, line| text + line + "\n")
}

/// Where any of these values stands.
fn found(values: impl Iterator<Item = String>, texts: &BTreeMap<String, String>) -> BTreeSet<&str> {
    let values: BTreeSet<_> = values.filter(|value| value.len() >= SHORTEST).collect();
    values.iter().flat_map(|value| places_of(value, texts)).collect()
}

/// The texts in which a value stands: as it is, in base64 as in a Secret, or percent-encoded as in a form.
pub fn places_of<'a>(value: &str, texts: &'a BTreeMap<String, String>) -> Vec<&'a str> {
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
    let stands_in = |text: &str| forms.iter().any(|form| text.contains(form));
    texts.iter().filter(|(_, text)| stands_in(text)).map(|(place, _)| place.as_str()).collect()
}
