//! Connections of the Data Catalog, declared: against a Glue that forgets what an update leaves out.

mod adoption;
mod changes;
mod crashes;
mod deletions;
mod samples;
mod secrets;
mod tests;

use kube_glue::api::GlueConnection;
use kube_glue_double::{ConnectionScript, DEFAULT_ACCOUNT};
use serde_json::{Value, json};

use crate::harness::{Of, REGION, World, merged, status};

/// A JDBC connection whose password stands under the key `password` of the Secret `db`, with `spec` in it.
fn jdbc(spec: Value) -> Value {
    let base = json!({
        "connectionType": "JDBC",
        "properties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db.example.com:5432/orders", "USERNAME": "etl"},
        "propertiesFrom": [{"name": "PASSWORD", "secretKeyRef": {"name": "db", "key": "password"}}],
    });
    merged(base, spec)
}

impl World {
    fn connections(&self) -> Of<'_, GlueConnection> {
        self.of::<GlueConnection>()
    }

    /// Puts a password into the Secret `db`. Nothing may ever show it.
    async fn put_password(&mut self, password: &str) {
        self.secrets.push(password.to_owned());
        self.put_secret("db", &[("password", password)]).await;
    }

    /// A connection as Glue has it, secrets included.
    fn stored(&self, name: &str) -> Option<Value> {
        self.double.connection_input(DEFAULT_ACCOUNT, REGION, name)
    }

    /// A property of a connection as Glue has it.
    fn property(&self, name: &str, property: &str) -> Option<String> {
        Some(self.stored(name)?["ConnectionProperties"][property].as_str()?.to_owned())
    }

    /// Waits until Glue has a connection with this property.
    async fn has_property(&self, name: &str, property: &str, value: &str) {
        let what = format!("{property} of {name} has its value");
        self.requests(&what, |_| self.property(name, property).as_deref() == Some(value)).await;
    }

    /// Waits until the ARN of a connection is known: it can be ready before AWS has said which account this is, and
    /// its tags wait for that.
    async fn has_arn(&self, name: &str) {
        self.connections().until(name, "its ARN is known", |object| status(object)["arn"].is_string()).await;
    }

    /// Says how changes and tests of a connection end.
    fn script(&self, name: &str, script: ConnectionScript) {
        self.double.script_connection(DEFAULT_ACCOUNT, REGION, name, script);
    }
}
