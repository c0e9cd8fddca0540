//! All that the controllers of a test have put before people, and what a test says when it gives up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use kube::api::{Api, ListParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};

use super::World;

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

    /// Everything that this test's controllers have put before people: status, events, logs, and what they
    /// serve over HTTP.
    pub async fn emitted(&self) -> BTreeMap<String, String> {
        let mut statuses = Vec::new();
        for crd in kube_glue::api::crds() {
            let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(&crd.spec.group, "v1alpha1", &crd.spec.names.kind));
            let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &self.namespace, &kind);
            let objects = api.list(&ListParams::default()).await.expect("the objects");
            statuses.extend(objects.into_iter().map(|mut object| object.data["status"].take()));
        }
        let mut emitted = BTreeMap::from([
            ("status".to_owned(), serde_json::to_string(&statuses).expect("JSON")),
            ("events".to_owned(), serde_json::to_string(&self.events().await).expect("JSON")),
            ("logs".to_owned(), self.logs()),
        ]);
        for (name, controller) in &self.controllers {
            for path in ["/metrics", "/readyz"] {
                emitted.insert(format!("{name}{path}"), controller.get(path).await.1);
            }
        }
        emitted
    }

    /// Looks for secret values in all that was emitted.
    pub async fn assert_nothing_leaked(&self) {
        for (place, text) in self.emitted().await {
            for secret in &self.secrets {
                assert!(!text.contains(secret.as_str()), "a secret value stands in the {place}");
            }
        }
    }
}
