//! Connections that people have written, as in `validation/wild`: what the API server admits, Glue takes.

use kube::api::ListParams;

use crate::harness::{TestEnv, status};
use crate::validation::wild;

#[tokio::test]
async fn what_people_have_written_is_created_and_stays() {
    let env = TestEnv::new("conn-wild").await;
    env.put_secret("wild-db", &[("password", "of-a-wild-database"), ("api-key", "of-a-wild-service")]).await;
    env.double.clock().set_speed(100.0);
    for fact in wild::facts() {
        let is_connection = fact.text.contains("\nkind: GlueConnection\n");
        if is_connection && fact.head("Verdict").is_some_and(|verdict| !verdict.starts_with("refused")) {
            let create = ["create", "-n", &env.namespace, "-f", "-"];
            env.plane.kubectl(create).input(fact.text).await.expect("an admitted connection");
        }
    }
    let connections = env.connections();
    let all = connections.api.list(&ListParams::default()).await.expect("the objects").items;
    assert!(all.len() > 30, "{}", all.len());
    for object in &all {
        let name = object.metadata.name.as_deref().expect("a name");
        let ready = connections.wait_ready(name).await;
        assert_eq!(status(&ready)["state"], "READY", "{name}");
        let input = env.connection_in_glue(name).expect("the connection");
        assert_eq!(input["ConnectionType"], ready.spec.connection_type, "{name}");
    }
    assert_eq!(env.double.requests().count("UpdateConnection"), 0, "nothing differs from what was created");
    env.assert_no_secret_leaked().await;
}
