//! Objects of two namespaces that declare one connection, of which one has credentials that AWS refuses.

use kube_glue::api::GlueConnection;
use kube_glue_double::{DEFAULT_ACCOUNT, Fault, Role, Then};
use serde_json::json;

use super::ROLE;
use crate::harness::{DEFAULT_SECRET, REGION, SHORT_TIMEOUTS, TestEnv, access_key_data};

/// Two namespaces with one controller. The objects of the first are the older ones.
async fn two_namespaces(name: &str) -> (TestEnv, TestEnv) {
    let mut older = TestEnv::without_controller(&format!("{name}-a")).await;
    let younger = TestEnv::without_controller(&format!("{name}-b")).await;
    let namespaces = format!("{},{}", older.namespace, younger.namespace);
    older.set_flags(&[("--namespaces", &namespaces)]);
    older.set_flags(SHORT_TIMEOUTS);
    older.start_controller();
    (older, younger)
}

/// Writes the older environment's access key, with a role, into a Secret.
async fn put_key(older: &TestEnv, env: &TestEnv, secret: &str, role: Option<&str>) {
    let mut data = access_key_data(&older.key.id, &older.key.secret);
    data.extend(role.map(|role| ("AWS_ROLE_ARN", role)));
    env.put_secret(secret, &data).await;
}

/// The spec of a connection with the credentials of this Secret.
fn connection(secret: &str) -> serde_json::Value {
    json!({
        "connectionType": "JDBC",
        "properties": {"JDBC_CONNECTION_URL": "jdbc:mysql://db/x", "SECRET_ID": "db"},
        "credentials": {"secretName": secret},
    })
}

#[tokio::test]
async fn an_object_whose_credentials_aws_refuses_holds_back_no_other_namespace() {
    let (a, b) = two_namespaces("lapsed").await;
    let (of_a, of_b) = (a.objects::<GlueConnection>(), b.objects::<GlueConnection>());
    // The older object has keys that AWS does not know; or a role that it may not assume, in the account of the other.
    let other_role = "arn:aws:iam::222222222222:role/not-trusted";
    a.double.define_role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT));
    a.double.define_role(Role::new(other_role).trusts("333333333333"));
    a.put_secret(DEFAULT_SECRET, &access_key_data("AKIAUNKNOWNUNKNOWN00", "unknown-secret-key")).await;
    put_key(&a, &a, "role", Some(other_role)).await;
    put_key(&a, &b, DEFAULT_SECRET, None).await;
    put_key(&a, &b, "role", Some(ROLE)).await;
    of_a.create("keys", connection(DEFAULT_SECRET)).await;
    of_a.create("role", connection("role")).await;
    of_a.wait_for_reason("keys", "CredentialsNotAccepted").await;
    of_a.wait_for_reason("role", "AccessDenied").await;
    let keys = of_b.create("keys", connection(DEFAULT_SECRET)).await;
    of_b.create("role", connection("role")).await;
    of_b.wait_ready("keys").await;
    of_b.wait_ready("role").await;
    assert!(a.double.connection_input(DEFAULT_ACCOUNT, REGION, "keys").is_some());
    of_a.wait_for_reason("keys", "CredentialsNotAccepted").await;

    // With valid keys the older object waits, and has the connection again when the younger is deleted.
    put_key(&a, &a, DEFAULT_SECRET, None).await;
    let message = of_a.wait_for_reason("keys", "OwnedByAnother").await;
    assert!(message.contains(&format!("{}/keys", b.namespace)) && message.contains("takes it back"), "{message}");
    of_b.delete("keys").await;
    of_b.wait_deleted(&keys).await;
    of_a.wait_ready("keys").await;
}

#[tokio::test]
async fn an_object_that_waits_for_the_account_of_an_older_one_says_so_and_can_be_deleted() {
    let (a, b) = two_namespaces("unknown").await;
    let (of_a, of_b) = (a.objects::<GlueConnection>(), b.objects::<GlueConnection>());
    put_key(&a, &a, DEFAULT_SECRET, None).await;
    let key = a.double.iam().new_access_key(DEFAULT_ACCOUNT, "other");
    b.put_secret(DEFAULT_SECRET, &access_key_data(&key.id, &key.secret)).await;
    a.double.faults().add(Fault::on("GetCallerIdentity").then(Then::Http500));
    of_a.create("db", connection(DEFAULT_SECRET)).await;
    of_a.wait_ready("db").await;
    let younger = of_b.create("db", connection(DEFAULT_SECRET)).await;
    let message = of_b.wait_for_reason("db", "OwnershipUnknown").await;
    assert!(message.contains(&format!("{}/db", a.namespace)) && message.contains("which account"), "{message}");
    of_b.delete("db").await;
    of_b.wait_deleted(&younger).await;
    // It is woken when both accounts are known.
    of_b.create("db", connection(DEFAULT_SECRET)).await;
    a.double.faults().clear();
    of_b.wait_for_reason("db", "OwnedByAnother").await;
}
