//! What the cache keeps of an object, so that what a namespace can make the controller hold is bounded.
//!
//! The API server admits objects of up to 1.5 MB. Of metadata the cache keeps what plans read. A spec that is still large
//! is dropped but for its head, and a pass reads the object whole: that costs one request for each pass, and only objects
//! that are larger than any usual one.

use std::io;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Api, Client, ResourceExt};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::kind::Kind;
use super::patch::{WriteError, refused};
use crate::api::{ANNOTATION_PREFIX, FINALIZER};

/// The most bytes of an object in the cache, as JSON; what is left of a larger one is a few hundred bytes.
pub const MOST_CACHED: usize = 16 * 1024;

/// How many objects are read whole at a time.
pub const MOST_READ: usize = 4;

/// Marks an object of the cache that is not whole. One that has this annotation on the API server is read again in vain.
const NOT_WHOLE: &str = "kube-glue.dev/not-whole";

/// Removes what no pass reads of the object: field ownership and the last applied manifest are most of it.
pub fn strip_metadata(meta: &mut ObjectMeta) {
    meta.managed_fields = None;
    meta.labels = None;
    meta.owner_references = None;
    meta.generate_name = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|name, _| name.starts_with(ANNOTATION_PREFIX));
    }
    meta.annotations.take_if(|annotations| annotations.is_empty());
}

/// Removes what the cache does not hold.
pub fn strip<K: Kind>(object: &mut K) {
    strip_metadata(object.meta_mut());
    object.strip();
    if size(object) <= MOST_CACHED {
        return;
    }
    object.strip_to_head();
    let meta = object.meta_mut();
    // A pass that changes the finalizers has the whole object.
    meta.finalizers.iter_mut().for_each(|finalizers| finalizers.retain(|name| name == FINALIZER));
    meta.annotations = Some([(NOT_WHOLE.to_owned(), String::new())].into());
}

/// Whether the object of the cache is the whole one.
pub fn is_whole<K: Kind>(object: &K) -> bool {
    !object.annotations().contains_key(NOT_WHOLE)
}

/// The object as the API server has it, once one of `permits` is free.
pub async fn read_whole<K: Kind>(object: &K, client: &Client, permits: &Semaphore) -> Result<K, WriteError> {
    // The semaphore is never closed.
    let _permit = permits.acquire().await;
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let mut whole = api.get(&object.name_any()).await.map_err(|error| refused("read the object", object, error))?;
    strip_metadata(whole.meta_mut());
    Ok(whole)
}

/// The bytes of the object as JSON.
fn size(object: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    // What cannot be serialized was never decoded.
    drop(serde_json::to_writer(&mut counter, object));
    counter.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::StatusCode;
    use futures::future::join_all;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::{GlueConnection, GlueCrawlerRun, GlueInventory, GlueJobRun, GlueTrigger};
    use crate::controllers::runtime::tests::api_server;

    fn stripped<K: Kind>(metadata: &Value, spec: &Value) -> K {
        let object = json!({
            "apiVersion": K::api_version(&()), "kind": K::kind(&()), "metadata": metadata, "spec": spec,
        });
        let mut object: K = serde_json::from_value(object).unwrap();
        strip(&mut object);
        object
    }

    fn is_bounded<K: Kind>(spec: &Value) {
        let many = |name: &str| (0..1000).map(|n| format!("{name}{n}")).collect::<Vec<_>>();
        let map =
            |names: Vec<String>| names.into_iter().map(|name| (name, json!("x"))).collect::<serde_json::Map<_, _>>();
        let finalizers = [many("example.com/"), vec![FINALIZER.to_owned()]].concat();
        let metadata = json!({
            "namespace": "a", "name": "b", "uid": "u", "resourceVersion": "7", "labels": map(many("label")),
            "annotations": map(many("kube-glue.dev/")), "finalizers": finalizers,
        });
        let object: K = stripped(&metadata, spec);
        assert!(size(&object) < 1024, "{}: {}", K::KIND, size(&object));
        assert!(!is_whole(&object));
        assert_eq!(object.finalizers(), [FINALIZER]);
    }

    #[test]
    fn the_cache_holds_the_head_of_a_large_object() {
        let tags: serde_json::Map<_, _> = (0..48).map(|n| (format!("tag{n}"), json!("x".repeat(256)))).collect();
        let credentials = json!({"assumeRole": {"sessionTags": tags}});
        let large = "x".repeat(200_000);
        is_bounded::<GlueJobRun>(&json!({"jobName": "etl", "arguments": {"--a": large}, "credentials": credentials}));
        is_bounded::<GlueCrawlerRun>(&json!({"crawlerName": "orders", "credentials": credentials}));
        is_bounded::<GlueTrigger>(&json!({"triggerName": "daily", "credentials": credentials}));
        is_bounded::<GlueInventory>(&json!({"jobs": {"includes": [large]}, "credentials": credentials}));
        let properties = json!({"HOST": large});
        is_bounded::<GlueConnection>(
            &json!({"connectionType": "JDBC", "properties": properties, "credentials": credentials}),
        );
    }

    #[test]
    fn of_a_finished_run_the_cache_holds_no_arguments() {
        for (phase, has_arguments) in [("Running", true), ("Succeeded", false)] {
            let object = json!({
                "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "a"},
                "spec": {"jobName": "etl", "arguments": {"--day": "2026-01-31"}},
                "status": {"phase": phase, "runId": "jr_1"},
            });
            let mut object: GlueJobRun = serde_json::from_value(object).unwrap();
            strip(&mut object);
            assert_eq!(object.spec.arguments.is_some(), has_arguments, "{phase}");
            assert_eq!(object.status.and_then(|status| status.run_id).as_deref(), Some("jr_1"), "{phase}");
        }
    }

    #[test]
    fn the_cache_holds_usual_objects_whole() {
        let spec = json!({"jobName": "etl", "arguments": {"--day": "2026-01-31"}});
        let object: GlueJobRun = stripped(&json!({"name": "a", "labels": {"a": "b"}}), &spec);
        assert!(is_whole(&object) && object.spec.arguments.is_some() && object.metadata.labels.is_none());
    }
    #[tokio::test]
    async fn few_objects_are_read_whole_at_a_time() {
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueJobRun", "metadata": {"name": "a", "namespace": "b"},
            "spec": {"jobName": "etl"},
        });
        let (reads, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (seen, body) = (Arc::clone(&most), object.clone());
        let client = api_server::client(move |_, _, _| {
            let (reads, most, body) = (Arc::clone(&reads), Arc::clone(&seen), body.clone());
            async move {
                most.fetch_max(reads.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                // All that can be sent is sent meanwhile.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                reads.fetch_sub(1, Ordering::Relaxed);
                (StatusCode::OK, body)
            }
        });
        let object: GlueJobRun = serde_json::from_value(object).unwrap();
        let permits = Semaphore::new(MOST_READ);
        let read = join_all((0..10 * MOST_READ).map(|_| read_whole(&object, &client, &permits))).await;
        assert!(read.iter().all(|read| read.as_ref().is_ok_and(|read| read.spec.job_name == "etl")));
        assert_eq!(most.load(Ordering::Relaxed), MOST_READ);
    }
}
