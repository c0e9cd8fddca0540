//! What is refused, and what the messages say of it.

use std::path::PathBuf;

use crate::harness::TestEnv;

#[tokio::test]
async fn without_rights_or_a_cluster_the_message_says_what_was_tried() {
    let mut env = TestEnv::without_controller("plugin-denied").await;
    env.plane.kubectl(["create", "serviceaccount", "nobody", "-n", &env.namespace]).await.expect("an account");
    let administrator = env.kubeconfig.clone();
    env.kubeconfig = env.plane.kubeconfig_as(&env.namespace, "nobody").await.expect("a kubeconfig");
    for line in ["wait gjr/one", "run job etl", "status gjr/one", "top", "stop gjr/one"] {
        let denied = env.glue(line).await;
        assert_eq!(denied.code, Some(6), "{line}: {denied:?}");
        assert!(denied.messages.contains("is forbidden: User"), "{line}: {denied:?}");
    }
    env.kubeconfig = PathBuf::from("/nonexistent/config");
    let none = env.glue("top").await;
    assert_eq!(none.code, Some(6), "{none:?}");
    assert!(none.messages.contains("kubeconfig"), "{none:?}");
    env.kubeconfig = administrator;
    let wrong = env.glue("top --context elsewhere").await;
    assert!(wrong.code == Some(6) && wrong.messages.contains("elsewhere"), "{wrong:?}");
}

#[tokio::test]
async fn credentials_of_the_kubeconfig_that_have_expired_are_named() {
    let env = TestEnv::without_controller("plugin-expired").await;
    for line in ["top", "status gjr/one", "list jobs", "run job etl"] {
        let refused = env.glue(&format!("{line} --token expired")).await;
        assert_eq!(refused.code, Some(6), "{line}: {refused:?}");
        assert!(refused.messages.contains("log in again"), "{line}: {refused:?}");
    }
}
