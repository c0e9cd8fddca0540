//! The deletion of the test's namespace, which Kubernetes' own namespace controller does.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams};
use kube::runtime::wait::{await_condition, conditions};
use tokio::time::timeout;

use super::TestEnv;

/// The longest wait for a namespace to go. Kubernetes' namespace controller backs off while something is left in it, for longer
/// on a busy machine.
const DELETION_LIMIT: Duration = Duration::from_mins(3);

impl TestEnv {
    /// Deletes the namespace and waits until it is gone. The controller must run without leader election: the test's
    /// Lease would be deleted with the namespace, which no real one is.
    pub async fn delete_namespace(&self) {
        let is_gone = self.request_namespace_deletion().await;
        assert!(timeout(DELETION_LIMIT, is_gone).await.is_ok(), "the namespace was not deleted\n{}", self.log_tail());
    }

    /// Requests the deletion of the namespace. The future that is returned ends when it is gone.
    pub async fn request_namespace_deletion(&self) -> impl Future<Output = ()> + use<> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        let uid = namespaces.get(&self.namespace).await.expect("the namespace").metadata.uid.expect("a uid");
        namespaces.delete(&self.namespace, &DeleteParams::default()).await.expect("the deletion");
        let name = self.namespace.clone();
        async move {
            let _ = await_condition(namespaces, &name, conditions::is_deleted(&uid)).await;
        }
    }
}
