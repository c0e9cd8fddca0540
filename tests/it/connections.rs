//! GlueConnection. In Glue an update replaces the whole connection.

mod adoption;
mod crashes;
mod deletion;
mod drift;
mod samples;
mod secrets;
mod test_connection;
mod unknown_properties;
mod unmet_requirements;
mod wild;

use kube_glue::api::GlueConnection;
use kube_glue_double::{ConnectionScript, DEFAULT_ACCOUNT};
use serde_json::{Value, json};

use crate::harness::{Objects, REGION, TestEnv, merged, status};

/// The spec of a JDBC connection with the fields of `spec`. Its password is the key `password` of the Secret `db`.
fn jdbc(spec: Value) -> Value {
    let base = json!({
        "connectionType": "JDBC",
        "properties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "USERNAME": "etl"},
        "propertiesFrom": [{"name": "PASSWORD", "secretKeyRef": {"name": "db", "key": "password"}}],
    });
    merged(base, spec)
}

/// The password of [`setup`].
const PASSWORD: &str = "tr0ub4dor-and-three";

/// An environment with [`PASSWORD`] in the Secret `db`.
async fn setup(name: &str) -> TestEnv {
    let mut env = TestEnv::new(name).await;
    env.put_password(PASSWORD).await;
    env
}

/// The same with the object `db`, which is ready.
async fn setup_with_ready(name: &str, spec: Value) -> (TestEnv, GlueConnection) {
    let env = setup(name).await;
    env.connections().create("db", jdbc(spec)).await;
    let object = env.connections().wait_ready("db").await;
    (env, object)
}

impl TestEnv {
    fn connections(&self) -> Objects<'_, GlueConnection> {
        self.objects::<GlueConnection>()
    }

    /// Puts a password into the Secret `db`.
    async fn put_password(&mut self, password: &str) {
        self.secrets.push(password.to_owned());
        self.put_secret("db", &[("password", password)]).await;
    }

    /// The input of a connection in Glue, secrets included.
    fn connection_in_glue(&self, name: &str) -> Option<Value> {
        self.double.connection_input(DEFAULT_ACCOUNT, REGION, name)
    }

    fn property_in_glue(&self, name: &str, property: &str) -> Option<String> {
        Some(self.connection_in_glue(name)?["ConnectionProperties"][property].as_str()?.to_owned())
    }

    /// Waits until a property of a connection in Glue has this value.
    async fn wait_for_property(&self, name: &str, property: &str, value: &str) {
        let what = format!("property {property} of connection {name} has the expected value");
        self.wait_for_requests(&what, |_| self.property_in_glue(name, property).as_deref() == Some(value)).await;
    }

    /// Waits until the status has the ARN. A connection can be ready, without tags, before the account is known.
    async fn wait_for_arn(&self, name: &str) {
        self.connections().wait_until(name, "its status has an ARN", |object| status(object)["arn"].is_string()).await;
    }

    /// Sets how changes and tests of a connection end.
    fn script_connection(&self, name: &str, script: ConnectionScript) {
        self.double.script_connection(DEFAULT_ACCOUNT, REGION, name, script);
    }
}
