//! The API server's audit log, for tests that count a client's requests.
//!
//! The log has the requests for `kube-glue.dev` (with subresources) and events, with the request body; lists of
//! Secrets, with request and response bodies; and the other requests for leases, Secrets and `ConfigMaps`, with
//! metadata only.

#[cfg(test)]
mod tests;

use std::{io::SeekFrom, path::PathBuf};

use hyper::http::Request;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::{
    control_plane::ControlPlane,
    error::{Error, Result},
};

/// The content of `--audit-policy-file`. [`Audit::log`] requests the version endpoint to mark the end of what it
/// reads.
pub(crate) const POLICY: &str = r#"
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Request
  resources:
  - group: kube-glue.dev
  - group: events.k8s.io
  - group: ""
    resources: [events]
- level: RequestResponse
  verbs: [list]
  resources:
  - group: ""
    resources: [secrets]
- level: Metadata
  resources:
  - group: coordination.k8s.io
  - group: ""
    resources: [secrets, configmaps]
- level: Metadata
  nonResourceURLs: ["/version"]
- level: None
"#;

/// The verbs that write.
const WRITES: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// A request in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `create`, `update`, `patch`, `delete`, `get`, `list`, `watch`, ...
    pub verb: String,
    /// The plural, such as `gluejobruns`; empty for a request without a resource.
    pub resource: String,
    /// The subresource, such as `status`, or empty.
    pub subresource: String,
    /// Empty for resources without a namespace.
    pub namespace: String,
    /// Empty for lists and for objects created with `generateName`.
    pub name: String,
    /// The user: `admin` or `system:serviceaccount:<namespace>:<name>`.
    pub user: String,
    /// The client's `User-Agent`.
    pub user_agent: String,
    /// The HTTP status of the response.
    pub code: u16,
    /// When the API server received the request, in RFC 3339.
    pub at: String,
}

/// The audit log of one control plane.
#[derive(Debug)]
pub struct Audit<'a> {
    plane: &'a ControlPlane,
    path: PathBuf,
}

impl<'a> Audit<'a> {
    pub(crate) fn new(plane: &'a ControlPlane, path: PathBuf) -> Self {
        Self { plane, path }
    }

    /// The logged requests that were answered before this call, oldest first.
    pub async fn entries(&self) -> Result<Vec<Entry>> {
        let log = self.log(0).await?;
        Ok(log.lines().filter_map(parse).filter(|entry| !entry.resource.is_empty()).collect())
    }

    /// The current length of the log in bytes.
    #[must_use]
    pub fn position(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |file| file.len())
    }

    /// The log from a position (see [`Audit::position`]) up to this call: one JSON object per line.
    pub async fn log(&self, from: u64) -> Result<String> {
        // The API server logs requests in the order of their responses. A marker request ends the part to read.
        let marker = format!("/version?audit={}", marker());
        let request = Request::get(&marker)
            .body(Vec::new())
            .map_err(|error| Error::io("marking the audit log")(std::io::Error::other(error)))?;
        let client = self.plane.client().await?;
        client.request_text(request).await.map_err(Error::kube("marking the audit log"))?;
        let reading = || Error::io(format!("reading {}", self.path.display()));
        let mut log = Vec::new();
        let mut file = tokio::fs::File::open(&self.path).await.map_err(reading())?;
        file.seek(SeekFrom::Start(from)).await.map_err(reading())?;
        loop {
            file.read_to_end(&mut log).await.map_err(reading())?;
            let text = String::from_utf8_lossy(&log);
            if let Some(marked) = text.find(&marker) {
                let end = text[..marked].rfind('\n').map_or(0, |line| line + 1);
                return Ok(text[..end].to_owned());
            }
            tokio::task::yield_now().await;
        }
    }

    /// The write requests for one object, also those that were refused (see [`Entry::code`]), oldest first.
    pub async fn writes(&self, resource: &str, namespace: &str, name: &str) -> Result<Vec<Entry>> {
        let mut entries = self.entries().await?;
        entries.retain(|entry| {
            entry.resource == resource
                && entry.namespace == namespace
                && entry.name == name
                && WRITES.contains(&entry.verb.as_str())
        });
        Ok(entries)
    }
}

/// A unique text.
fn marker() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Parses a line; none for an incomplete line.
fn parse(line: &str) -> Option<Entry> {
    let event: Event = serde_json::from_str(line).ok()?;
    let object = event.object_ref.unwrap_or_default();
    Some(Entry {
        verb: event.verb,
        resource: object.resource,
        subresource: object.subresource,
        namespace: object.namespace,
        name: object.name,
        user: event.user.username,
        user_agent: event.user_agent,
        code: event.response_status.unwrap_or_default().code,
        at: event.request_received_timestamp,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    user: User,
    #[serde(default)]
    user_agent: String,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
    request_received_timestamp: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseStatus {
    code: u16,
}
