//! Secrets of the test's namespace.

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ObjectMeta, PostParams};
use kube_glue_double::AccessKey;

use super::TestEnv;

/// The Secret that the controller uses for objects whose spec names no credentials.
pub const DEFAULT_SECRET: &str = "kube-glue-credentials";

/// The data of a Secret with an access key.
pub fn access_key_data<'a>(id: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]
}

impl TestEnv {
    /// Writes the test's access key into a Secret.
    pub async fn put_credentials(&self, name: &str) {
        let AccessKey { id, secret, .. } = &self.key;
        self.put_secret(name, &access_key_data(id, secret)).await;
    }

    /// Creates a Secret with `data`, or replaces its data. The leak search looks for the values.
    pub async fn put_secret(&self, name: &str, data: &[(&str, &str)]) {
        self.remember_secret_values(data);
        let data: Vec<_> = data.iter().map(|(key, value)| (*key, value.as_bytes())).collect();
        self.put_secret_bytes(name, &data).await;
    }

    /// The same with data that need not be UTF-8. The leak search does not look for the values.
    pub async fn put_secret_bytes(&self, name: &str, data: &[(&str, &[u8])]) {
        let data = data.iter().map(|(key, value)| ((*key).to_owned(), ByteString(value.to_vec())));
        let mut secret = Secret {
            metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
            data: Some(data.collect()),
            ..Secret::default()
        };
        let api = self.secret_api();
        if let Some(before) = api.get_opt(name).await.expect("the Secret") {
            secret.metadata.resource_version = before.metadata.resource_version;
            api.replace(name, &PostParams::default(), &secret).await.expect("the Secret");
        } else {
            api.create(&PostParams::default(), &secret).await.expect("the Secret");
        }
    }

    /// The Secrets of the test's namespace.
    pub fn secret_api(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }
}
