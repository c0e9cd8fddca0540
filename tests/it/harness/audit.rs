//! The writes to an object, by the API server's audit log.

use jiff::Timestamp;
use kube_glue::controllers::runtime::kind::Kind;
use kube_glue_testbed::audit::Entry;
use tokio::time::timeout;

use super::WAIT_TIMEOUT;
use super::objects::Objects;

impl<K: Kind> Objects<'_, K> {
    /// All writes to an object, oldest first, once `count` of them are by a controller. A watch may show the effect
    /// of a write before the log has it.
    async fn all_writes(&self, name: &str, count: usize) -> Vec<Entry> {
        let (plural, audit) = (K::plural(&()), self.env.plane.audit());
        let writes = async {
            loop {
                let writes = audit.writes(&plural, &self.env.namespace, name).await.expect("the audit log");
                if writes.iter().filter(|write| is_by_controller(write)).count() >= count {
                    return writes;
                }
            }
        };
        timeout(WAIT_TIMEOUT, writes)
            .await
            .unwrap_or_else(|_| panic!("{name}: the controller wrote less than {count} times\n{}", self.env.log_tail()))
    }

    /// The writes of a controller to an object, each as `verb subresource: code`, once there are `count` of them.
    pub async fn writes(&self, name: &str, count: usize) -> Vec<String> {
        let writes = self.all_writes(name, count).await.into_iter().filter(is_by_controller);
        writes.map(|write| format!("{} {}: {}", write.verb, write.subresource, write.code)).collect()
    }

    /// When a controller recorded the intent of a call: its first write of the status after the last write by anybody
    /// else.
    pub async fn intent_written_at(&self, name: &str) -> Timestamp {
        let writes = self.all_writes(name, 1).await;
        let others = writes.iter().rposition(|write| !is_by_controller(write)).map_or(0, |last| last + 1);
        let intent = writes[others..].iter().find(|write| write.subresource == "status" && write.code == 200);
        intent.expect("a write of the status").at.parse().expect("a time")
    }
}

fn is_by_controller(write: &Entry) -> bool {
    write.user_agent.starts_with("kube-glue/")
}
